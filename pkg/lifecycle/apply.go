package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
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

// serve is [Attach] without the debts and without what the notebook says.
// Long, because it is the table in the comment of [Attach], a case after the other.
func (b book) serve(ctx context.Context, api client, ec2api route.NetworkReader, in workflow.AttachRoutesInput) (outcome, error) {
	nb, stopped, exact := b.nb, in.Phase == workflow.PhaseStopped, in.Connection.ID == ""
	routed := b.routed(ec2api)
	hop, set, gone := workflow.Hop{Hop: hostRoute(nb), OK: true}, false, false
	status, reason := "", ""
	answer := func(a workflow.Answer, detail string, args ...any) (outcome, error) {
		if hop.Detail = fmt.Sprintf(detail, args...); stopped && a == Done {
			a = Start // whatever became of it, the notebook that we stopped is started again
		}
		return outcome{answer: a, hop: hop, set: set, gone: gone, status: status, reason: reason}, nil
	}
	// failed ends what a person must mend here, in words; what may pass, or is a matter of permissions, fails the step.
	failed := func(err error) (outcome, error) {
		if fault.Of(err) == fault.Conflict || stopped && !fault.Passing(err) {
			hop.OK, status, reason = false, Failed, err.Error()
			return answer(Done, "%v", err)
		}
		return outcome{}, fmt.Errorf("injecting routes into notebook %s: %w", nb.Name, err)
	}
	switch {
	case !nb.Inject.Allowed:
		if exact && nb.LifecycleConfig == NameFor(nb.Subnet) { // ours, and perhaps idle since it was allowed
			if _, err := Detach(ctx, api, nb.Name); err != nil {
				return outcome{}, err
			}
		}
		left := fmt.Sprintf("left out by policy %s%s", nb.Inject.Policy, nb.Unclear)
		if saysSomething(nb) { // else it never had any, and its owner knows
			status, reason = LeftOut, left
		}
		return answer(Done, "%s", left)
	case !nb.DirectInternet:
		return answer(Done, "not needed: direct internet access is disabled, so all traffic leaves by the VPC")
	}
	needed, err := b.wants(ctx, TableOf(in.Connection, in.Routed, nb))
	if err != nil {
		return outcome{}, err
	}
	destinations, bad := Routable(nb.SubnetCIDR, needed)
	if len(bad) > 0 {
		hop.OK = false
	}
	if len(destinations) == 0 {
		if len(bad) > 0 {
			return answer(Done, "%s", strings.Join(bad, "; "))
		}
		var stay []netip.Prefix
		if exact && !stopped {
			if err := b.withdraw(ctx, api, func(ctx context.Context) (now []netip.Prefix, err error) {
				stay, err = routed(ctx)
				return stay, err
			}); err != nil {
				return failed(err)
			}
		}
		if len(stay) > 0 {
			return answer(Done, "%s: its route was taken away and comes back, and what sets it stays until then", list(stay))
		}
		if exact && saysSomething(nb) {
			status, reason = None, "the route table of its subnet leads to nothing that Drawbridge manages"
		}
		return answer(Done, "not needed: the route table of %s has no route to a peering or gateway that Drawbridge manages", nb.Subnet)
	}
	told := list(destinations)
	if len(bad) > 0 {
		told += " (" + strings.Join(bad, "; ") + ")"
	}
	edit := Edit{Subnet: nb.SubnetCIDR, Mode: Add, Destinations: destinations}
	if exact {
		edit.Mode = Set
	}

	// The caller read the notebook moments ago. What a stale fact can do: none seen, one attached since – so look
	// again before attaching; one seen, gone since – so look again if it is gone.
	name, state, again := nb.LifecycleConfig, nb.Status, !b.fresh
	if name != "" && !stopped {
		err := b.once(ctx, api, routed, name, edit, nil)
		if set = err == nil; set {
			status, reason = inConfiguration(nb, name)
			return answer(Done, "%s in lifecycle configuration %s, effective at the next start", told, name)
		}
		if !errors.Is(err, errGone) {
			return failed(err)
		}
		again = true
	}
	if again {
		now, err := api.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &nb.Name})
		if fault.NoRecord(err) {
			stopped, gone = false, true
			return answer(Done, "the notebook is gone")
		}
		if err != nil {
			return outcome{}, fmt.Errorf("injecting routes into notebook %s: reading it: %w", nb.Name, err)
		}
		name, state = aws.ToString(now.NotebookInstanceLifecycleConfigName), string(now.NotebookInstanceStatus)
	}

	if name != "" {
		err := b.once(ctx, api, routed, name, edit, nil)
		if set = err == nil; set && !moving(state) {
			status, reason = inConfiguration(nb, name)
		}
		switch {
		case errors.Is(err, errGone):
			err = fault.New(fault.NotYet, "lifecycle configuration %s is gone", name)
		case err == nil && (stopped || in.Phase == workflow.PhaseStarted) && moving(state):
			return answer(Wait, "%s in lifecycle configuration %s; the notebook is %s", told, name, state)
		case err == nil:
			return answer(Done, "%s in lifecycle configuration %s, effective at the next start", told, name)
		}
		return failed(err)
	}

	switch types.NotebookInstanceStatus(state) {
	case types.NotebookInstanceStatusStopped:
		if err := b.attach(ctx, api, routed, edit); err != nil {
			return failed(err)
		}
		set = true
		status, reason = inConfiguration(nb, NameFor(nb.Subnet))
		if stopped {
			return answer(Wait, "%s in lifecycle configuration %s, being attached", told, NameFor(nb.Subnet))
		}
		return answer(Done, "%s in lifecycle configuration %s, attached; effective at the next start", told, NameFor(nb.Subnet))
	case types.NotebookInstanceStatusInService, types.NotebookInstanceStatusPending:
		if stopped {
			return answer(Wait, "the notebook is %s", state)
		}
		hop.OK = false
		if in.Phase == workflow.PhaseStarted {
			// Stopped and started again, and still without a configuration: what kept it from being attached does so
			// still, and says why; if it does not any more, the next stop will do.
			if err := b.once(ctx, api, routed, NameFor(nb.Subnet), edit, tagsFor(nb)); err != nil {
				return failed(fmt.Errorf("it was started again without them: %w", err))
			}
		}
		status, reason = AtNextStart, atNextStart(nb)
		running := state == string(types.NotebookInstanceStatusInService)
		switch {
		case nb.Restart.Allowed && running && in.Phase == workflow.PhaseUntouched:
			// Whatever keeps a script from being made shows before anybody's notebook is stopped for it.
			if err := b.once(ctx, api, routed, NameFor(nb.Subnet), edit, tagsFor(nb)); err != nil {
				return failed(err)
			}
			hop.OK, hop.Detail = len(bad) == 0, fmt.Sprintf("%s in lifecycle configuration %s, for which the notebook is restarted, by policy %s", told, NameFor(nb.Subnet), nb.Restart.Policy)
			return outcome{answer: Done, hop: hop, set: true, owes: true, status: status, reason: reason}, nil
		case nb.Restart.Allowed && running && in.Phase == workflow.PhaseOwed:
			return answer(Stop, "routes to %s need a lifecycle configuration; the notebook may be restarted for it, by policy %s", told, nb.Restart.Policy)
		}
		return answer(Done, "routes to %s need a lifecycle configuration, which SageMaker attaches to a stopped notebook only: stop it, or allow it with the tag %s=allowed%s", told, tag.Restart, nb.Unclear)
	case types.NotebookInstanceStatusStopping, types.NotebookInstanceStatusUpdating:
		if stopped {
			return answer(Wait, "the notebook is %s", state)
		}
		return outcome{}, fault.New(fault.NotYet, "injecting routes into notebook %s: it is %s", nb.Name, state)
	}
	// Failed or Deleting: nothing can be attached, and nothing will connect.
	stopped, hop.OK, gone = false, false, types.NotebookInstanceStatus(state) == types.NotebookInstanceStatusDeleting
	return answer(Done, "the notebook is %s, so nothing can be attached to it", state)
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
