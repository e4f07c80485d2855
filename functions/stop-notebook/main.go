// Stop-notebook stops a notebook instance whose owner allows a restart, so that a configuration can be attached.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(func(ctx context.Context, in workflow.NotebookInput) (workflow.NotebookOutput, error) {
		return notebook.Stop(ctx, sagemaker.NewFromConfig(door.Enter(in.Execution, in.Notebook.Account, in.Notebook.Region)), book, in.Execution, in.Notebook)
	})
}
