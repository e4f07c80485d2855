// Package dataapi wires the steps by which notebooks query clusters over the Data API.
package dataapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// InspectDataAPI is the step of the state InspectDataApi.
func InspectDataAPI(s steps.Stage) workflow.Step[workflow.InspectDataAPIInput, workflow.InspectDataAPIOutput] {
	enter := func(execution string, p event.Place) dataapi.Readers {
		c := s.Enter(execution, p.Account, p.Region)
		return dataapi.Readers{RDS: rds.NewFromConfig(c), Secrets: secretsmanager.NewFromConfig(c), Keys: kms.NewFromConfig(c), Roles: iam.NewFromConfig(c)}
	}
	of := dataapi.Inspector{Enter: enter, Account: s.Account, Policy: s.Policy, Ledger: s.Ledger, Home: s.Hub.Region, Brake: s.Brake}
	return of.Turn().One(s.Keeper, preview.DataAPI(s, of.Inspect))
}

// EnableHTTPEndpoint is the step of the state EnableHttpEndpoint.
func EnableHTTPEndpoint(s steps.Stage) workflow.Step[workflow.DataAPIInput, workflow.HopsOutput] {
	return func(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
		c := in.DataAPI.Cluster
		return dataapi.Enabler{Clusters: rds.NewFromConfig(s.Enter(in.Execution, c.Account, c.Region)), Ledger: s.Ledger.Under(dataapi.LeaseOf(c.ARN), in.Execution)}.Enable(ctx, in)
	}
}

// AdmitConsumers is the step of the state of that name.
func AdmitConsumers(s steps.Stage) workflow.Step[workflow.DataAPIInput, workflow.HopsOutput] {
	return func(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
		c := s.Enter(in.Execution, in.DataAPI.Cluster.Account, in.DataAPI.Cluster.Region)
		return dataapi.Admitter{Roles: iam.NewFromConfig(c), Keys: kms.NewFromConfig(c), Ledger: s.Ledger.Under(dataapi.LeaseOf(in.DataAPI.Cluster.ARN), in.Execution), Home: s.Hub.Region}.Admit(ctx, in)
	}
}

// RetractDataAPI is the step of the state RetractDataApi.
func RetractDataAPI(s steps.Stage) workflow.Step[workflow.DataAPIInput, workflow.HopsOutput] {
	return func(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
		c := s.Enter(in.Execution, in.DataAPI.Cluster.Account, in.DataAPI.Cluster.Region)
		return dataapi.Retracter{Roles: iam.NewFromConfig(c), Keys: kms.NewFromConfig(c), Clusters: rds.NewFromConfig(c),
			Ledger: s.Ledger.Under(dataapi.LeaseOf(in.DataAPI.Cluster.ARN), in.Execution)}.Retract(ctx, in.DataAPI)
	}
}

// ConcludeDataAPI is the step of the state ConcludeDataApi.
func ConcludeDataAPI(s steps.Stage) workflow.Step[workflow.ConcludeDataAPIInput, workflow.ConcludeDataAPIOutput] {
	return lease.Last(s.Ledger, s.Looks, dataapi.LastVerdict, func(ctx context.Context, in workflow.ConcludeDataAPIInput) (workflow.ConcludeDataAPIOutput, error) {
		c := in.DataAPI.Cluster
		return dataapi.Concluder{Clusters: rds.NewFromConfig(s.Enter(in.Execution, c.Account, c.Region)), Bus: s.Bus, Ledger: s.Ledger}.Conclude(ctx, in)
	})
}
