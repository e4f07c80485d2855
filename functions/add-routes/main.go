// Add-routes adds to the route tables of one side the routes that its paths need.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(fact.Side(book, "AddRoutes", func(ctx context.Context, in workflow.SideInput) (workflow.AddRoutesOutput, error) {
		here := door.Enter(in.Execution, in.Side.VPC.Account, in.Side.VPC.Region)
		return route.Add(ctx, ec2.NewFromConfig(here), book.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Side)
	}))
}
