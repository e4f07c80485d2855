// Refuse-attachment leaves the reason of a refusal, tells both owners, and rejects the attachment at AWS if the policy allows that.
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
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	bus := notice.Bus{API: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME"), Mode: door.Mode}
	owners := owner.Teller{Ledger: ledger.Open(door.Hub()), Topic: notice.Topic{API: sns.NewFromConfig(door.Hub()), ARN: os.Getenv("TOPIC_ARN"), Mode: door.Mode}}
	looks := look.Asker{API: bus.API, Bus: bus.Name}
	workflow.Start(lease.Last(owners.Ledger, looks, attachment.LastAnswer, func(ctx context.Context, in workflow.AnswerAttachmentInput) (workflow.ConcludeOutput, error) {
		enter := func(p event.Place) attachment.Refuser {
			return ec2.NewFromConfig(door.Enter(in.Execution, p.Account, p.Region))
		}
		return owner.After(ctx, owners, func() (workflow.ConcludeOutput, error) {
			return attachment.Refuse(ctx, owners.Ledger, enter, bus, looks, in)
		}, func(out workflow.ConcludeOutput) owner.News { return attachment.Refused(in, out) })
	}))
}
