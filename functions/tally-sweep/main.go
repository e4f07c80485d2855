// Tally-sweep adds up what a sweep found in one page of accounts, and tells people of the accounts whose visit failed.
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
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	hub, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	now := mode.New(ssm.NewFromConfig(hub), os.Getenv("MODE_PARAMETER")).Now
	book := ledger.Open(hub)
	workflow.Start(fact.Visits(book, sweep.Teller{
		Managed: brake.Brake{Ledger: book}.Managed,
		Ledger:  book,
		Bus:     notice.Bus{API: eventbridge.NewFromConfig(hub), Name: os.Getenv("BUS_NAME"), Mode: now},
		Topic:   notice.Topic{API: sns.NewFromConfig(hub), ARN: os.Getenv("TOPIC_ARN"), Mode: now},
	}.Tally))
}
