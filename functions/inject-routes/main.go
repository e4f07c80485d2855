// InjectRoutes gives a batch of notebook instances the host routes of a connection, by way of their lifecycle configurations.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	book := ledger.Open(door.Hub())
	workflow.Start(fact.Inject(book, notebook.Injector{
		SageMaker: func(execution string, b workflow.Batch) notebook.InjectionAPI {
			return sagemaker.NewFromConfig(door.Enter(execution, b.Account, b.Region))
		},
		Ledger: book, Policy: parameter.Open(door.Hub()).Policy,
		Restarts: restart.Book{Ledger: book, Ask: look.Asker{API: eventbridge.NewFromConfig(door.Hub()), Bus: os.Getenv("BUS_NAME")}.Ask},
	}.Inject))
}
