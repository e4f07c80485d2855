// Claim-routes writes down which destinations of a connection are about to get routes, so that removal knows them.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(func(ctx context.Context, in workflow.ClaimRoutesInput) (workflow.HopsOutput, error) {
		enter := func(v workflow.VPC) connection.Tagger {
			return ec2.NewFromConfig(door.Enter(in.Execution, v.Account, v.Region))
		}
		return connection.Claim(ctx, enter, in)
	})
}
