// Place-endpoints gives a VPC the interface endpoints that it shall have.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/private"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(func(ctx context.Context, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
		return private.Place(ctx, ec2.NewFromConfig(door.Enter(in.Execution, in.Want.Account, in.Want.Region)), book.Under(private.LeaseOfWant(in.Want), in.Execution), in)
	})
}
