// Ask-again asks the accepter's owner about what came to a peering after they approved it.
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
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
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
	book := ledger.Open(door.Hub())
	workflow.Start(fact.With(book, func(ctx context.Context, in workflow.AskAgainInput) (workflow.AskAgainOutput, error) {
		enter := func(v workflow.VPC) connection.Tagger {
			return ec2.NewFromConfig(door.Enter(in.Execution, v.Account, v.Region))
		}
		return peering.AskAgain(ctx, book, enter, bus, topic, in)
	}))
}
