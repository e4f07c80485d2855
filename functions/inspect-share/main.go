// Inspect-share answers what a resource share of transit gateways needs next. It reads the accounts that it concerns, asks
// the policy, asks for a look at each VPC that the share concerns, and changes nothing.
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
	workflow.Start(deadletter.Keep(deadletter.Open(stage.Hub), workflow.InspectShareInput.Raw, gateway.InspectShare(stage.Deciding())))
}
