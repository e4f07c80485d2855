// Accept-peering accepts a peering request that the policy accepts, in the accepter's account and Region.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(func(ctx context.Context, in workflow.AcceptPeeringInput) (workflow.AcceptPeeringOutput, error) {
		accepter := door.Enter(in.Execution, in.Connection.Accepter.Account, in.Connection.Accepter.Region)
		return peering.Accept(ctx, ec2.NewFromConfig(accepter), in.Connection)
	})
}
