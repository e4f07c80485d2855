// Ask-approval tells the accepter's owner that a request waits for them, and leaves that status on the peering.
package main

import (
	"context"
	"log"
	"os"
	"strconv"

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
	days, err := strconv.Atoi(os.Getenv("APPROVAL_PATIENCE"))
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(lease.Last(book, look.Asker{API: bus.API, Bus: bus.Name}, peering.LastAnswer, fact.With(book, func(ctx context.Context, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
		return peering.Ask(ctx, book, func(v workflow.VPC) connection.Tagger {
			return ec2.NewFromConfig(door.Enter(in.Execution, v.Account, v.Region))
		}, bus, topic, peering.StuckAfter(days), in)
	})))
}
