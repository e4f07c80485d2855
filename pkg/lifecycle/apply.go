package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// subnetTag says on a configuration that Drawbridge made which subnet it is for.
const subnetTag = "drawbridge:subnet"

// Answers of [Attach]: what has to happen before the notebook is done.
const (
	Done  = workflow.AnswerDone
	Stop  = workflow.AnswerStop  // stop the notebook, then inject again; only where restart is allowed
	Wait  = workflow.AnswerWait  // look again in a moment; only for a notebook that this execution stopped
	Start = workflow.AnswerStart // start the notebook that this execution stopped
)

type editor interface {
	DescribeNotebookInstanceLifecycleConfig(context.Context, *sagemaker.DescribeNotebookInstanceLifecycleConfigInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceLifecycleConfigOutput, error)
	CreateNotebookInstanceLifecycleConfig(context.Context, *sagemaker.CreateNotebookInstanceLifecycleConfigInput, ...func(*sagemaker.Options)) (*sagemaker.CreateNotebookInstanceLifecycleConfigOutput, error)
	UpdateNotebookInstanceLifecycleConfig(context.Context, *sagemaker.UpdateNotebookInstanceLifecycleConfigInput, ...func(*sagemaker.Options)) (*sagemaker.UpdateNotebookInstanceLifecycleConfigOutput, error)
}

// Injected is what [Attach] and [Inject] need of SageMaker.
type Injected interface{ client }

type client interface {
	detacher
	AddTags(context.Context, *sagemaker.AddTagsInput, ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error)
}

// Attach gives one notebook the host routes that it needs by the route table of its subnet.
//
//	routes=off, or direct internet access disabled, or no routes → done, nothing to do
//	a configuration attached, any status                         → merged; effective at the next start
//	none, Stopped                                                → the subnet's own is made and attached
//	none, running, restart not allowed                           → left alone, with a status tag
//	none, running, restart allowed                               → done, and it is owed a restart; stop, if this execution owes it one
//	none, between two states                                     → NotYet, or wait if this execution stopped it
//
// For one connection, destinations are added to the line of the subnet; other lines, and destinations that other
// executions added, stay. Without a connection (the Notebook machine, which has just read the whole route table) what was added for
// the subnet becomes exactly what the table says; when nothing is left, a configuration of ours is detached and deleted.
// With an owner's configuration that takes three calls: read, write, read. The last one is the proof.
//
// A notebook whose script cannot be edited is done: its hop says why, and what its owner can do. What fails otherwise fails the step, from where it can
// be redriven; among other notebooks it would stop those after it, so there the notebook is done, and is looked at by itself: that look fails.
//
// The debt of a restart is noted in debts, and repaid once the notebook was started again, or is done without.
func Attach(ctx context.Context, api client, ec2api route.NetworkReader, l ledger.Ledger, debts restart.Book, in workflow.AttachRoutesInput) (workflow.AttachRoutesOutput, error) {
	nb := in.Notebook
	at := event.Place{Account: nb.Account, Region: nb.Region}
	if in.Phase == workflow.PhaseStarted {
		if err := debts.Repay(ctx, at, nb.Name, in.Execution); err != nil {
			return workflow.AttachRoutesOutput{}, err
		}
	}
	book := book{Ledger: l, nb: nb, also: in.Connection, by: in.Execution}
	out, err := book.told(ctx, api, ec2api, in)
	switch {
	case err != nil:
	case out.owes:
		err = debts.Owe(ctx, at, Debt(nb, in.Connection.ID))
	case out.answer == Done && in.Phase == workflow.PhaseOwed:
		err = debts.Repay(ctx, at, nb.Name, in.Execution)
	}
	if err != nil && nb.Others > 0 && fault.Of(err) != fault.Held {
		out, err = alone(ctx, debts, nb, err)
	}
	if err != nil {
		return workflow.AttachRoutesOutput{}, err
	}
	return workflow.AttachRoutesOutput{Answer: out.answer, Hops: []workflow.Hop{out.hop}}, nil
}

