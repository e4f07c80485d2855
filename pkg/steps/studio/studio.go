// Package studio wires the steps of the readers of Redshift clusters.
package studio

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// InspectStudio is the step of the state of that name. What it cannot read is for its function to keep.
func InspectStudio(s steps.Stage) workflow.Step[workflow.InspectStudioInput, workflow.InspectStudioOutput] {
	enter := func(x string, p event.Place) studio.Clients {
		c := s.Enter(x, p.Account, p.Region)
		return studio.Clients{Redshift: redshift.NewFromConfig(c), Roles: iam.NewFromConfig(c), Domains: sagemaker.NewFromConfig(c)}
	}
	book := studio.BookOf(s.Ledger, s.Hub.Region)
	of := studio.Inspector{Enter: enter, Account: s.Account, Policy: s.Policy, Book: book, Brake: s.Brake, Looks: s.Looks, Bus: s.Bus}
	return of.Turn().One(s.Keeper, fact.Readers(s.Ledger, preview.Studio(s, of.Inspect)))
}

// WriteStudioRole is the step of the state of that name.
func WriteStudioRole(s steps.Stage) workflow.Step[workflow.WriteStudioRoleInput, workflow.Told] {
	return fact.WriteReaders(s.Ledger, func(ctx context.Context, in workflow.WriteStudioRoleInput) (workflow.HopsOutput, error) {
		c := s.Enter(in.Execution, in.Warehouse.Account, in.Warehouse.Region)
		return studio.WriteRole(ctx, iam.NewFromConfig(c), studio.BookOf(s.Ledger, s.Hub.Region).Under(in.Warehouse, in.Execution), in)
	})
}

// AdmitExecutionRole is the step of the state of that name.
func AdmitExecutionRole(s steps.Stage) workflow.Step[workflow.AdmitRoleInput, workflow.Told] {
	return fact.Admit(s.Ledger, func(ctx context.Context, in workflow.AdmitRoleInput) (workflow.AdmitRoleOutput, error) {
		c := s.Enter(in.Execution, in.Role.Account, in.Warehouse.Region)
		return studio.Admit(ctx, iam.NewFromConfig(c), studio.BookOf(s.Ledger, s.Hub.Region).Under(in.Warehouse, in.Execution), in)
	})
}

// IdentifyUsers is the step of the state of that name.
func IdentifyUsers(s steps.Stage) workflow.Step[workflow.IdentifyUsersInput, workflow.Told] {
	return fact.Identify(s.Ledger, func(ctx context.Context, in workflow.IdentifyUsersInput) (workflow.IdentifyUsersOutput, error) {
		c := s.Enter(in.Execution, in.Domain.Account, in.Domain.Region)
		return studio.Identify(ctx, sagemaker.NewFromConfig(c), studio.BookOf(s.Ledger, s.Hub.Region).Under(in.Warehouse, in.Execution), s.Brake, in)
	})
}

// ReleaseExecutionRole is the step of the state of that name.
func ReleaseExecutionRole(s steps.Stage) workflow.Step[workflow.ReleaseRoleInput, workflow.Told] {
	return fact.Release(s.Ledger, func(ctx context.Context, in workflow.ReleaseRoleInput) (workflow.HopsOutput, error) {
		c := s.Enter(in.Execution, in.Role.Account, in.Warehouse.Region)
		return studio.Release(ctx, iam.NewFromConfig(c), studio.BookOf(s.Ledger, s.Hub.Region).Under(in.Warehouse, in.Execution), in)
	})
}

// ConcludeStudio is the step of the state of that name.
func ConcludeStudio(s steps.Stage) workflow.Step[workflow.ConcludeStudioInput, workflow.ConcludeStudioOutput] {
	return lease.Last(s.Ledger, s.Looks, studio.LastVerdict, fact.ConcludeReaders(s.Ledger, func(ctx context.Context, in workflow.ConcludeStudioInput) (workflow.ConcludeStudioOutput, error) {
		c := s.Enter(in.Execution, in.Warehouse.Account, in.Warehouse.Region)
		return studio.Conclude(ctx, redshift.NewFromConfig(c), s.Bus, studio.BookOf(s.Ledger, s.Hub.Region), in)
	}))
}
