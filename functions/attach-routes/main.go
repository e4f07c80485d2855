// Attach-routes gives one notebook instance its host routes, by way of its lifecycle configuration, and says whether it has to be stopped for that.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	debts := restart.Book{Ledger: book, Ask: look.Asker{API: eventbridge.NewFromConfig(door.Hub()), Bus: os.Getenv("BUS_NAME")}.Ask}
	workflow.Start(func(ctx context.Context, in workflow.AttachRoutesInput) (workflow.AttachRoutesOutput, error) {
		member := door.Enter(in.Execution, in.Notebook.Account, in.Notebook.Region)
		network := door.Enter(in.Execution, in.Notebook.Network().Account, in.Notebook.Region)
		return lifecycle.Attach(ctx, sagemaker.NewFromConfig(member), ec2.NewFromConfig(network), book, debts, in)
	})
}
