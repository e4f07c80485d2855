// Package notebook wires the steps of notebooks: their host routes, their stop and start.
package notebook

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// of returns the client of a notebook's account.
func of(s steps.Stage, execution string, n workflow.Notebook) *sagemaker.Client {
	return sagemaker.NewFromConfig(s.Enter(execution, n.Account, n.Region))
}

// InspectNotebooks is the step of the state of that name.
func InspectNotebooks(s steps.Stage) workflow.Step[workflow.InspectNotebooksInput, workflow.InspectNotebooksOutput] {
	enter := func(execution string, p event.Place) notebook.APIs {
		c := s.Enter(execution, p.Account, p.Region)
		return notebook.APIs{EC2: ec2.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c)}
	}
	of := notebook.Inspector{Enter: enter, Account: s.Account, Policy: s.Policy, Restarts: s.Debts(), Ended: s.Keeper.Ended}
	return preview.Notebooks(s, of.Inspect)
}

// InjectRoutes is the step of the state of that name.
func InjectRoutes(s steps.Stage) workflow.Step[workflow.InjectRoutesInput, workflow.Told] {
	return fact.Inject(s.Ledger, notebook.Injector{
		SageMaker: func(execution string, b workflow.Batch) notebook.InjectionAPI {
			return sagemaker.NewFromConfig(s.Enter(execution, b.Account, b.Region))
		},
		Ledger: s.Ledger, Policy: s.Policy, Restarts: s.Debts(),
	}.Inject)
}

// WithdrawRoutes is the step of the state of that name.
func WithdrawRoutes(s steps.Stage) workflow.Step[workflow.WithdrawRoutesInput, workflow.Told] {
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

// AttachRoutes is the step of the state of that name.
func AttachRoutes(s steps.Stage) workflow.Step[workflow.AttachRoutesInput, workflow.AttachRoutesOutput] {
	return func(ctx context.Context, in workflow.AttachRoutesInput) (workflow.AttachRoutesOutput, error) {
		network := s.Enter(in.Execution, in.Notebook.Network().Account, in.Notebook.Region)
		return lifecycle.Attach(ctx, of(s, in.Execution, in.Notebook), ec2.NewFromConfig(network), s.Ledger, s.Debts(), in)
	}
}

// StopNotebook is the step of the state of that name.
func StopNotebook(s steps.Stage) workflow.Step[workflow.NotebookInput, workflow.NotebookOutput] {
	return func(ctx context.Context, in workflow.NotebookInput) (workflow.NotebookOutput, error) {
		return notebook.Stop(ctx, of(s, in.Execution, in.Notebook), s.Ledger, in.Execution, in.Notebook)
	}
}

// StartNotebook is the step of the state of that name.
func StartNotebook(s steps.Stage) workflow.Step[workflow.NotebookInput, workflow.NotebookOutput] {
	return func(ctx context.Context, in workflow.NotebookInput) (workflow.NotebookOutput, error) {
		return notebook.Start(ctx, of(s, in.Execution, in.Notebook), in.Notebook)
	}
}
