// Ask-again asks the accepter's owner about what came to a peering after they approved it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	hub, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	now := mode.New(ssm.NewFromConfig(hub), os.Getenv("MODE_PARAMETER")).Now
	bus := notice.Bus{API: eventbridge.NewFromConfig(hub), Name: os.Getenv("BUS_NAME"), Mode: now}
	topic := notice.Topic{API: sns.NewFromConfig(hub), ARN: os.Getenv("TOPIC_ARN"), Mode: now}
	book := ledger.Open(hub)
	workflow.Start(func(ctx context.Context, in workflow.AskAgainInput) (workflow.AskAgainOutput, error) {
		return peering.AskAgain(ctx, book, bus, topic, in)
	})
}
