// Close-firewall revokes, on one side, the security group rules that carry the connection's tag.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(fact.Side(book, "CloseFirewall", func(ctx context.Context, in workflow.SideInput) (workflow.HopsOutput, error) {
		here := door.Enter(in.Execution, in.Side.VPC.Account, in.Side.VPC.Region)
		return firewall.Close(ctx, ec2.NewFromConfig(here), book.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection.ID, in.Side)
	}))
}
