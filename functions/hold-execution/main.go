// Hold-execution keeps what an execution was about that was held back, and says how it ends.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	hub, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	now, rows := mode.New(ssm.NewFromConfig(hub), os.Getenv("MODE_PARAMETER")).Now, ledger.Open(hub)
	bus := notice.Bus{API: eventbridge.NewFromConfig(hub), Name: os.Getenv("BUS_NAME"), Mode: now}
	topic := notice.Topic{API: sns.NewFromConfig(hub), ARN: os.Getenv("TOPIC_ARN"), Mode: now}
	workflow.Start(hold.Holder{Ledger: rows, Mode: now, Brake: brake.Brake{Ledger: rows}, Bus: bus, Topic: topic}.Hold)
}
