// Attach-vpc attaches a VPC to a transit gateway, or adds subnets to its attachment, in the VPC's account.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"

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
	workflow.Start(func(ctx context.Context, in workflow.AttachVpcInput) (workflow.AttachmentOutput, error) {
		vpc := door.Enter(in.Execution, in.VPC.Account, in.VPC.Region)
		return attachment.Attach(ctx, ledger.Open(door.Hub()).Under(attachment.LeaseOf(in.Gateway.ID, in.VPC.ID), in.Execution), ec2.NewFromConfig(vpc), iam.NewFromConfig(vpc), in)
	})
}
