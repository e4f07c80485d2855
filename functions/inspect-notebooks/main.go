// Inspect-notebooks finds the notebooks that an event concerns and the host routes that the policy lets them have.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(deadletter.Keep(deadletter.Open(stage.Hub), workflow.InspectNotebooksInput.Raw, notebook.InspectNotebooks(stage.Deciding())))
}
