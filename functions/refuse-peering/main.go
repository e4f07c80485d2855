// Refuse-peering leaves the reason for a refusal on the peering, and rejects the request if the policy says so.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
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
	book := ledger.Open(door.Hub())
	owners := owner.Teller{Ledger: book, Topic: notice.Topic{API: sns.NewFromConfig(door.Hub()), ARN: os.Getenv("TOPIC_ARN"), Mode: door.Mode}}
	looks := look.Asker{API: bus.API, Bus: bus.Name}
	workflow.Start(lease.Last(book, looks, peering.LastAnswer, func(ctx context.Context, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
		enter := func(v workflow.VPC) peering.Refuser {
			return ec2.NewFromConfig(door.Enter(in.Execution, v.Account, v.Region))
		}
		return owner.After(ctx, owners, func() (workflow.ConcludeOutput, error) { return peering.Refuse(ctx, book, enter, bus, looks, in) },
			func(out workflow.ConcludeOutput) owner.News { return owner.Refused(in, out) })
	}))
}
