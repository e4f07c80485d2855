package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// turn is one notebook's turn in [Attach]: the table in its comment, a method for each part. A method reports whether the turn is over, and with
// which outcome then stands in out.
type turn struct {
	book
	api     client
	in      workflow.AttachRoutesInput
	routed  routes
	stopped bool // this execution stopped the notebook
	exact   bool // what was added for the subnet becomes just what its table says
	partly  bool // some of the routes cannot be set
	edit    Edit
	told    string // the destinations, for people
	// name and state are the notebook's configuration and status, as last read. stale says to read them again.
	name, state string
	stale       bool

	out outcome
}

// serve is [Attach] without the debts and without what the notebook says.
func (b book) serve(ctx context.Context, api client, ec2api route.NetworkReader, in workflow.AttachRoutesInput) (outcome, error) {
	t := turn{book: b, api: api, in: in, routed: b.routed(ec2api), stopped: in.Phase == workflow.PhaseStopped, exact: in.Connection.ID == "",
		name: b.nb.LifecycleConfig, state: b.nb.Status, stale: !b.fresh, out: outcome{hop: workflow.Hop{Hop: hostRoute(b.nb), OK: true}}}
	for _, part := range []func(context.Context) (over bool, err error){t.needless, t.want, t.mergeUnread, t.readAgain, t.merge, t.attachOwn} {
		if over, err := part(ctx); err != nil {
			return outcome{}, err
		} else if over {
			break
		}
	}
	return t.out, nil
}

// end ends the turn with an answer.
func (t *turn) end(a workflow.Answer, detail string, args ...any) (over bool, err error) {
	if t.out.hop.Detail = fmt.Sprintf(detail, args...); t.stopped && a == Done {
		a = Start // whatever became of it, the notebook that we stopped is started again
	}
	t.out.answer = a
	return true, nil
}

// fail ends the turn for what a person must mend here, in words; what may pass, or is a matter of permissions, fails the step.
func (t *turn) fail(err error) (over bool, _ error) {
	if fault.Of(err) == fault.Conflict || t.stopped && !fault.Passing(err) {
		t.out.hop.OK = false
		t.say(Failed, err.Error())
		return t.end(Done, "%v", err)
	}
	return true, fmt.Errorf("injecting routes into notebook %s: %w", t.nb.Name, err)
}

// say is what the notebook is to say.
func (t *turn) say(status, reason string) { t.out.status, t.out.reason = status, reason }

// needless ends the turn of a notebook that is to have no routes.
func (t *turn) needless(ctx context.Context) (over bool, err error) {
	nb := t.nb
	switch {
	case nb.Inject.Allowed && nb.DirectInternet:
		return false, nil
	case nb.Inject.Allowed:
		return t.end(Done, "not needed: direct internet access is disabled, so all traffic leaves by the VPC")
	}
	if t.exact && nb.LifecycleConfig == NameFor(nb.Subnet) { // ours, and perhaps idle since it was allowed
		if _, err := Detach(ctx, t.api, nb.Name); err != nil {
			return true, err
		}
	}
	left := fmt.Sprintf("left out by policy %s%s", nb.Inject.Policy, nb.Unclear)
	if saysSomething(nb) { // else it never had any, and its owner knows
		t.say(LeftOut, left)
	}
	return t.end(Done, "%s", left)
}

// want finds the destinations. Where there are none, what was added before is taken back, and the turn ends.
func (t *turn) want(ctx context.Context) (over bool, err error) {
	needed, err := t.wants(ctx, TableOf(t.in.Connection, t.in.Routed, t.nb))
	if err != nil {
		return true, err
	}
	destinations, bad := Routable(t.nb.SubnetCIDR, needed)
	if t.partly = len(bad) > 0; t.partly {
		t.out.hop.OK = false
	}
	switch {
	case len(destinations) == 0 && t.partly:
		return t.end(Done, "%s", strings.Join(bad, "; "))
	case len(destinations) == 0:
		return t.wantNothing(ctx)
	}
	t.told = list(destinations)
	if t.partly {
		t.told += " (" + strings.Join(bad, "; ") + ")"
	}
	t.edit = Edit{Subnet: t.nb.SubnetCIDR, Mode: Add, Destinations: destinations}
	if t.exact {
		t.edit.Mode = Set
	}
	return false, nil
}

// wantNothing ends the turn of a notebook whose table leads nowhere.
func (t *turn) wantNothing(ctx context.Context) (over bool, err error) {
	var stay []netip.Prefix
	if t.exact && !t.stopped {
		if err := t.withdraw(ctx, t.api, func(ctx context.Context) (now []netip.Prefix, err error) {
			stay, err = t.routed(ctx)
			return stay, err
		}); err != nil {
			return t.fail(err)
		}
	}
	if len(stay) > 0 {
		return t.end(Done, "%s: its route was taken away and comes back, and what sets it stays until then", list(stay))
	}
	if t.exact && saysSomething(t.nb) {
		t.say(None, "the route table of its subnet leads to nothing that Drawbridge manages")
	}
	return t.end(Done, "not needed: the route table of %s has no route to a peering or gateway that Drawbridge manages", t.nb.Subnet)
}

