// Package peering wires the steps of peerings, and those that say how a connection stands over any road.
package peering

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
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// tagger tags what carries a connection, in the accounts of its VPCs.
func tagger(s steps.Stage, execution string) func(workflow.VPC) connection.Tagger {
	return func(v workflow.VPC) connection.Tagger { return ec2.NewFromConfig(s.In(execution, v)) }
}

// InspectPeering is the step of the state of that name.
func InspectPeering(s steps.Stage) workflow.Step[workflow.InspectPeeringInput, workflow.InspectPeeringOutput] {
	enter := func(execution string, p event.Place) peering.Clients {
		c := s.Enter(execution, p.Account, p.Region)
		return peering.Clients{EC2: ec2.NewFromConfig(c), Databases: database.In(c), SageMaker: sagemaker.NewFromConfig(c), Lambda: lambda.NewFromConfig(c)}
	}
	of := peering.Inspector{Enter: enter, Account: s.Account, Units: s.Units, Policy: s.Policy, Ledger: s.Ledger, Now: s.Ledger.Now, Brake: s.Brake}
	return of.Turn().One(s.Keeper, preview.Peering(s, of.Inspect))
}

// AcceptPeering is the step of the state of that name.
func AcceptPeering(s steps.Stage) workflow.Step[workflow.AcceptPeeringInput, workflow.AcceptPeeringOutput] {
	return func(ctx context.Context, in workflow.AcceptPeeringInput) (workflow.AcceptPeeringOutput, error) {
		return peering.Accept(ctx, ec2.NewFromConfig(s.In(in.Execution, in.Connection.Accepter)), in.Connection)
	}
}

// AskApproval is the step of the state of that name.
func AskApproval(s steps.Stage) workflow.Step[workflow.ConcludeInput, workflow.ConcludeOutput] {
	return lease.Last(s.Ledger, s.Looks, peering.LastAnswer, fact.With(s.Ledger, func(ctx context.Context, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
		return peering.Ask(ctx, s.Ledger, tagger(s, in.Execution), s.Bus, s.Topic, peering.StuckAfter(s.Patience), in)
	}))
}

// AskAgain is the step of the state of that name.
func AskAgain(s steps.Stage) workflow.Step[workflow.AskAgainInput, workflow.AskAgainOutput] {
	return fact.With(s.Ledger, func(ctx context.Context, in workflow.AskAgainInput) (workflow.AskAgainOutput, error) {
		return peering.AskAgain(ctx, s.Ledger, tagger(s, in.Execution), s.Bus, s.Topic, in)
	})
}

// RefusePeering is the step of the state of that name.
func RefusePeering(s steps.Stage) workflow.Step[workflow.ConcludeInput, workflow.ConcludeOutput] {
	return lease.Last(s.Ledger, s.Looks, peering.LastAnswer, func(ctx context.Context, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
		enter := func(v workflow.VPC) peering.Refuser { return ec2.NewFromConfig(s.In(in.Execution, v)) }
		return owner.After(ctx, s.Owners(), func() (workflow.ConcludeOutput, error) {
			return peering.Refuse(ctx, s.Ledger, enter, s.Bus, s.Looks, in)
		},
			func(out workflow.ConcludeOutput) owner.News { return owner.Refused(in, out) })
	})
}

// ReportConflict is the step of the state of that name.
func ReportConflict(s steps.Stage) workflow.Step[workflow.ReportConflictInput, workflow.ReportConflictOutput] {
	return func(ctx context.Context, in workflow.ReportConflictInput) (workflow.ReportConflictOutput, error) {
		enter := func(v workflow.VPC) peering.Reporter { return ec2.NewFromConfig(s.In(in.Execution, v)) }
		return peering.Report(ctx, s.Ledger, enter, in.Connection, in.Members)
	}
}

// VerifyConnection is the step of the state of that name.
func VerifyConnection(s steps.Stage) workflow.Step[workflow.VerifyConnectionInput, workflow.VerifyConnectionOutput] {
	return lease.Last(s.Ledger, s.Looks, peering.LastVerdict, fact.Verify(s.Ledger, func(ctx context.Context, in workflow.VerifyConnectionInput) (workflow.VerifyConnectionOutput, error) {
		v := connection.Verifier{Ledger: s.Ledger, Bus: s.Bus, Enter: func(v workflow.VPC) connection.Tagger { return ec2.NewFromConfig(s.In(in.Execution, v)) }}
		v.World = discover.Reader{Enter: func(p event.Place) discover.EC2 { return ec2.NewFromConfig(s.Enter(in.Execution, p.Account, p.Region)) }}
		look := func(v workflow.VPC) peering.Describer { return ec2.NewFromConfig(s.In(in.Execution, v)) }
		v.Still = func(ctx context.Context) error { return peering.StillThere(ctx, look, in.Connection) }
		return owner.After(ctx, s.Owners(), func() (workflow.VerifyConnectionOutput, error) { return v.Verify(ctx, in) },
			func(out workflow.VerifyConnectionOutput) owner.News { return owner.Stands(in, out) })
	}))
}

// ConcludeRemoval is the step of the state of that name.
func ConcludeRemoval(s steps.Stage) workflow.Step[workflow.ConcludeRemovalInput, workflow.ConcludeRemovalOutput] {
	return lease.Last(s.Ledger, s.Looks, peering.LastRemoval, fact.With(s.Ledger, func(ctx context.Context, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
		enter := func(c workflow.StatusResource) connection.Untagger {
			return ec2.NewFromConfig(s.Enter(in.Execution, c.Account, c.Region))
		}
		return owner.Before(ctx, s.Owners(), owner.Ended(in), func() (workflow.ConcludeRemovalOutput, error) {
			return peering.Conclude(ctx, s.Ledger, enter, s.Bus, s.Topic, s.Looks, in)
		})
	}))
}

// ReportUnreadable is the step of the state of that name.
func ReportUnreadable(s steps.Stage) workflow.Step[workflow.ReportUnreadableInput, workflow.Empty] {
	return fact.With(s.Ledger, func(ctx context.Context, in workflow.ReportUnreadableInput) (workflow.Empty, error) {
		tell := func(ctx context.Context) error { return s.Owners().Tell(ctx, owner.Unread(in)) }
		return workflow.Empty{}, connection.ReportUnreadable(ctx, s.Ledger, tagger(s, in.Execution), tell, in)
	})
}
