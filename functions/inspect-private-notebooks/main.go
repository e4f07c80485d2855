// Inspect-private-notebooks finds which VPCs of an account shall have endpoints for its notebooks, and which no more.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(privatenotebooks.InspectPrivateNotebooks(stage.Deciding()))
}
