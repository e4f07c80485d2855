package steps

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// tagger tags what carries a connection, in the accounts of its VPCs.
func (s Stage) tagger(execution string) func(workflow.VPC) connection.Tagger {
	return func(v workflow.VPC) connection.Tagger { return ec2.NewFromConfig(s.in(execution, v)) }
}

// InspectPeering is the step of the state of that name.
func InspectPeering(s Stage) workflow.Step[workflow.InspectPeeringInput, workflow.InspectPeeringOutput] {
	enter := func(execution string, p event.Place) peering.Clients {
		c := s.Enter(execution, p.Account, p.Region)
		return peering.Clients{EC2: ec2.NewFromConfig(c), Databases: database.In(c), SageMaker: sagemaker.NewFromConfig(c), Lambda: lambda.NewFromConfig(c)}
	}
	of := peering.Inspector{Enter: enter, Account: s.Account, Units: s.Units, Policy: s.Policy, Ledger: s.Ledger, Now: s.Ledger.Now, Brake: s.Brake}
	return of.Turn().One(s.Keeper, preview.Peering(s, of.Inspect))
}

// AcceptPeering is the step of the state of that name.
func AcceptPeering(s Stage) workflow.Step[workflow.AcceptPeeringInput, workflow.AcceptPeeringOutput] {
	return func(ctx context.Context, in workflow.AcceptPeeringInput) (workflow.AcceptPeeringOutput, error) {
		return peering.Accept(ctx, ec2.NewFromConfig(s.in(in.Execution, in.Connection.Accepter)), in.Connection)
	}
}

// AskApproval is the step of the state of that name.
func AskApproval(s Stage) workflow.Step[workflow.ConcludeInput, workflow.ConcludeOutput] {
	return lease.Last(s.Ledger, s.Looks, peering.LastAnswer, fact.With(s.Ledger, func(ctx context.Context, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
		return peering.Ask(ctx, s.Ledger, s.tagger(in.Execution), s.Bus, s.Topic, peering.StuckAfter(s.Patience), in)
	}))
}

// AskAgain is the step of the state of that name.
func AskAgain(s Stage) workflow.Step[workflow.AskAgainInput, workflow.AskAgainOutput] {
	return fact.With(s.Ledger, func(ctx context.Context, in workflow.AskAgainInput) (workflow.AskAgainOutput, error) {
		return peering.AskAgain(ctx, s.Ledger, s.tagger(in.Execution), s.Bus, s.Topic, in)
	})
}

// RefusePeering is the step of the state of that name.
func RefusePeering(s Stage) workflow.Step[workflow.ConcludeInput, workflow.ConcludeOutput] {
	return lease.Last(s.Ledger, s.Looks, peering.LastAnswer, func(ctx context.Context, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
		enter := func(v workflow.VPC) peering.Refuser { return ec2.NewFromConfig(s.in(in.Execution, v)) }
		return owner.After(ctx, s.owners(), func() (workflow.ConcludeOutput, error) {
			return peering.Refuse(ctx, s.Ledger, enter, s.Bus, s.Looks, in)
		},
			func(out workflow.ConcludeOutput) owner.News { return owner.Refused(in, out) })
	})
}

// ReportConflict is the step of the state of that name.
func ReportConflict(s Stage) workflow.Step[workflow.ReportConflictInput, workflow.ReportConflictOutput] {
	return func(ctx context.Context, in workflow.ReportConflictInput) (workflow.ReportConflictOutput, error) {
		enter := func(v workflow.VPC) peering.Reporter { return ec2.NewFromConfig(s.in(in.Execution, v)) }
		return peering.Report(ctx, s.Ledger, enter, in.Connection, in.Members)
	}
}
