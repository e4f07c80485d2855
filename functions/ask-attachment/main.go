// Ask-attachment tells the owner of a transit gateway that an attachment waits for them, and leaves that status on it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
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
	workflow.Start(lease.Last(book, look.Asker{API: bus.API, Bus: bus.Name}, attachment.LastAnswer, func(ctx context.Context, in workflow.AnswerAttachmentInput) (workflow.ConcludeOutput, error) {
		enter := func(p event.Place) connection.Tagger {
			return ec2.NewFromConfig(door.Enter(in.Execution, p.Account, p.Region))
		}
		return attachment.Ask(ctx, book, enter, bus, topic, in)
	}))
}
