// Enable-http-endpoint turns the HTTP endpoint of an Aurora cluster on, and remembers that Drawbridge did.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(func(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
		c := in.DataAPI.Cluster
		return dataapi.Enable(ctx, rds.NewFromConfig(door.Enter(in.Execution, c.Account, c.Region)), c)
	})
}
