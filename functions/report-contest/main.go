// Report-contest tells both owners, once, what of a connection somebody takes away again and again, and how to end it.
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
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	hub, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	now := mode.New(ssm.NewFromConfig(hub), os.Getenv("MODE_PARAMETER")).Now
	workflow.Start(contest.ReportContest(steps.Stage{
		Ledger: ledger.Open(hub),
		Bus:    notice.Bus{API: eventbridge.NewFromConfig(hub), Name: os.Getenv("BUS_NAME"), Mode: now},
		Topic:  notice.Topic{API: sns.NewFromConfig(hub), ARN: os.Getenv("TOPIC_ARN"), Mode: now},
	}))
}
