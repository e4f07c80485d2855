// Find-connections finds all that an event concerns which may name several things, and asks for a look at each.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/change"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(deadletter.Keep(deadletter.Open(stage.Hub), workflow.FindConnectionsInput.Raw, change.FindConnections(stage)))
}
