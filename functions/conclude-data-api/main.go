// Conclude-data-api leaves the result in the ledger and on the Aurora cluster, or takes Drawbridge's status off it, and announces it.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(dataapi.ConcludeDataAPI(stage))
}
