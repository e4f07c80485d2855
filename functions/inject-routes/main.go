// InjectRoutes gives one notebook instance its host routes, by way of its lifecycle configuration.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(func(ctx context.Context, in workflow.InjectRoutesInput) (workflow.InjectRoutesOutput, error) {
		member := door.Enter(in.Execution, in.Notebook.Account, in.Notebook.Region)
		network := door.Enter(in.Execution, in.Notebook.Network().Account, in.Notebook.Region)
		return lifecycle.Inject(ctx, sagemaker.NewFromConfig(member), ec2.NewFromConfig(network), book.Under(in.Connection.ID, in.Execution), in)
	})
}
