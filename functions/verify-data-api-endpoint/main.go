// Verify-data-api-endpoint reads back whether the Data API is reached from a VPC, and announces the result.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/dataapiendpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(dataapiendpoint.VerifyDataAPIEndpoint(stage))
}
