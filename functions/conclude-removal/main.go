// Conclude-removal takes the status off a connection that is over, and tells what was removed.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
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
	topic := notice.Topic{API: sns.NewFromConfig(door.Hub()), ARN: os.Getenv("TOPIC_ARN"), Mode: door.Mode}
	looks := look.Asker{API: bus.API, Bus: bus.Name}
	owners := owner.Teller{Ledger: ledger.Open(door.Hub()), Topic: topic}
	workflow.Start(lease.Last(owners.Ledger, looks, peering.LastRemoval, fact.With(owners.Ledger, func(ctx context.Context, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
		enter := func(c workflow.Carrier) connection.Untagger {
			return ec2.NewFromConfig(door.Enter(in.Execution, c.Account, c.Region))
		}
		return owner.Before(ctx, owners, owner.Ended(in), func() (workflow.ConcludeRemovalOutput, error) {
			return peering.Conclude(ctx, owners.Ledger, enter, bus, topic, looks, in)
		})
	})))
}
