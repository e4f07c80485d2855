// Conclude-data-api leaves the result in the ledger and on the Aurora cluster, or takes Drawbridge's status off it, and announces it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/account"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	door, err := account.NewDoor(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	bus := notice.Bus{API: eventbridge.NewFromConfig(door.Hub()), Name: os.Getenv("BUS_NAME"), Mode: door.Mode}
	book := ledger.Open(door.Hub())
	workflow.Start(lease.Last(book, look.Asker{API: bus.API, Bus: bus.Name}, dataapi.LastVerdict, func(ctx context.Context, in workflow.ConcludeDataAPIInput) (workflow.ConcludeDataAPIOutput, error) {
		c := in.DataAPI.Cluster
		k := dataapi.Concluder{Clusters: rds.NewFromConfig(door.Enter(in.Execution, c.Account, c.Region)), Bus: bus, Ledger: book}
		return k.Conclude(ctx, in)
	}))
}
