// Package change wires the step that finds whom a change concerns.
package change

import (
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fanout"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// FindConnections is the step of the state of that name. What it cannot read is for its function to keep.
func FindConnections(s steps.Stage) workflow.Step[workflow.FindConnectionsInput, workflow.FindConnectionsOutput] {
	enter := func(execution string, p event.Place) fanout.Clients {
		c := s.Enter(execution, p.Account, p.Region)
		return fanout.Clients{EC2: ec2.NewFromConfig(c), RAM: ram.NewFromConfig(c), RDS: rds.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c)}
	}
	return fanout.Fanout{Enter: enter, Ask: s.Looks.Ask, Contest: contest.Contest{Ledger: s.Ledger}, Region: s.Hub.Region}.Find
}
