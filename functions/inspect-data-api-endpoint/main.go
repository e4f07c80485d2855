// Inspect-data-api-endpoint answers whether a VPC shall have an endpoint of the Data API. It reads, asks the policy, and changes nothing.
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
	workflow.Start(dataapiendpoint.InspectDataAPIEndpoint(stage.Deciding()))
}
