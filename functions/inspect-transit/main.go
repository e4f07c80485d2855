// Inspect-transit answers what a pair of VPCs on a transit gateway needs next. It changes nothing.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/gateway"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(deadletter.Keep(deadletter.Open(stage.Hub), workflow.InspectTransitInput.Raw, gateway.InspectTransit(stage.Deciding())))
}
