package notebook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type stopper interface {
	StopNotebookInstance(context.Context, *sagemaker.StopNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.StopNotebookInstanceOutput, error)
}

type starter interface {
	StartNotebookInstance(context.Context, *sagemaker.StartNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.StartNotebookInstanceOutput, error)
}

// Stop asks SageMaker to stop a notebook whose owner allows a restart. Without that permission it refuses, whatever
// the machine thinks. Before it asks, the ledger notes that the notebook is owed a start: the execution may not live to give it.
func Stop(ctx context.Context, api stopper, l ledger.Ledger, execution string, n workflow.Notebook) (workflow.NotebookOutput, error) {
	if !n.Restart.Allowed {
		return workflow.NotebookOutput{}, fault.New(fault.Refused, "stopping notebook %s: policy %s does not allow a restart", n.Name, n.Restart.Policy)
	}
	slog.InfoContext(ctx, "stopping notebook", "notebook", n.Name, "policy", n.Restart.Policy)
	at := event.Place{Account: n.Account, Region: n.Region}
	if err := restart.Stopping(ctx, l, at, n.Name, execution, true); err != nil {
		return workflow.NotebookOutput{}, err
	}
	_, err := api.StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: &n.Name})
	// "Status (Stopping) not in ([InService])": somebody else is stopping it, or it is no longer running. It was
	// running when this execution decided, so it is still owed a start.
	if err != nil && !wrongStatus(err) {
		if !fault.Passing(err) { // it was not stopped
			err = errors.Join(err, restart.Stopping(ctx, l, at, n.Name, execution, false))
		}
		return workflow.NotebookOutput{}, fmt.Errorf("stopping notebook %s: %w", n.Name, err)
	}
	return workflow.NotebookOutput{Phase: workflow.PhaseStopped}, nil
}

// Start asks SageMaker to start a notebook that this execution stopped.
func Start(ctx context.Context, api starter, n workflow.Notebook) (workflow.NotebookOutput, error) {
	slog.InfoContext(ctx, "starting notebook", "notebook", n.Name)
	_, err := api.StartNotebookInstance(ctx, &sagemaker.StartNotebookInstanceInput{NotebookInstanceName: &n.Name})
	if err == nil {
		return workflow.NotebookOutput{Phase: workflow.PhaseStarted}, nil
	}
	// "Status (Pending) not in ([Stopped, Failed])": it is starting or running already; "Status (Updating)" or
	// "(Stopping)": not yet.
	if wrongStatus(err) && (strings.Contains(err.Error(), "Status (Pending)") || strings.Contains(err.Error(), "Status (InService)")) {
		return workflow.NotebookOutput{Phase: workflow.PhaseStarted}, nil
	}
	if wrongStatus(err) {
		return workflow.NotebookOutput{}, fault.New(fault.NotYet, "starting notebook %s: %v", n.Name, err)
	}
	return workflow.NotebookOutput{}, fmt.Errorf("starting notebook %s: %w", n.Name, err)
}

// wrongStatus recognises SageMaker's answer to a request that does not fit a notebook's state.
func wrongStatus(err error) bool {
	return fault.HasCode(err, "ValidationException") && strings.Contains(err.Error(), "Status (")
}
