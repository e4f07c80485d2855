// Enable-http-endpoint turns the HTTP endpoint of an Aurora cluster on, and writes into the ledger that Drawbridge did.
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
	workflow.Start(dataapi.EnableHTTPEndpoint(stage))
}
