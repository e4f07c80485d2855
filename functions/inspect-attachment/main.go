// Inspect-attachment answers what a VPC on a transit gateway needs next. It reads both accounts, asks the policy, and changes
// nothing.
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
	workflow.Start(deadletter.Keep(deadletter.Open(stage.Hub), workflow.InspectAttachmentInput.Raw, gateway.InspectAttachment(stage.Deciding())))
}
