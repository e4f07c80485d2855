// Verify-private-notebooks says, path by path, from where the notebooks of an account are reached, and why; it announces the result.
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
	workflow.Start(privatenotebooks.VerifyPrivateNotebooks(stage))
}
