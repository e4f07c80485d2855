// Package network wires the steps that change the networks of a connection: routes, rules of security groups, how names are resolved. Their functions have
// no client of a member's services but EC2's.
package network

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/dnsoption"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// AllowDNSResolution is the step of the state AllowDnsResolution.
func AllowDNSResolution(s steps.Stage) workflow.Step[workflow.AllowDNSResolutionInput, workflow.Told] {
	return fact.Connection(s.Ledger, "AllowDnsResolution", func(ctx context.Context, in workflow.AllowDNSResolutionInput) (workflow.HopsOutput, error) {
		enter := func(v workflow.VPC) dnsoption.EC2 { return ec2.NewFromConfig(s.In(in.Execution, v)) }
		return dnsoption.Allow(ctx, enter, s.Ledger.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Sides)
	})
}

// AddRoutes is the step of the state of that name.
func AddRoutes(s steps.Stage) workflow.Step[workflow.SideInput, workflow.Told] {
	return fact.Side(s.Ledger, "AddRoutes", func(ctx context.Context, in workflow.SideInput) (workflow.AddRoutesOutput, error) {
		return route.Add(ctx, ec2.NewFromConfig(s.In(in.Execution, in.Side.VPC)), s.Ledger.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Side)
	})
}

// OpenFirewall is the step of the state of that name.
func OpenFirewall(s steps.Stage) workflow.Step[workflow.SideInput, workflow.Told] {
	return fact.Side(s.Ledger, "OpenFirewall", func(ctx context.Context, in workflow.SideInput) (workflow.HopsOutput, error) {
		return firewall.Open(ctx, ec2.NewFromConfig(s.In(in.Execution, in.Side.VPC)), s.Ledger.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection.ID, in.Side)
	})
}

// CloseFirewall is the step of the state of that name.
func CloseFirewall(s steps.Stage) workflow.Step[workflow.SideInput, workflow.Told] {
	return fact.Side(s.Ledger, "CloseFirewall", func(ctx context.Context, in workflow.SideInput) (workflow.HopsOutput, error) {
		return firewall.Close(ctx, ec2.NewFromConfig(s.In(in.Execution, in.Side.VPC)), s.Ledger.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection.ID, in.Side)
	})
}

// RemoveRoutes is the step of the state of that name.
func RemoveRoutes(s steps.Stage) workflow.Step[workflow.SideInput, workflow.Told] {
	return fact.Side(s.Ledger, "RemoveRoutes", func(ctx context.Context, in workflow.SideInput) (workflow.RemoveRoutesOutput, error) {
		return route.Remove(ctx, ec2.NewFromConfig(s.In(in.Execution, in.Side.VPC)), s.Ledger.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Side)
	})
}

// RestoreDNSResolution is the step of the state RestoreDnsResolution.
func RestoreDNSResolution(s steps.Stage) workflow.Step[workflow.AllowDNSResolutionInput, workflow.Told] {
	return fact.Connection(s.Ledger, "RestoreDnsResolution", func(ctx context.Context, in workflow.AllowDNSResolutionInput) (workflow.HopsOutput, error) {
		enter := func(v workflow.VPC) dnsoption.EC2 { return ec2.NewFromConfig(s.In(in.Execution, v)) }
		return dnsoption.Restore(ctx, enter, s.Ledger.Under(in.Connection.ID, in.Execution), in.Connection, in.Sides)
	})
}
