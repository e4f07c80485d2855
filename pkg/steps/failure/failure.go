// Package failure wires the step that says what became of an execution that came to no result.
package failure

import (
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

// ReportFailure is the step of the state of that name. Of what decides, it needs the Regions alone.
func ReportFailure(s steps.Stage) workflow.Step[workflow.ReportFailureInput, workflow.ReportFailureOutput] {
	enter := func(execution string, p event.Place) failure.Clients {
		c := s.Enter(execution, p.Account, p.Region)
		return failure.Clients{EC2: ec2.NewFromConfig(c), RDS: rds.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c), Redshift: redshift.NewFromConfig(c)}
	}
	return failure.Reporter{Executions: sfn.NewFromConfig(s.Hub), Ledger: s.Ledger, Enter: enter, Bus: s.Bus, Looks: s.Looks, Owners: s.Owners(), Regions: s.Regions}.Report
}
