package peering

import (
	"context"
	"log/slog"
	"reflect"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

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
			now := connection.Entry(out.Connection, road.Peering, l.origin)
			now.Leave, now.Overruled, now.Policy = l.left, l.overruled, connection.Decided(v.Decision, policy.Accept, policy.Ask, policy.Adopt)
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
	f := workflow.Findings{Answer: answer, Execution: l.in.Execution, Follows: l.follows, Sides: out.Sides, Batches: out.Batches, Waits: out.Waits, Before: out.Found, Absent: out.Absent}
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

// leave fills in what is to be taken back; of a peering that is let go of as it stands, only the status, and the notebooks whose host routes are their owners' now.
func (l *inspection) leave(ctx context.Context) error {
	out := &l.out
	if out.Result == workflow.Released {
		for _, s := range []struct {
			role string
			End
		}{{Requester, l.p.Requester}, {Accepter, l.p.Accepter}} {
			if slices.Contains(out.Members, s.role) && l.entry.Status != "" {
				out.Tagged = append(out.Tagged, workflow.StatusResource{Account: s.Account, Region: s.Region, ID: l.p.ID, Tags: tag.StatusKeys()})
			}
		}
		var err error
		out.Batches, out.Absent, err = l.surveyor(l.in.Execution, nil, policy.Context{}).Standing(ctx, l.entry, [2]workflow.VPC{out.Connection.Requester, out.Connection.Accepter})
		return err
	}
	undone := out.Ended
	out.Ended = undone || l.p.Status != "active"
	err := l.leftovers(ctx)
	if undone {
		out.Result = workflow.Removed
	}
	return err
}
