// Conclude-detachment ends an attachment that is over, was taken back or is let go of: it tells both owners, and asks for a look at each pair
// of its VPC.
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
	looks := look.Asker{API: eventbridge.NewFromConfig(door.Hub()), Bus: os.Getenv("BUS_NAME")}
	owners := owner.Teller{Ledger: ledger.Open(door.Hub()), Topic: notice.Topic{API: sns.NewFromConfig(door.Hub()), ARN: os.Getenv("TOPIC_ARN"), Mode: door.Mode}}
	workflow.Start(lease.Last(owners.Ledger, looks, attachment.LastDetachment, func(ctx context.Context, in workflow.ConcludeDetachmentInput) (workflow.VerifyAttachmentOutput, error) {
		enter := func(p event.Place) attachment.Concluder {
			return ec2.NewFromConfig(door.Enter(in.Execution, p.Account, p.Region))
		}
		return owner.Before(ctx, owners, attachment.Ended(in), func() (workflow.VerifyAttachmentOutput, error) {
			return attachment.Conclude(ctx, owners.Ledger, enter, looks, in)
		})
	}))
}
