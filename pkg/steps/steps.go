// Package steps wires the steps of machines: what a state's function is made of stands here once, for the function itself and for the rehearsal of
// package plan. So what a plan plays is what the function does, also where it says what is read before a step and written after it.
//
// Here are the steps of the Data API, of its endpoints, of Studio and of private notebooks. Those of peerings, gateways and notebooks are wired in
// functions/ and in pkg/plan, and compared by a test.
//
//	steps.go    where steps play
//	dataapi.go  Data API: clusters, and the VPCs from which it is called
//	studio.go   readers of Redshift clusters
//	private.go  private notebooks, and the endpoints that they share with the Data API
package steps

import (
	"context"
	"net/netip"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/private"
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
	Looks  look.Asker
	// What steps need that decide: see [Stage.Deciding].

	// Regions are those in which Drawbridge works.
	Regions []string
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	Policy  func(context.Context) (*policy.Set, error)
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
	return Stage{Door: door, Hub: hub, Ledger: book, Bus: notice.Bus{API: bus, Name: os.Getenv("BUS_NAME"), Mode: door.Mode}, Looks: look.Asker{API: bus, Bus: os.Getenv("BUS_NAME")}}, nil
}

// Deciding returns the stage of a function that decides, with what only such a one has in its environment. A function that does not call it is smaller:
// neither the policy's language nor the organization is linked into it.
func (s Stage) Deciding() Stage {
	s.Regions = strings.Split(os.Getenv("REGIONS"), ",")
	s.Account, s.Policy = account.OpenOrganization(s.Hub).Account, parameter.Open(s.Hub).Policy
	s.Callers = private.Callers(ssm.NewFromConfig(s.Hub), os.Getenv("CALLERS_PARAMETER"))
	s.Keeper, s.Brake = lease.Open(s.Hub, s.Ledger), brake.Open(s.Hub).Asker(s.Mode)
	return s
}
