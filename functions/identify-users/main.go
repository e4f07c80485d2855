// Identify-users makes the names of user profiles the source identity of a Studio domain's apps, once no app is there.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book, ask := studio.Open(door.Hub()), brake.Open(door.Hub()).Asker(door.Mode)
	workflow.Start(func(ctx context.Context, in workflow.IdentifyUsersInput) (workflow.IdentifyUsersOutput, error) {
		config := door.Enter(in.Execution, in.Domain.Account, in.Domain.Region)
		return studio.Identify(ctx, sagemaker.NewFromConfig(config), book.Under(in.Warehouse, in.Execution), ask, in)
	})
}
