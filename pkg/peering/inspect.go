package peering

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
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
	// Policy returns the policy whose text is known or, if known is empty, the one in force; and its text.
	Policy func(ctx context.Context, known string) (*policy.Set, string, error)
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
		return l.end(ctx, Verdict{Answer: workflow.AnswerNothing, Reason: cmp.Or(e.Why, fmt.Sprintf("an event about a %s is not for this machine", e.Kind))})
	}
	v, err := l.inspect(ctx, e)
	if why, unreadable := fault.Unreadable(err); unreadable && l.stands() {
		v, err = l.unread(why), nil
	}
	if err != nil {
		return l.out, err
	}
	return l.end(ctx, v)
}

// begun is an answer before anything is known.
func begun(in workflow.InspectPeeringInput) workflow.InspectPeeringOutput {
	return workflow.InspectPeeringOutput{Event: in.Event, Looked: in.Looked, Known: in.Known, Members: []string{}, Sides: []workflow.Side{}, Rows: []int{}, Notebooks: []int{},
		Found: []workflow.Hop{}, Tagged: []workflow.Carrier{}, Absent: []workflow.Hop{}}
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
	accounts [2]workflow.AccountFacts
	request  bool          // the event is the record of its request, by its requester
	origin   ledger.Origin // by which it comes to be managed with this look
	left     []string      // the accounts in which what somebody takes away is left to them

	weighed  bool            // approval is what the entry has to say
	approval ledger.Approval // what is approved of it; nothing if nobody has to approve it
}

