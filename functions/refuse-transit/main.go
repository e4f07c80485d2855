// Refuse-transit tells that a pair of VPCs on a transit gateway is not connected, and why.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/transit"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	hub, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	now := mode.New(ssm.NewFromConfig(hub), os.Getenv("MODE_PARAMETER")).Now
	bus := notice.Bus{API: eventbridge.NewFromConfig(hub), Name: os.Getenv("BUS_NAME"), Mode: now}
	workflow.Start(func(ctx context.Context, in workflow.RefuseTransitInput) (workflow.ConcludeOutput, error) {
		return transit.Refuse(ctx, bus, in)
	})
}
