// Conclude-studio names the end of an execution of the Studio machine, leaves it on the Redshift cluster, and announces it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	bus := notice.Bus{API: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME"), Mode: door.Mode}
	book := studio.Open(door.Hub())
	workflow.Start(lease.Last(book.Ledger, look.Asker{API: bus.API, Bus: bus.Name}, studio.LastVerdict, func(ctx context.Context, in workflow.ConcludeStudioInput) (workflow.ConcludeStudioOutput, error) {
		config := door.Enter(in.Execution, in.Warehouse.Account, in.Warehouse.Region)
		return studio.Conclude(ctx, redshift.NewFromConfig(config), bus, book, in)
	}))
}