// alone asks for a look at one of several notebooks, for which err happened.
func alone(ctx context.Context, debts restart.Book, nb workflow.Notebook, err error) (outcome, error) {
	look := event.NotebookInspection{Account: nb.Account, Region: nb.Region, Notebook: nb.Name, Reason: "it failed among others"}
	if failed := debts.Ask(ctx, look); failed != nil {
		return outcome{}, errors.Join(err, failed)
	}
	slog.InfoContext(ctx, "failed, and is looked at by itself", "notebook", nb.Name, "error", err)
	return outcome{answer: Done, hop: workflow.Hop{Hop: hostRoute(nb), Detail: fmt.Sprintf("%v; a look at this notebook is asked for", err)}}, nil
}

// hostRoute is what the hop of a notebook is called.
func hostRoute(nb workflow.Notebook) string { return "host route on " + nb.Name }

// Debt is the restart that a notebook is owed for a connection, or for what its table reaches.
func Debt(nb workflow.Notebook, connection string) ledger.Debt {
	return ledger.Debt{Account: nb.Account, Region: nb.Region, Notebook: nb.Name, For: connection, AtOnce: nb.Restart.AtOnce}
}

// outcome is what became of one notebook.
type outcome struct {
	answer workflow.Answer
	hop    workflow.Hop
	set    bool // its script sets the host routes, now or at its next start
	gone   bool // it is not there any more, or never will be
	owes   bool // it is owed a restart
	// status and reason are what the notebook is to say; nothing if that stays as it is.
	status, reason string
}

// told is [Attach] without the debts: it serves the notebook, and leaves on it what became of that. What a person has to mend is told there too; what may pass is not.
func (b book) told(ctx context.Context, api client, ec2api route.NetworkReader, in workflow.AttachRoutesInput) (outcome, error) {
	out, err := b.serve(ctx, api, ec2api, in)
	status, reason := out.status, out.reason
	switch {
	case err != nil && fault.Passing(err) && !fault.Last(err, in.Tried): // it is tried again
		return out, err
	case err != nil:
		status, reason = Failed, err.Error()
	case !out.hop.OK && !out.gone && status != AtNextStart: // of some routes, perhaps
		status, reason = Failed, out.hop.Detail
	}
	if failed := tell(ctx, api, b.nb, status, reason, b.Now()); failed != nil && err == nil {
		return outcome{}, fmt.Errorf("injecting routes into notebook %s: %w", b.nb.Name, failed)
	}
	return out, err
}

// NameFor is the name of the lifecycle configuration that Drawbridge makes for the notebooks of a subnet.
func NameFor(subnet string) string { return "drawbridge-" + subnet }

// moving reports whether a notebook is between two states.
func moving(status string) bool {
	s := types.NotebookInstanceStatus(status)
	return s == types.NotebookInstanceStatusStopping || s == types.NotebookInstanceStatusUpdating || s == types.NotebookInstanceStatusPending
}

// attach makes the subnet's own configuration, or reuses it, and attaches it to a stopped notebook.
func (b book) attach(ctx context.Context, api client, routed routes, edit Edit) error {
	nb, name := b.nb, NameFor(b.nb.Subnet)
	if err := b.once(ctx, api, routed, name, edit, tagsFor(nb)); err != nil {
		return err
	}
	slog.InfoContext(ctx, "attaching lifecycle configuration", "notebook", nb.Name, "configuration", name)
	_, err := api.UpdateNotebookInstance(ctx, &sagemaker.UpdateNotebookInstanceInput{NotebookInstanceName: &nb.Name, LifecycleConfigName: &name})
	// "Status (InService) not in ([Stopped, Failed])": somebody started it meanwhile; the next look decides anew.
	if err != nil && fault.HasCode(err, "ValidationException") && strings.Contains(err.Error(), "Status (") {
		return fault.New(fault.NotYet, "attaching lifecycle configuration %s: %v", name, err)
	}
	if err != nil {
		return fmt.Errorf("attaching lifecycle configuration %s: %w", name, err)
	}
	return nil
}

// tagsFor are the tags of the configuration that Drawbridge makes for a notebook's subnet.
func tagsFor(nb workflow.Notebook) []types.Tag {
	return []types.Tag{{Key: aws.String(subnetTag), Value: &nb.Subnet}}
}
