// Inspect-attachment answers what a VPC on a transit gateway needs next. It reads both accounts, asks the policy, and changes
// nothing.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

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
	organization := account.OpenOrganization(door.Hub())
	store := parameter.Open(door.Hub())
	book := ledger.Open(door.Hub())
	inspector := attachment.NewInspector(door, organization.Account, organization.Units, store.Policy, book, looks, brake.Open(door.Hub()).Asker(door.Mode))
	inspect := inspector.One(lease.Open(door.Hub(), book), func(step workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput]) workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput] {
		return preview.Attachment(door, step)
	})
	workflow.Start(deadletter.Keep(deadletter.Open(door.Hub()), workflow.InspectAttachmentInput.Raw, inspect))
}
