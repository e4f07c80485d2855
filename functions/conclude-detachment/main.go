// Conclude-detachment ends an attachment that is over, was taken back or is let go of: it tells both owners, and asks for a look at each pair
// of its VPC.
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
	workflow.Start(gateway.ConcludeDetachment(stage))
}