// inspect answers what the peering needs next.
func (l *inspection) inspect(ctx context.Context, e event.Event) (Verdict, error) {
	var err error
	if l.entry, l.managed, err = l.Ledger.Connection(ctx, e.PeeringID); err != nil {
		return Verdict{}, err
	}
	l.left = l.entry.Leave
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
	says := connection.Letting(own[0], own[1])
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

// judge reads both VPCs, asks the policy, and answers what a peering that is neither settled nor let go of needs next.
func (l *inspection) judge(ctx context.Context, requester, accepter workflow.AccountFacts, own [2]map[string]string) (Verdict, error) {
	i, in, p, out := l.Inspector, l.in, l.p, &l.out
	q := Question{Peering: p, RequesterMember: requester.Organization != "", AccepterMember: accepter.Organization != "",
		Stood: len(l.items) > 0 || connection.Stands(l.entry), Own: own}
	if !q.RequesterMember || !q.AccepterMember {
		return Judge(q), nil
	}
	var err error
	if q.Requester, q.Accepter, err = i.facts(ctx, in, p, requester, accepter); err != nil {
		return Verdict{}, err
	}
	out.Known = workflow.Known{Requester: q.Requester, Accepter: q.Accepter}
	out.Connection.Requester, out.Connection.Accepter = q.Requester.VPC, q.Accepter.VPC
	q.Participants = [2][]string{participant.In(l.entry, q.Requester.VPC), participant.In(l.entry, q.Accepter.VPC)}
	set, _, err := i.Policy(ctx, "")
	if err != nil {
		return Verdict{}, err
	}
	r, a, about := q.Requester.Entity(), q.Accepter.Entity(), policy.Context{Connection: p.ID}
	if !l.managed && l.origin == "" {
		if d := adopt(set, r, a, about, own); !d.Allowed {
			v := Found(p)
			v.Reason, v.Decision = fmt.Sprintf("%s is tagged %s=%s, and taking it over is refused by policy %s", p.ID, tag.Manage, tag.Take, d.Policy), d
			return v, nil
		}
		l.origin = ledger.Adopted
	}
	if NotebooksMatter(q.Requester.VPC, q.Accepter.VPC) {
		if q.Notebooks, err = i.surveyor(in.Execution, nil, policy.Context{}).HaveNotebooks(ctx, q.Requester.VPC, q.Accepter.VPC); err != nil {
			return Verdict{}, err
		}
	}
	q.Accept, q.Unclear = set.Answer(r, a, about), tag.Why(q.Accepter.Tags, tag.Accept)
	if p.Status == "pending-acceptance" && q.Accept.Allowed && q.Accept.Action == policy.Ask {
		// The approval is a tag of the accepter's account; what the requester's account wrote is not even read.
		own, found, err := read(ctx, i.Enter(in.Execution, p.Accepter.Place).EC2, p.ID)
		if err != nil {
			return Verdict{}, fmt.Errorf("in %s, %s: %w", p.Accepter.Account, p.Accepter.Region, err)
		}
		if found {
			p.Expires = own.Expires
			answer := own.Tags[tag.Approval]
			switch {
			case cover.Approves(answer, l.entry.Approval):
				about.Approval = tag.Approved
			case cover.Yes(answer):
				q.Unclear += "; " + old(answer)
			default:
				about.Approval = answer
			}
			q.Accept, q.Unclear = set.Answer(r, a, about), q.Unclear+tag.Why(own.Tags, tag.Approval)
		}
	}
	out.Reject = set.Reject(r, a, about)
	q.Routes = []policy.Decision{set.Route(r, a, about), set.Route(a, r, about)}
	l.left = connection.LeftIn(set, r, a, about)
	v := Judge(q)
	switch v.Answer {
	case workflow.AnswerAccept:
		v, err = l.accept(ctx, set, q, v)
	case workflow.AnswerConnect:
		v, err = l.connect(ctx, set, q, v)
	case workflow.AnswerAsk:
		if routed(q) && crossed(q) {
			sides, _, _, err := l.explored(ctx, in, set, q)
			if err != nil {
				return v, err
			}
			if blocked, is := Blocked(q, sides); is {
				return blocked, nil
			}
		}
		out.Expires = p.Expires
		if out.Sides, err = prospect(ctx, i.surveyor(in.Execution, set, policy.Context{Connection: p.ID}), q); err != nil {
			return v, err
		}
		shown := shows(out.Connection, out.Sides)
		out.Told, out.Reminded = told(l.entry, v, shown), reminded(l.entry, v, shown)
		if out.Told {
			shown = l.entry.Approval.Shown
		} else if err = l.name(ctx); err != nil {
			return v, err
		}
		out.Request = l.asks(own[0], cover.Answer(l.entry.Approval, shown))
	}
	return v, err
}

// name finds out what the units of both accounts are called, for whoever is asked.
func (l *inspection) name(ctx context.Context) error {
	for _, facts := range []**workflow.Facts{&l.out.Known.Requester, &l.out.Known.Accepter} {
		named := **facts
		var err error
		if named.Account.Units, err = l.Units(ctx, named.Account.OUPath); err != nil {
			return err
		}
		*facts = &named
	}
	return nil
}

// asks is who asks, and why, and by which answer the other's owner approves; own are the requester's tags of the peering.
func (l *inspection) asks(own map[string]string, answer string) workflow.Request {
	out := workflow.Request{By: l.entry.Asked, Why: cmp.Or(l.entry.Facts[whyOf], Reason(own)), Approve: answer}
	if out.By == "" && l.request {
		out.By = Asker(l.in.Event)
	}
	return out
}

// adopt asks whether one of the owners who ask may have the peering taken over: the first yes counts, else the last no.
func adopt(set *policy.Set, requester, accepter policy.VPC, about policy.Context, own [2]map[string]string) (d policy.Decision) {
	for _, role := range Asking(own) {
		asking, other, answers := requester, accepter, own[1]
		if role == Accepter {
			asking, other, answers = accepter, requester, own[0]
		}
		about.Approval = approval(answers)
		if d = set.Adopt(asking, other, about); d.Allowed {
			return d
		}
	}
	return d
}

// accept finds what comes after the acceptance, which is the first change, and whether something is in its way.
func (l *inspection) accept(ctx context.Context, set *policy.Set, q Question, v Verdict) (Verdict, error) {
	if !routed(q) {
		return v, nil
	}
	sides, batches, closed, err := l.explored(ctx, l.in, set, q)
	if err != nil {
		return v, err
	}
	if blocked, is := Blocked(q, sides); is {
		return blocked, nil
	}
	l.out.Known.Sides, l.out.Known.Batches, l.out.Known.Closed = sides, batches, closed
	return v, nil
}

// connect finds what is to be connected, or, before that, what of the connection has no use any more.
func (l *inspection) connect(ctx context.Context, set *policy.Set, q Question, v Verdict) (Verdict, error) {
	out := &l.out
	var closed []workflow.Hop
	var err error
	if out.Sides, out.Batches, closed, err = l.explored(ctx, l.in, set, q); err != nil {
		return v, err
	}
	out.Found = append(out.Found, closed...)
	if v, err = l.covered(ctx, set, q, v); err != nil || len(l.items) == 0 || l.in.Looked.Trimmed {
		return v, err
	}
	surveyed := out.Sides
	surplus := connection.Surplus(out.Connection, surveyed, l.items)
	if err := l.Brake.Ask(ctx, connection.Shutting(out.Connection.ID, surveyed, surplus, l.items)...); err != nil {
		return v, err
	}
	sides, notebooks, err := l.surveyor(l.in.Execution, nil, policy.Context{}).Trims(ctx, surveyed, surplus)
	if err != nil {
		return v, err
	}
	if len(sides) > 0 {
		out.Sides, out.Batches, out.Waits = sides, notebooks, workflow.Waiting{}
		v.Answer, v.Reason, v.Said = workflow.AnswerTrim, survey.Trimmed(sides), workflow.Said{}
	}
	return v, nil
}

// covered leaves out of what is to be connected what came after the approval, if the policy wants one, and says that it waits. If its owner
// was not asked about it, the answer is to ask. What nobody has to approve any more is not limited, and begins anew if that changes.
func (l *inspection) covered(ctx context.Context, set *policy.Set, q Question, v Verdict) (Verdict, error) {
	out := &l.out
	if l.weighed = true; free(q.Accept) {
		return v, nil
	}
	answer, c := q.Own[1][tag.Approval], out.Connection
	var late []string
	if l.approval, late = cover.Weigh(l.entry.Approval, answer, shows(c, out.Sides), true); len(late) == 0 {
		return v, nil
	}
	w := waiting(c, out.Sides, late)
	surveyed := out.Sides
	left := limited(surveyed, out.Batches, late)
	out.Sides, out.Batches, out.Found, v.Reason = left.sides, left.batches, append(out.Found, left.shut...), cmp.Or(left.nothing, v.Reason)
	if cover.Told(l.approval, late) {
		out.Waits.Said = waits(c, w, answer, l.approval.Shown, l.approval)
		return v, nil
	}
	if len(w.Reachable) > 0 { // what would become reachable with it
		var err error
		if surveyed, err = prospect(ctx, l.surveyor(l.in.Execution, set, policy.Context{Connection: l.p.ID}), q); err != nil {
			return v, err
		}
		if w = waiting(c, surveyed, late); len(w.Shown) == 0 { // it went meanwhile
			return v, nil
		}
	}
	if err := l.name(ctx); err != nil {
		return v, err
	}
	w.Said, w.Decision, w.Request = waits(c, w, answer, w.Shown, l.approval), q.Accept, l.asks(q.Own[0], cover.Answer(l.approval, w.Shown))
	w.Known = workflow.Known{Requester: Slim(out.Known.Requester), Accepter: Slim(out.Known.Accepter)}
	out.Waits, v.Answer = w, workflow.AnswerExtend
	return v, nil
}

// end gives the answer. What is managed from now on is written in the ledger before anything is done for it.
func (l *inspection) end(ctx context.Context, v Verdict) (workflow.InspectPeeringOutput, error) {
	out := &l.out
	switch v.Answer {
	case workflow.AnswerNothing:
		out.Result = workflow.Nothing
	case workflow.AnswerUnreadable:
		out.Result = workflow.Unreadable
	case workflow.AnswerDisconnect:
		if err := l.Brake.Ask(ctx, brake.Removal{ID: l.p.ID, Why: l.why(v), Cause: v.Reason, Stands: l.entry.Status != ledger.Status(workflow.Removed)}); err != nil {
			return *out, err
		}
		if err := l.leave(ctx); err != nil {
			return *out, err
		}
		if out.Result == workflow.Removed && l.entry.Status == ledger.Status(workflow.Removed) && len(out.Sides) == 0 && len(out.Tagged) == 0 && !out.Ended {
			v.Answer, out.Result = workflow.AnswerNothing, workflow.Nothing
			v.Reason += "; what is left of it is out of reach for now"
		}
	default:
		if l.managed || l.origin != "" {
			var err error
			now := connection.Entry(out.Connection, connection.Peering, l.origin)
			now.Leave, now.Policy = l.left, connection.Decided(v.Decision, policy.Accept, policy.Ask, policy.Adopt)
			if l.request {
				now.Asked = Asker(l.in.Event)
			}
			if l.entry, err = connection.Manage(ctx, l.Ledger, out.Connection, now, l.entry, l.managed); err != nil {
				return *out, err
			}
		}
		if err := l.keep(ctx); err != nil {
			return *out, err
		}
		if l.entry.ID != "" {
			if err := l.hear(ctx, l.in, l.entry.ID); err != nil {
				return *out, err
			}
		}
	}
	if err := l.write(ctx, v.Answer); err != nil {
		return *out, err
	}
	out.Answer, out.Reason, out.Said, out.Decision = v.Answer, v.Reason, v.Said, v.Decision
	if l.request && !l.in.Looked.Accepted && v.Answer != workflow.AnswerWait {
		workflow.Measure(ctx, workflow.Requests, 1)
	}
	slog.InfoContext(ctx, "inspected", "peering", out.Connection.ID, "answer", v.Answer, "reason", v.Reason, "policy", v.Decision.Policy)
	return *out, nil
}

// write keeps what was found for the steps, and what an acceptance was decided by for the look after it. With it, the connection may come back to a look
// that begins anew.
func (l *inspection) write(ctx context.Context, answer workflow.Answer) error {
	out := &l.out
	f := workflow.Findings{Answer: answer, Sides: out.Sides, Batches: out.Batches, Waits: out.Waits, Before: out.Found, Absent: out.Absent}
	switch answer {
	case workflow.AnswerAccept:
		f.Sides, f.Batches, f.Known = out.Known.Sides, out.Known.Batches, out.Known
	case workflow.AnswerAsk:
		f.Known = workflow.Known{Requester: Slim(out.Known.Requester), Accepter: Slim(out.Known.Accepter)}
	}
	if answer != workflow.AnswerWait { // for what was accepted
		out.Looked.Accepted = answer == workflow.AnswerAccept && out.Known.Requester != nil
	}
	var err error
	out.Rows, out.Notebooks, err = fact.Keep(ctx, l.Ledger, out.Connection.ID, f)
	return err
}

// keep writes what is approved into the entry, before anything is done by it.
func (l *inspection) keep(ctx context.Context) error {
	if !l.weighed || l.entry.ID == "" || reflect.DeepEqual(l.approval, l.entry.Approval) {
		return nil
	}
	var err error
	l.entry, err = l.Ledger.Change(ctx, l.entry.ID, func(e *ledger.Connection) {
		if l.approval.IsZero() {
			e.Approval = ledger.Approval{}
		}
		e.Approval.Covered = l.approval.Covered // another execution may have asked meanwhile
	})
	return err
}

// leave fills in what is to be taken back; of a peering that is let go of as it stands, only the status.
func (l *inspection) leave(ctx context.Context) error {
	out := &l.out
	if out.Result == workflow.Released {
		for _, s := range []struct {
			role string
			End
		}{{Requester, l.p.Requester}, {Accepter, l.p.Accepter}} {
			if slices.Contains(out.Members, s.role) && l.entry.Status != "" {
				out.Tagged = append(out.Tagged, workflow.Carrier{Account: s.Account, Region: s.Region, ID: l.p.ID, Tags: connection.StatusKeys()})
			}
		}
		return nil
	}
	undone := out.Ended
	out.Ended = undone || l.p.Status != "active"
	err := l.leftovers(ctx)
	if undone {
		out.Result = workflow.Removed
	}
	return err
}
