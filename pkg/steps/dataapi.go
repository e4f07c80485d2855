package steps

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapiendpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// InspectDataAPI is the step of the state InspectDataApi.
func InspectDataAPI(s Stage) workflow.Step[workflow.InspectDataAPIInput, workflow.InspectDataAPIOutput] {
	enter := func(execution string, p event.Place) dataapi.Readers {
		c := s.Enter(execution, p.Account, p.Region)
		return dataapi.Readers{RDS: rds.NewFromConfig(c), Secrets: secretsmanager.NewFromConfig(c), Keys: kms.NewFromConfig(c), Roles: iam.NewFromConfig(c)}
	}
	of := dataapi.Inspector{Enter: enter, Account: s.Account, Policy: s.Policy, Ledger: s.Ledger, Home: s.Hub.Region, Brake: s.Brake}
	return of.Turn().One(s.Keeper, preview.DataAPI(s, of.Inspect))
}

// EnableHTTPEndpoint is the step of the state EnableHttpEndpoint.
func EnableHTTPEndpoint(s Stage) workflow.Step[workflow.DataAPIInput, workflow.HopsOutput] {
	return func(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
		c := in.DataAPI.Cluster
		return dataapi.Enabler{Clusters: rds.NewFromConfig(s.Enter(in.Execution, c.Account, c.Region)), Ledger: s.Ledger.Under(dataapi.LeaseOf(c.ARN), in.Execution)}.Enable(ctx, in)
	}
}

// AdmitConsumers is the step of the state of that name.
func AdmitConsumers(s Stage) workflow.Step[workflow.DataAPIInput, workflow.HopsOutput] {
	return func(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
		c := s.Enter(in.Execution, in.DataAPI.Cluster.Account, in.DataAPI.Cluster.Region)
		return dataapi.Admitter{Roles: iam.NewFromConfig(c), Keys: kms.NewFromConfig(c), Ledger: s.Ledger.Under(dataapi.LeaseOf(in.DataAPI.Cluster.ARN), in.Execution), Home: s.Hub.Region}.Admit(ctx, in)
	}
}

// RetractDataAPI is the step of the state RetractDataApi.
func RetractDataAPI(s Stage) workflow.Step[workflow.DataAPIInput, workflow.HopsOutput] {
	return func(ctx context.Context, in workflow.DataAPIInput) (workflow.HopsOutput, error) {
		c := s.Enter(in.Execution, in.DataAPI.Cluster.Account, in.DataAPI.Cluster.Region)
		return dataapi.Retracter{Roles: iam.NewFromConfig(c), Keys: kms.NewFromConfig(c), Clusters: rds.NewFromConfig(c),
			Ledger: s.Ledger.Under(dataapi.LeaseOf(in.DataAPI.Cluster.ARN), in.Execution)}.Retract(ctx, in.DataAPI)
	}
}

// ConcludeDataAPI is the step of the state ConcludeDataApi.
func ConcludeDataAPI(s Stage) workflow.Step[workflow.ConcludeDataAPIInput, workflow.ConcludeDataAPIOutput] {
	return lease.Last(s.Ledger, s.Looks, dataapi.LastVerdict, func(ctx context.Context, in workflow.ConcludeDataAPIInput) (workflow.ConcludeDataAPIOutput, error) {
		c := in.DataAPI.Cluster
		return dataapi.Concluder{Clusters: rds.NewFromConfig(s.Enter(in.Execution, c.Account, c.Region)), Bus: s.Bus, Ledger: s.Ledger}.Conclude(ctx, in)
	})
}

// InspectDataAPIEndpoint is the step of the state InspectDataApiEndpoint.
func InspectDataAPIEndpoint(s Stage) workflow.Step[workflow.InspectDataAPIEndpointInput, workflow.InspectDataAPIEndpointOutput] {
	of := dataapiendpoint.Inspector{EC2: func(x, id, region string) dataapiendpoint.EC2 { return ec2.NewFromConfig(s.Enter(x, id, region)) },
		Account: s.Account, Policy: s.Policy, Ledger: s.Ledger, Brake: s.Brake}
	return of.Turn().One(s.Keeper, preview.DataAPIEndpoint(s, of.Inspect))
}

// VerifyDataAPIEndpoint is the step of the state VerifyDataApiEndpoint.
func VerifyDataAPIEndpoint(s Stage) workflow.Step[workflow.VerifyDataAPIEndpointInput, workflow.VerifyDataAPIEndpointOutput] {
	return lease.Last(s.Ledger, s.Looks, dataapiendpoint.LastVerdict, func(ctx context.Context, in workflow.VerifyDataAPIEndpointInput) (workflow.VerifyDataAPIEndpointOutput, error) {
		return dataapiendpoint.Verify(ctx, ec2.NewFromConfig(s.Enter(in.Execution, in.Want.Account, in.Want.Region)), s.Ledger, s.Bus, in)
	})
}
