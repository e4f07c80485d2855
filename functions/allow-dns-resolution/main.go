// Allow-dns-resolution turns on the DNS option of a peering on each side, by that side's own account.
package main

import (
	"context"
	"log"

	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	workflow.Start(network.AllowDNSResolution(stage))
}
