// Disassociate-attachment takes back the associations and propagations of an attachment that the ledger says Drawbridge added, in the gateway
// owner's account.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
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
	workflow.Start(func(ctx context.Context, in workflow.AttachmentInput) (workflow.HopsOutput, error) {
		owner := ec2.NewFromConfig(door.Enter(in.Execution, in.Gateway.Account, in.Gateway.Region))
		return attachment.Disassociate(ctx, ledger.Open(door.Hub()).Under(attachment.LeaseOf(in.Gateway.ID, in.VPC.ID), in.Execution), owner, looks, in)
	})
}
