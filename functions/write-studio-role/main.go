// Write-studio-role makes the role with which the readers of a Redshift cluster ask for credentials, in the cluster's account.
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
	workflow.Start(func(ctx context.Context, in workflow.WriteStudioRoleInput) (workflow.HopsOutput, error) {
		config := door.Enter(in.Execution, in.Warehouse.Account, in.Warehouse.Region)
		return studio.WriteRole(ctx, iam.NewFromConfig(config), book.Under(in.Warehouse, in.Execution), in)
	})
}
