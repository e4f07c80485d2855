// Verify-attachment reads back whether a VPC is attached in order, leaves its status, and asks for a look at each pair of
// the VPC with another that is attached.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	looks := look.Asker{API: eventbridge.NewFromConfig(door.Hub()), Bus: os.Getenv("BUS_NAME")}
	book := ledger.Open(door.Hub())
	workflow.Start(lease.Last(book, looks, attachment.LastVerdict, func(ctx context.Context, in workflow.VerifyAttachmentInput) (workflow.VerifyAttachmentOutput, error) {
		enter := func(p event.Place) attachment.Verifier {
			return ec2.NewFromConfig(door.Enter(in.Execution, p.Account, p.Region))
		}
		return attachment.Verify(ctx, book, enter, looks, in)
	}))
}
