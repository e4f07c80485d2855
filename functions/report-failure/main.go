// Report-failure says on what an execution was about that it failed, was stopped, or took too long.
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/failure"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func main() {
	stage, err := steps.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	enter := func(execution string, p event.Place) failure.Clients {
		c := stage.Enter(execution, p.Account, p.Region)
		return failure.Clients{EC2: ec2.NewFromConfig(c), RDS: rds.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c), Redshift: redshift.NewFromConfig(c)}
	}
	workflow.Start(failure.Reporter{Executions: sfn.NewFromConfig(stage.Hub), Ledger: stage.Ledger, Enter: enter, Bus: stage.Bus, Looks: stage.Looks,
		Owners: stage.Owners(), Regions: strings.Split(os.Getenv("REGIONS"), ",")}.Report)
}