// mergeUnread merges the routes into the configuration that the caller saw on the notebook moments ago. What a stale fact can do: none
// seen, one attached since – so the notebook is read again before one is attached; one seen, gone since – so it is read again if that is gone.
func (t *turn) mergeUnread(ctx context.Context) (over bool, err error) {
	if t.name == "" || t.stopped {
		return false, nil
	}
	err = t.once(ctx, t.api, t.routed, t.name, t.edit, nil)
	switch {
	case err == nil:
		t.out.set = true
		t.say(inConfiguration(t.nb, t.name))
		return t.end(Done, "%s in lifecycle configuration %s, effective at the next start", t.told, t.name)
	case !errors.Is(err, errGone):
		return t.fail(err)
	}
	t.stale = true
	return false, nil
}

// readAgain reads the configuration and the status of the notebook, where what the caller saw may be stale.
func (t *turn) readAgain(ctx context.Context) (over bool, err error) {
	if !t.stale {
		return false, nil
	}
	now, err := t.api.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &t.nb.Name})
	if fault.NoRecord(err) {
		t.stopped, t.out.gone = false, true
		return t.end(Done, "the notebook is gone")
	}
	if err != nil {
		return true, fmt.Errorf("injecting routes into notebook %s: reading it: %w", t.nb.Name, err)
	}
	t.name, t.state = aws.ToString(now.NotebookInstanceLifecycleConfigName), string(now.NotebookInstanceStatus)
	return false, nil
}

// merge merges the routes into the configuration that the notebook has.
func (t *turn) merge(ctx context.Context) (over bool, err error) {
	if t.name == "" {
		return false, nil
	}
	err = t.once(ctx, t.api, t.routed, t.name, t.edit, nil)
	if t.out.set = err == nil; t.out.set && !moving(t.state) {
		t.say(inConfiguration(t.nb, t.name))
	}
	switch {
	case errors.Is(err, errGone):
		err = fault.New(fault.NotYet, "lifecycle configuration %s is gone", t.name)
	case err == nil && (t.stopped || t.in.Phase == workflow.PhaseStarted) && moving(t.state):
		return t.end(Wait, "%s in lifecycle configuration %s; the notebook is %s", t.told, t.name, t.state)
	case err == nil:
		return t.end(Done, "%s in lifecycle configuration %s, effective at the next start", t.told, t.name)
	}
	return t.fail(err)
}

// attachOwn attaches the subnet's own configuration to a notebook that has none, or says what has to happen before.
func (t *turn) attachOwn(ctx context.Context) (over bool, err error) {
	switch types.NotebookInstanceStatus(t.state) {
	case types.NotebookInstanceStatusStopped:
		if err := t.attach(ctx, t.api, t.routed, t.edit); err != nil {
			return t.fail(err)
		}
		name := NameFor(t.nb.Subnet)
		t.out.set = true
		t.say(inConfiguration(t.nb, name))
		if t.stopped {
			return t.end(Wait, "%s in lifecycle configuration %s, being attached", t.told, name)
		}
		return t.end(Done, "%s in lifecycle configuration %s, attached; effective at the next start", t.told, name)
	case types.NotebookInstanceStatusInService, types.NotebookInstanceStatusPending:
		if !t.stopped {
			return t.running(ctx)
		}
		return t.end(Wait, "the notebook is %s", t.state)
	case types.NotebookInstanceStatusStopping, types.NotebookInstanceStatusUpdating:
		if !t.stopped {
			return true, fault.New(fault.NotYet, "injecting routes into notebook %s: it is %s", t.nb.Name, t.state)
		}
		return t.end(Wait, "the notebook is %s", t.state)
	}
	// Failed or Deleting: nothing can be attached, and nothing will connect.
	t.stopped, t.out.hop.OK, t.out.gone = false, false, types.NotebookInstanceStatus(t.state) == types.NotebookInstanceStatusDeleting
	return t.end(Done, "the notebook is %s, so nothing can be attached to it", t.state)
}

// running says what has to happen to a notebook that runs without a configuration: SageMaker attaches one to a stopped notebook only.
func (t *turn) running(ctx context.Context) (over bool, err error) {
	nb := t.nb
	restartable := nb.Restart.Allowed && t.state == string(types.NotebookInstanceStatusInService)
	owe := restartable && t.in.Phase == workflow.PhaseUntouched
	t.out.hop.OK = false
	if owe || t.in.Phase == workflow.PhaseStarted {
		// Whatever keeps a script from being made shows before anybody's notebook is stopped for it. Of one that was stopped and started
		// again, and still has none, it says what keeps it from being attached; if nothing does any more, the next stop will do.
		if err := t.once(ctx, t.api, t.routed, NameFor(nb.Subnet), t.edit, tagsFor(nb)); err != nil && owe {
			return t.fail(err)
		} else if err != nil {
			return t.fail(fmt.Errorf("it was started again without them: %w", err))
		}
	}
	t.say(AtNextStart, atNextStart(nb))
	switch {
	case owe:
		t.out.hop.OK, t.out.set, t.out.owes = !t.partly, true, true
		return t.end(Done, "%s in lifecycle configuration %s, for which the notebook is restarted, by policy %s", t.told, NameFor(nb.Subnet), nb.Restart.Policy)
	case restartable && t.in.Phase == workflow.PhaseOwed:
		return t.end(Stop, "routes to %s need a lifecycle configuration; the notebook may be restarted for it, by policy %s", t.told, nb.Restart.Policy)
	}
	return t.end(Done, "routes to %s need a lifecycle configuration, which SageMaker attaches to a stopped notebook only: stop it, or allow it with the tag %s=allowed%s", t.told, tag.Restart, nb.Unclear)
}
