package steps

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/dnsoption"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// AllowDNSResolution is the step of the state AllowDnsResolution.
func AllowDNSResolution(s Stage) workflow.Step[workflow.AllowDNSResolutionInput, workflow.Told] {
	return fact.Connection(s.Ledger, "AllowDnsResolution", func(ctx context.Context, in workflow.AllowDNSResolutionInput) (workflow.HopsOutput, error) {
		enter := func(v workflow.VPC) dnsoption.EC2 { return ec2.NewFromConfig(s.in(in.Execution, v)) }
		return dnsoption.Allow(ctx, enter, s.Ledger.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Sides)
	})
}

// AddRoutes is the step of the state of that name.
func AddRoutes(s Stage) workflow.Step[workflow.SideInput, workflow.Told] {
	return fact.Side(s.Ledger, "AddRoutes", func(ctx context.Context, in workflow.SideInput) (workflow.AddRoutesOutput, error) {
		return route.Add(ctx, ec2.NewFromConfig(s.in(in.Execution, in.Side.VPC)), s.Ledger.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Side)
	})
}

// OpenFirewall is the step of the state of that name.
func OpenFirewall(s Stage) workflow.Step[workflow.SideInput, workflow.Told] {
	return fact.Side(s.Ledger, "OpenFirewall", func(ctx context.Context, in workflow.SideInput) (workflow.HopsOutput, error) {
		return firewall.Open(ctx, ec2.NewFromConfig(s.in(in.Execution, in.Side.VPC)), s.Ledger.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection.ID, in.Side)
	})
}

// InjectRoutes is the step of the state of that name.
func InjectRoutes(s Stage) workflow.Step[workflow.InjectRoutesInput, workflow.Told] {
	return fact.Inject(s.Ledger, notebook.Injector{
		SageMaker: func(execution string, b workflow.Batch) notebook.InjectionAPI {
			return sagemaker.NewFromConfig(s.Enter(execution, b.Account, b.Region))
		},
		Ledger: s.Ledger, Policy: s.Policy, Restarts: s.debts(),
	}.Inject)
}

// VerifyConnection is the step of the state of that name.
func VerifyConnection(s Stage) workflow.Step[workflow.VerifyConnectionInput, workflow.VerifyConnectionOutput] {
	return lease.Last(s.Ledger, s.Looks, peering.LastVerdict, fact.Verify(s.Ledger, func(ctx context.Context, in workflow.VerifyConnectionInput) (workflow.VerifyConnectionOutput, error) {
		v := connection.Verifier{Ledger: s.Ledger, Bus: s.Bus, Enter: func(v workflow.VPC) connection.Tagger { return ec2.NewFromConfig(s.in(in.Execution, v)) }}
		v.World = discover.Reader{Enter: func(p event.Place) discover.EC2 { return ec2.NewFromConfig(s.Enter(in.Execution, p.Account, p.Region)) }}
		look := func(v workflow.VPC) peering.Describer { return ec2.NewFromConfig(s.in(in.Execution, v)) }
		v.Still = func(ctx context.Context) error { return peering.StillThere(ctx, look, in.Connection) }
		return owner.After(ctx, s.owners(), func() (workflow.VerifyConnectionOutput, error) { return v.Verify(ctx, in) },
			func(out workflow.VerifyConnectionOutput) owner.News { return owner.Stands(in, out) })
	}))
}

// CloseFirewall is the step of the state of that name.
func CloseFirewall(s Stage) workflow.Step[workflow.SideInput, workflow.Told] {
	return fact.Side(s.Ledger, "CloseFirewall", func(ctx context.Context, in workflow.SideInput) (workflow.HopsOutput, error) {
		return firewall.Close(ctx, ec2.NewFromConfig(s.in(in.Execution, in.Side.VPC)), s.Ledger.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection.ID, in.Side)
	})
}

// RemoveRoutes is the step of the state of that name.
func RemoveRoutes(s Stage) workflow.Step[workflow.SideInput, workflow.Told] {
	return fact.Side(s.Ledger, "RemoveRoutes", func(ctx context.Context, in workflow.SideInput) (workflow.RemoveRoutesOutput, error) {
		return route.Remove(ctx, ec2.NewFromConfig(s.in(in.Execution, in.Side.VPC)), s.Ledger.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Side)
	})
}

// WithdrawRoutes is the step of the state of that name.
func WithdrawRoutes(s Stage) workflow.Step[workflow.WithdrawRoutesInput, workflow.Told] {
	return fact.Withdraw(s.Ledger, notebook.Withdrawer{
		SageMaker: func(execution string, b workflow.Batch) notebook.WithdrawalAPI {
			return sagemaker.NewFromConfig(s.Enter(execution, b.Account, b.Region))
		},
		EC2: func(execution string, b workflow.Batch) route.NetworkReader {
			return ec2.NewFromConfig(s.Enter(execution, b.Network(), b.Region))
		},
		Ledger: s.Ledger,
	}.Withdraw)
}

// RestoreDNSResolution is the step of the state RestoreDnsResolution.
func RestoreDNSResolution(s Stage) workflow.Step[workflow.AllowDNSResolutionInput, workflow.Told] {
	return fact.Connection(s.Ledger, "RestoreDnsResolution", func(ctx context.Context, in workflow.AllowDNSResolutionInput) (workflow.HopsOutput, error) {
		enter := func(v workflow.VPC) dnsoption.EC2 { return ec2.NewFromConfig(s.in(in.Execution, v)) }
		return dnsoption.Restore(ctx, enter, s.Ledger.Under(in.Connection.ID, in.Execution), in.Connection, in.Sides)
	})
}

// ConcludeRemoval is the step of the state of that name.
func ConcludeRemoval(s Stage) workflow.Step[workflow.ConcludeRemovalInput, workflow.ConcludeRemovalOutput] {
	return lease.Last(s.Ledger, s.Looks, peering.LastRemoval, fact.With(s.Ledger, func(ctx context.Context, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
		enter := func(c workflow.Carrier) connection.Untagger {
			return ec2.NewFromConfig(s.Enter(in.Execution, c.Account, c.Region))
		}
		return owner.Before(ctx, s.owners(), owner.Ended(in), func() (workflow.ConcludeRemovalOutput, error) {
			return peering.Conclude(ctx, s.Ledger, enter, s.Bus, s.Topic, s.Looks, in)
		})
	}))
}

// ReportUnreadable is the step of the state of that name.
func ReportUnreadable(s Stage) workflow.Step[workflow.ReportUnreadableInput, workflow.Empty] {
	return fact.With(s.Ledger, func(ctx context.Context, in workflow.ReportUnreadableInput) (workflow.Empty, error) {
		tell := func(ctx context.Context) error { return s.owners().Tell(ctx, owner.Unread(in)) }
		return workflow.Empty{}, connection.ReportUnreadable(ctx, s.Ledger, s.tagger(in.Execution), tell, in)
	})
}
