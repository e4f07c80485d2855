// Package dataapiendpoint wires the steps of the endpoints by which VPCs reach the Data API.
package dataapiendpoint

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/dataapiendpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// InspectDataAPIEndpoint is the step of the state InspectDataApiEndpoint.
func InspectDataAPIEndpoint(s steps.Stage) workflow.Step[workflow.InspectDataAPIEndpointInput, workflow.InspectDataAPIEndpointOutput] {
	of := dataapiendpoint.Inspector{EC2: func(x, id, region string) dataapiendpoint.EC2 { return ec2.NewFromConfig(s.Enter(x, id, region)) },
		Account: s.Account, Policy: s.Policy, Ledger: s.Ledger, Brake: s.Brake}
	return of.Turn().One(s.Keeper, preview.DataAPIEndpoint(s, of.Inspect))
}

// VerifyDataAPIEndpoint is the step of the state VerifyDataApiEndpoint.
func VerifyDataAPIEndpoint(s steps.Stage) workflow.Step[workflow.VerifyDataAPIEndpointInput, workflow.VerifyDataAPIEndpointOutput] {
	return lease.Last(s.Ledger, s.Looks, dataapiendpoint.LastVerdict, func(ctx context.Context, in workflow.VerifyDataAPIEndpointInput) (workflow.VerifyDataAPIEndpointOutput, error) {
		return dataapiendpoint.Verify(ctx, ec2.NewFromConfig(s.Enter(in.Execution, in.Want.Account, in.Want.Region)), s.Ledger, s.Bus, in)
	})
}
