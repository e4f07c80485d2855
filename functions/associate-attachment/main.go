// Associate-attachment associates an attachment with a route table of its transit gateway and propagates it, in the
// gateway owner's account.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(func(ctx context.Context, in workflow.AssociateAttachmentInput) (workflow.HopsOutput, error) {
		return attachment.Associate(ctx, ledger.Open(door.Hub()).Under(attachment.LeaseOf(in.Gateway.ID, in.VPC.ID), in.Execution), ec2.NewFromConfig(door.Enter(in.Execution, in.Gateway.Account, in.Gateway.Region)), in)
	})
}
