// Inspect-peering answers what a peering needs next. It reads both sides, asks the policy, and changes nothing.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(deadletter.Keep(deadletter.Open(stage.Hub), workflow.InspectPeeringInput.Raw, peering.InspectPeering(stage.Deciding())))
}
