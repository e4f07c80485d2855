// Package steps wires the steps of machines: what a state's function is made of stands here once, for the function itself and for the rehearsal of
// package plan. So what a plan plays is what the function does, also where it says what is read before a step and written after it.
//
// This package has the stage. The steps are in the packages below it, by what they need: a function links the clients of all services that its package imports,
// used or not, since what a client makes at start keeps the linker from leaving it out. SageMaker's alone is a tenth of add-routes.
//
//	network           routes, rules of security groups, names: no service of a member's but EC2
//	peering           peerings, and how connections stand over any road
//	gateway           transit gateways: pairs, attachments, shares
//	notebook          notebooks: host routes, stop and start
//	dataapi           clusters that notebooks query over the Data API
//	dataapiendpoint   VPCs from which the Data API is called
//	studio            readers of Redshift clusters
//	privatenotebooks  private notebooks, and the endpoints that they share with the Data API
//	change            whom a change concerns
//	tagging           answers to tags
//	contest           what is contested
//	failure           executions that came to no result
package steps

import (
	"context"
	"net/netip"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Door leads into members: a function's, with the roles that are its own, or a rehearsal's, with the credentials of whoever asks, to change nothing.
type Door interface {
	mode.Door
	Enter(execution, account, region string) aws.Config
}

// Stage is where steps play.
type Stage struct {
	Door
	Hub    aws.Config // of the hub's own account, in its Region: the ledger has things of IAM under that
	Ledger ledger.Ledger
	Bus    notice.Bus
	Topic  notice.Topic // by which people are told
	Looks  look.Asker
	// Patience is after how many days without an answer a request is stuck, where that is asked.
	Patience int
	// What steps need that decide: see [Stage.Deciding].

	// Regions are those in which Drawbridge works.
	Regions []string
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Units says what the units of an account's path are called.
	Units  func(ctx context.Context, path string) (string, error)
	Policy func(context.Context) (*policy.Set, error)
	// Callers are the ranges from which people call private notebooks.
	Callers func(context.Context) ([]netip.Prefix, error)
	Keeper  lease.Keeper
	Brake   brake.Asker
}

// Open returns the stage of a function, from its environment; without what [Stage.Deciding] adds. It makes no call.
func Open(ctx context.Context) (Stage, error) {
	door, err := account.NewDoor(ctx)
	if err != nil {
		return Stage{}, err
	}
	hub := door.Hub()
	book, bus := ledger.Open(hub), eventbridge.NewFromConfig(hub)
	return Stage{Door: door, Hub: hub, Ledger: book, Bus: notice.Bus{API: bus, Name: os.Getenv("BUS_NAME"), Mode: door.Mode},
		Topic: notice.Topic{API: sns.NewFromConfig(hub), ARN: os.Getenv("TOPIC_ARN"), Mode: door.Mode}, Looks: look.Asker{API: bus, Bus: os.Getenv("BUS_NAME")}}, nil
}

// In enters the account of a VPC.
func (s Stage) In(execution string, v workflow.VPC) aws.Config {
	return s.Enter(execution, v.Account, v.Region)
}

// Owners tell owners what became of their connection.
func (s Stage) Owners() owner.Teller { return owner.Teller{Ledger: s.Ledger, Topic: s.Topic} }

// Debts are the restarts that notebooks are owed.
func (s Stage) Debts() restart.Book { return restart.Book{Ledger: s.Ledger, Ask: s.Looks.Ask} }

// Deciding returns the stage of a function that decides, with what only such a one has in its environment. A function that does not call it is smaller:
// neither the policy's language nor the organization is linked into it.
func (s Stage) Deciding() Stage {
	s.Regions = strings.Split(os.Getenv("REGIONS"), ",")
	organization := account.OpenOrganization(s.Hub)
	s.Account, s.Units, s.Policy = organization.Account, organization.Units, parameter.Open(s.Hub).Policy
	s.Callers = parameter.Callers(ssm.NewFromConfig(s.Hub), os.Getenv("CALLERS_PARAMETER"))
	s.Keeper, s.Brake = lease.Open(s.Hub, s.Ledger), brake.Open(s.Hub).Asker(s.Mode)
	return s
}
