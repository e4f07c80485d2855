// Ask-attachment tells the owner of a transit gateway that an attachment waits for them, and leaves that status on it.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/gateway"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(gateway.AskAttachment(stage))
}
