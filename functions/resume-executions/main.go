// Resume-executions starts again what was held back, where it may go on by now.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	hub, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	now, rows := mode.New(ssm.NewFromConfig(hub), os.Getenv("MODE_PARAMETER")).Now, ledger.Open(hub)
	workflow.Start(hold.Resumer{Ledger: rows, Mode: now, Brake: brake.Brake{Ledger: rows}, API: sfn.NewFromConfig(hub)}.Resume)
}
