// Package privatenotebooks wires the steps of private notebooks, and of the endpoints that they share with the Data API.
package privatenotebooks

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// InspectPrivateNotebooks is the step of the state of that name.
func InspectPrivateNotebooks(s steps.Stage) workflow.Step[workflow.InspectPrivateNotebooksInput, workflow.InspectPrivateNotebooksOutput] {
	of := privatenotebooks.Inspector{
		EC2:     func(x, id, region string) privatenotebooks.EC2 { return ec2.NewFromConfig(s.Enter(x, id, region)) },
		Account: s.Account, Policy: s.Policy, Ledger: s.Ledger, Brake: s.Brake, Callers: s.Callers, Regions: s.Regions, Bus: s.Bus,
	}
	return of.Turn().One(s.Keeper, fact.Wants(s.Ledger, preview.PrivateNotebooks(s, of.Inspect)))
}

// GrantNotebookAccess is the step of the state of that name.
func GrantNotebookAccess(s steps.Stage) workflow.Step[workflow.GrantNotebookAccessInput, workflow.GrantNotebookAccessOutput] {
	return fact.Grant(s.Ledger, func(ctx context.Context, in workflow.GrantNotebookAccessInput) (workflow.GrantNotebookAccessOutput, error) {
		return privatenotebooks.Granter{
			EC2: func(x, id, region string) privatenotebooks.EndpointReader {
				return ec2.NewFromConfig(s.Enter(x, id, region))
			},
			IAM:     func(x, id, region string) privatenotebooks.Keeper { return iam.NewFromConfig(s.Enter(x, id, region)) },
			Regions: s.Regions, Ledger: s.Ledger.Under(privatenotebooks.LeaseOf(in.Account), in.Execution), Home: s.Hub.Region, Brake: s.Brake,
		}.Grant(ctx, in)
	})
}

// PlaceEndpoints is the step of the state of that name.
func PlaceEndpoints(s steps.Stage) workflow.Step[workflow.PlaceEndpointsInput, workflow.PlaceEndpointsOutput] {
	return fact.Endpoints(s.Ledger, "PlaceEndpoints", func(ctx context.Context, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
		return privatenotebooks.Place(ctx, ec2.NewFromConfig(s.Enter(in.Execution, in.Want.Account, in.Want.Region)), s.Ledger.Under(privatenotebooks.LeaseOfWant(in.Want), in.Execution), in)
	})
}

// RemoveEndpoints is the step of the state of that name.
func RemoveEndpoints(s steps.Stage) workflow.Step[workflow.PlaceEndpointsInput, workflow.PlaceEndpointsOutput] {
	return fact.Endpoints(s.Ledger, "RemoveEndpoints", func(ctx context.Context, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
		return privatenotebooks.Remove(ctx, ec2.NewFromConfig(s.Enter(in.Execution, in.Want.Account, in.Want.Region)), s.Ledger.Under(privatenotebooks.LeaseOfWant(in.Want), in.Execution), in)
	})
}

// VerifyPrivateNotebooks is the step of the state of that name.
func VerifyPrivateNotebooks(s steps.Stage) workflow.Step[workflow.VerifyPrivateNotebooksInput, workflow.VerifyPrivateNotebooksOutput] {
	return lease.Last(s.Ledger, s.Looks, privatenotebooks.LastVerdict, fact.VerifyEndpoints(s.Ledger, privatenotebooks.Verifier{
		Bus: s.Bus, Ledger: s.Ledger,
		IAM: func(x, id, region string) privatenotebooks.PolicyReader {
			return iam.NewFromConfig(s.Enter(x, id, region))
		},
		Region: func(x, id, region string) privatenotebooks.RegionReader {
			c := s.Enter(x, id, region)
			return privatenotebooks.RegionReader{EC2: ec2.NewFromConfig(c), Resolver: route53resolver.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c)}
		},
	}.Verify))
}
