package peering

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2Reader is what [Inspector] needs of EC2.
type EC2Reader interface {
	survey.EC2
	Describer
}

// Clients are the member-account clients that an inspection uses, for one account and Region.
type Clients struct {
	EC2       EC2Reader
	Databases database.APIs
	SageMaker survey.SageMaker
	Lambda    notebook.LambdaAPI
}

// Inspector answers what a peering needs next.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Clients
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Units says what the units of an account's path are called.
	Units func(ctx context.Context, path string) (string, error)
	// Policy returns the policy in force.
	Policy func(context.Context) (*policy.Set, error)
	// Ledger says which peerings are managed, and what was added for them.
	Ledger ledger.Ledger
	// Now is the clock.
	Now func() time.Time
	// Brake is asked before something is taken away.
	Brake brake.Asker
}

// fresh is how long after a request EC2 may not yet show the peering that its own event speaks of.
const fresh = time.Minute

// Inspect reads the event, the ledger, the peering and both of its VPCs, each in its own account and Region, asks the policy, and
// answers. In the members it changes nothing; in the ledger it writes that a peering is managed from now on, or not any more.
//
// A peering that is not managed and does not come to be is found: nothing is read of its VPCs, and nothing done.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectPeeringInput) (workflow.InspectPeeringOutput, error) {
	l := inspection{Inspector: i, in: in, out: begun(in)}
	e, err := event.Parse(in.Event)
	if err == nil && in.Looked.Accepted && in.Known.Requester == nil {
		l.in.Known, err = accepted(ctx, i.Ledger, e.PeeringID)
		l.out.Known = l.in.Known
	}
	if err != nil {
		return l.out, err
	}
	if !e.Time.IsZero() {
		l.out.Since = e.Time.UTC().Format(time.RFC3339)
	}
	if e.Kind != event.Peering {
		return l.end(ctx, Verdict{Answer: workflow.AnswerNothing, Reason: e.Stray()})
	}
	l.follows = e.Follows
	v, err := l.inspect(ctx, e)
	if why, unreadable := fault.Unread(err, in.Tried); unreadable && l.stands() {
		v, err = l.unread(why), nil
	}
	out := l.out
	if err == nil {
		out, err = l.end(ctx, v)
	}
	if errors.Is(err, notebook.ErrUnread) { // the next look knows more of them
		out.Answer, out.Reason, err = workflow.AnswerWait, err.Error(), nil
	}
	if out.Answer == workflow.AnswerWait {
		out.Pause, out.Looked.Waited = workflow.Pause(in.Looked.Waited), in.Looked.Waited+1
	}
	return out, err
}

// begun is an answer before anything is known.
func begun(in workflow.InspectPeeringInput) workflow.InspectPeeringOutput {
	return workflow.InspectPeeringOutput{Event: in.Event, Looked: in.Looked, Known: in.Known, Members: []string{}, Sides: []workflow.Side{}, Rows: []workflow.Rows{}, Notebooks: []workflow.Rows{},
		Found: []workflow.Hop{}, Tagged: []workflow.StatusResource{}, Absent: []workflow.Hop{}}
}

// inspection is one look at one peering.
type inspection struct {
	Inspector
	in  workflow.InspectPeeringInput
	out workflow.InspectPeeringOutput

	p       Peering
	shown   bool        // AWS shows it
	seen    event.Place // where p was read
	entry   ledger.Connection
	managed bool
	items   []ledger.Item // that the ledger has of it
	// accounts are the requester's and the accepter's.
	accounts  [2]workflow.AccountFacts
	request   bool              // the event is the record of its request, by its requester
	origin    ledger.Origin     // by which it comes to be managed with this look
	follows   string            // the execution whose look this one goes on from
	left      []string          // the accounts in which what somebody takes away is left to them
	overruled map[string]string // by the account whose owner keeps nothing out, the policy that forbids it

	weighed  bool            // approval is what the entry has to say
	approval ledger.Approval // what is approved of it; nothing if nobody has to approve it
}

