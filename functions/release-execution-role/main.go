// Release-execution-role takes back what an execution role of a Studio domain got for a Redshift cluster that it may not read any more.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := studio.Open(door.Hub())
	workflow.Start(func(ctx context.Context, in workflow.ReleaseRoleInput) (workflow.HopsOutput, error) {
		config := door.Enter(in.Execution, in.Role.Account, in.Warehouse.Region)
		return studio.Release(ctx, iam.NewFromConfig(config), book.Under(in.Warehouse, in.Execution), in)
	})
}
