// Attach-routes gives one notebook instance its host routes, by way of its lifecycle configuration, and says whether it has to be stopped for that.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(notebook.AttachRoutes(stage))
}
