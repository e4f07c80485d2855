package peering

import (
	"cmp"
	"context"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// judge reads both VPCs, asks the policy, and answers what a peering that is neither settled nor let go of needs next.
func (l *inspection) judge(ctx context.Context, requester, accepter workflow.AccountFacts, own [2]map[string]string) (Verdict, error) {
	i, in, p, out := l.Inspector, l.in, l.p, &l.out
	q := Question{Peering: p, RequesterMember: requester.Organization != "", AccepterMember: accepter.Organization != "",
		Stood: len(l.items) > 0 || connection.Stands(l.entry), Own: own, Entry: l.entry}
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
	set, err := i.Policy(ctx)
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
		if about.Approval, err = l.answered(ctx, &q); err != nil {
			return Verdict{}, err
		}
		q.Accept = set.Answer(r, a, about)
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
		v, err = l.ask(ctx, set, q, v)
	}
	return v, err
}

// answered reads what the accepter's owner says of the request, in words that the policy knows: the approval is a tag of the accepter's account; what the
// requester's account wrote is not even read.
func (l *inspection) answered(ctx context.Context, q *Question) (means string, err error) {
	own, found, err := read(ctx, l.Enter(l.in.Execution, l.p.Accepter.Place).EC2, l.p.ID)
	if err != nil {
		return "", fmt.Errorf("in %s, %s: %w", l.p.Accepter.Account, l.p.Accepter.Region, err)
	}
	if !found {
		return "", nil
	}
	l.p.Expires = own.Expires
	answer := own.Tags[tag.Approval]
	switch {
	case cover.Approves(answer, l.entry.Approval):
		means = tag.Approved
	case cover.Yes(answer):
		q.Unclear += "; " + old(answer)
	default:
		means = answer
	}
	q.Unclear += tag.Why(own.Tags, tag.Approval)
	return means, nil
}

// ask finds what the accepter's owner is asked about, and whether something is in the way of all of it.
func (l *inspection) ask(ctx context.Context, set *policy.Set, q Question, v Verdict) (Verdict, error) {
	out := &l.out
	if routed(q) && crossed(q) {
		sides, _, _, err := l.explored(ctx, l.in, set, q)
		if err != nil {
			return v, err
		}
		if blocked, is := Blocked(q, sides); is {
			return blocked, nil
		}
	}
	out.Expires = l.p.Expires
	var err error
	if out.Sides, err = prospect(ctx, l.surveyor(l.in.Execution, set, policy.Context{Connection: l.p.ID}), q); err != nil {
		return v, err
	}
	shown := shows(out.Connection, out.Sides)
	out.Told, out.Reminded = told(l.entry, v, shown), reminded(l.entry, v, shown)
	if out.Told {
		shown = l.entry.Approval.Shown
	} else if err = l.name(ctx); err != nil {
		return v, err
	}
	out.Request = l.asks(q.Own[0], cover.Answer(l.entry.Approval, shown))
	return v, nil
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
	l.overruled = connection.OverruledIn(sides)
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
	l.overruled = connection.OverruledIn(out.Sides)
	if v, err = l.covered(ctx, set, q, v); err != nil || survey.Unread(out.Sides) {
		return v, err
	}
	trimmer := connection.Trimmer{Ledger: l.Ledger, Brake: l.Brake, Execution: l.in.Execution, Trimmed: l.in.Looked.Trimmed,
		Gather: l.surveyor(l.in.Execution, nil, policy.Context{}).Trims}
	sides, notebooks, err := trimmer.Trim(ctx, out.Connection, out.Sides, l.items)
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
