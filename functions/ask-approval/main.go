// Ask-approval tells the accepter's owner that a request waits for them, and leaves that status on the peering.
package main

import (
	"context"
	"log"
	"os"
	"strconv"

	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if stage.Patience, err = strconv.Atoi(os.Getenv("APPROVAL_PATIENCE")); err != nil {
		log.Fatal(err)
	}
	workflow.Start(peering.AskApproval(stage))
}
