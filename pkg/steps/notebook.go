package steps

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// of returns the client of a notebook's account.
func (s Stage) of(execution string, n workflow.Notebook) *sagemaker.Client {
	return sagemaker.NewFromConfig(s.Enter(execution, n.Account, n.Region))
}

// InspectNotebooks is the step of the state of that name.
func InspectNotebooks(s Stage) workflow.Step[workflow.InspectNotebooksInput, workflow.InspectNotebooksOutput] {
	enter := func(execution string, p event.Place) notebook.APIs {
		c := s.Enter(execution, p.Account, p.Region)
		return notebook.APIs{EC2: ec2.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c)}
	}
	of := notebook.Inspector{Enter: enter, Account: s.Account, Policy: s.Policy, Restarts: s.debts(), Ended: s.Keeper.Ended}
	return preview.Notebooks(s, of.Inspect)
}

// AttachRoutes is the step of the state of that name.
func AttachRoutes(s Stage) workflow.Step[workflow.AttachRoutesInput, workflow.AttachRoutesOutput] {
	return func(ctx context.Context, in workflow.AttachRoutesInput) (workflow.AttachRoutesOutput, error) {
		network := s.Enter(in.Execution, in.Notebook.Network().Account, in.Notebook.Region)
		return lifecycle.Attach(ctx, s.of(in.Execution, in.Notebook), ec2.NewFromConfig(network), s.Ledger, s.debts(), in)
	}
}

// StopNotebook is the step of the state of that name.
func StopNotebook(s Stage) workflow.Step[workflow.NotebookInput, workflow.NotebookOutput] {
	return func(ctx context.Context, in workflow.NotebookInput) (workflow.NotebookOutput, error) {
		return notebook.Stop(ctx, s.of(in.Execution, in.Notebook), s.Ledger, in.Execution, in.Notebook)
	}
}

// StartNotebook is the step of the state of that name.
func StartNotebook(s Stage) workflow.Step[workflow.NotebookInput, workflow.NotebookOutput] {
	return func(ctx context.Context, in workflow.NotebookInput) (workflow.NotebookOutput, error) {
		return notebook.Start(ctx, s.of(in.Execution, in.Notebook), in.Notebook)
	}
}
