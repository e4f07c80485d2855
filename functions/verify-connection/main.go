// Verify-connection judges every path that the policy allows by what both accounts hold now, and gives the connection its status.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	bus := notice.Bus{API: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME"), Mode: door.Mode}
	owners := owner.Teller{Ledger: ledger.Open(door.Hub()), Topic: notice.Topic{API: sns.NewFromConfig(door.Hub()), ARN: os.Getenv("TOPIC_ARN"), Mode: door.Mode}}
	workflow.Start(lease.Last(owners.Ledger, look.Asker{API: bus.API, Bus: bus.Name}, peering.LastVerdict, fact.Verify(owners.Ledger, func(ctx context.Context, in workflow.VerifyConnectionInput) (workflow.VerifyConnectionOutput, error) {
		there := func(p event.Place) aws.Config { return door.Enter(in.Execution, p.Account, p.Region) }
		shows := func(v workflow.VPC) peering.Describer { return ec2.NewFromConfig(there(v.Place())) }
		v := connection.Verifier{Ledger: owners.Ledger, Bus: bus, World: discover.Reader{Enter: func(p event.Place) discover.EC2 { return ec2.NewFromConfig(there(p)) }}, Still: func(ctx context.Context) error { return peering.StillThere(ctx, shows, in.Connection) }}
		v.Enter = func(v workflow.VPC) connection.Tagger { return ec2.NewFromConfig(there(v.Place())) }
		return owner.After(ctx, owners, func() (workflow.VerifyConnectionOutput, error) { return v.Verify(ctx, in) }, func(out workflow.VerifyConnectionOutput) owner.News { return owner.Stands(in, out) })
	})))
}
