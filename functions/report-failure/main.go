// Report-failure says on what an execution was about that it failed, was stopped, or took too long.
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/failure"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	stage.Regions = strings.Split(os.Getenv("REGIONS"), ",")
	workflow.Start(failure.ReportFailure(stage))
}
