// Inspect-attachment answers what a VPC on a transit gateway needs next. It reads both accounts, asks the policy, and changes
// nothing.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	looks := look.Asker{API: eventbridge.NewFromConfig(door.Hub()), Bus: os.Getenv("BUS_NAME")}
	organization := account.NewOrganization(organizations.NewFromConfig(door.Hub()))
	store := parameter.New(ssm.NewFromConfig(door.Hub()), os.Getenv("POLICY_PARAMETER"))
	book := ledger.Open(door.Hub())
	inspector := attachment.NewInspector(door, organization.Account, organization.Units, store.Policy, book, looks, brake.Open(door.Hub()).Asker(door.Mode))
	one := inspector.Turn().One(lease.Open(door.Hub(), book), func(ctx context.Context, found attachment.Found) (workflow.InspectAttachmentOutput, error) {
		return preview.Attachment(door, func(ctx context.Context, _ workflow.InspectAttachmentInput) (workflow.InspectAttachmentOutput, error) {
			return inspector.Inspect(ctx, found)
		})(ctx, found.In)
	})
	inspect := func(ctx context.Context, in workflow.InspectAttachmentInput) (workflow.InspectAttachmentOutput, error) {
		found, err := inspector.Find(ctx, in)
		if err != nil {
			return workflow.InspectAttachmentOutput{}, err
		}
		return one(ctx, found)
	}
	workflow.Start(deadletter.Keep(sqs.NewFromConfig(door.Hub()), os.Getenv("DEAD_LETTER_QUEUE"), workflow.InspectAttachmentInput.Raw, inspect))
}