// inspect answers what the peering needs next.
func (l *inspection) inspect(ctx context.Context, e event.Event) (Verdict, error) {
	var err error
	if l.entry, l.managed, err = l.Ledger.Connection(ctx, e.PeeringID); err != nil {
		return Verdict{}, err
	}
	l.left, l.overruled, l.out.Stands = l.entry.Leave, l.entry.Overruled, l.entry.Status == ledger.Status(workflow.Connected)
	var v Verdict
	if l.p, l.seen, v, err = l.find(ctx, l.in.Execution, e, l.entry); err != nil {
		return v, err
	}
	if l.shown = v.Answer == ""; !l.shown {
		if !l.managed {
			return v, nil
		}
		if l.entry.Status == "" && l.Now().Sub(l.entry.Since) < fresh { // AWS has not shown it to anybody
			return v, fault.New(fault.NotYet, "reading %s: %s, and it is managed since %s", e.PeeringID, v.Reason, l.entry.Since)
		}
		l.p = remembered(l.entry)
	}
	p := l.p
	requester, accepter, err := l.both(ctx, l.in.Known, p)
	if err != nil {
		return v, err
	}
	l.accounts = [2]workflow.AccountFacts{requester, accepter}
	l.out.Connection = workflow.Connection{ID: p.ID, Target: p.ID,
		Requester: workflow.VPC{Account: p.Requester.Account, Region: p.Requester.Region, ID: p.Requester.VPC},
		Accepter:  workflow.VPC{Account: p.Accepter.Account, Region: p.Accepter.Region, ID: p.Accepter.VPC}}
	if requester.Organization != "" {
		l.out.Members = append(l.out.Members, Requester)
	}
	if accepter.Organization != "" {
		l.out.Members = append(l.out.Members, Accepter)
	}
	l.request = e.Name == requests && e.Place == p.Requester.Place
	if l.managed || Over(p, l.shown) { // of what an execution is late with, there may be items without an entry
		if l.items, err = l.Ledger.Items(ctx, p.ID); err != nil {
			return v, err
		}
	}
	if v, settled, err := l.settled(ctx); settled || err != nil {
		return v, err
	}
	own, err := l.own(ctx)
	if err != nil {
		return v, err
	}
	if v, let := l.letGo(own); let {
		return v, nil
	}
	if err := cmp.Or(requester.Unreadable(), accepter.Unreadable()); err != nil && l.stands() {
		return v, err
	}
	if !l.managed && Asked(p, l.request) {
		l.origin = ledger.Requested
	}
	if !l.managed && l.origin == "" && (len(Asking(own)) == 0 || requester.Organization == "" || accepter.Organization == "") {
		return Found(p), l.Ledger.Cancel(ctx, p.ID, l.items)
	}
	return l.judge(ctx, requester, accepter, own)
}

// settled is [Settled], for a peering that is managed or whose request this is. Of any other, and of one that is over and of which the
// ledger has nothing, nothing is to be done.
func (l *inspection) settled(ctx context.Context) (Verdict, bool, error) {
	p := l.p
	v, settled := Settled(p)
	switch {
	case !settled:
		return v, false, nil
	case v.Answer == workflow.AnswerDisconnect && !l.managed && len(l.items) == 0:
		v.Answer, v.Reason = workflow.AnswerNothing, v.Reason+"; Drawbridge has nothing of it"
	case v.Answer == workflow.AnswerWait && !l.managed && !Asked(p, l.request):
		v = Found(p)
	case v.Answer == workflow.AnswerWait && !l.managed:
		l.origin = ledger.Requested
	case v.Answer == workflow.AnswerRefuse && !l.managed && !l.request:
		v.Answer, v.Reason = workflow.AnswerNothing, v.Reason+"; Drawbridge has nothing of it"
	case v.Answer == workflow.AnswerRefuse: // failed: nothing can come of it any more
		return v, true, l.Ledger.LetGo(ctx, p.ID)
	}
	return v, true, nil
}

// own returns the tags of the peering as the requester's and the accepter's account have them, as far as it matters what both say: for
// one that was there before this look. Else it is the tags where it was read.
func (l *inspection) own(ctx context.Context) (own [2]map[string]string, err error) {
	for n, end := range []End{l.p.Requester, l.p.Accepter} {
		role := []string{Requester, Accepter}[n]
		switch {
		case end.Place == l.seen:
			own[n] = l.p.Tags
		case slices.Contains(l.out.Members, role) && l.p.Status == "active" && (!l.managed && !l.request || l.entry.Status != ""):
			p, _, err := read(ctx, l.Enter(l.in.Execution, end.Place).EC2, l.p.ID)
			if errors.Is(err, fault.ErrClosed) {
				continue
			}
			if err != nil {
				return own, fmt.Errorf("in %s, %s: %w", end.Account, end.Region, err)
			}
			own[n] = p.Tags
		}
	}
	return own, nil
}

// letGo says what becomes of a peering one of whose owners wants Drawbridge to let go of it; it reports whether one does.
func (l *inspection) letGo(own [2]map[string]string) (Verdict, bool) {
	says := tag.Letting(own[0], own[1])
	if says == "" {
		return Verdict{}, false
	}
	reason := fmt.Sprintf("%s is tagged %s=%s", l.p.ID, tag.Manage, says)
	if !l.managed {
		return Verdict{Answer: workflow.AnswerNothing, Reason: reason}, true
	}
	if says == tag.Leave {
		l.out.Result = workflow.Released
	}
	l.out.Ended = true
	return Verdict{Answer: workflow.AnswerDisconnect, Reason: reason, Said: workflow.Alike(reason)}, true
}
