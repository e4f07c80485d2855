package notice

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// maxEntry is how many bytes an entry of PutEvents has room for: where AWS has not raised it, 256 KB, less what stands beside
// the detail.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
// https://docs.amazonaws.cn/eventbridge/latest/userguide/eb-putevent-size.html
const maxEntry = 262_144 - 1024

// maxMessage is how many bytes a notification has room for, less its attributes.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const maxMessage = 262_144 - 1024

// detail writes an event so that it fits: what there is no room for is left out, and counted. That something happened is said
// in any case.
func detail(e Event, room int) ([]byte, error) {
	for keep := 1 << 12; ; keep /= 2 {
		b, err := json.Marshal(e)
		if err != nil {
			return nil, fault.New(fault.Invalid, "writing the event %s: %v", e.kind(), err)
		}
		if len(b) <= room || keep == 0 {
			return b, nil
		}
		e = e.within(keep)
	}
}

// text is how many bytes of a sentence are kept where lists keep n.
func text(s string, n int) string { return fit.Bytes(s, n*16) }

// some keeps the first n of a list.
func some[T any](all []T, n int) []T { return all[:min(n, len(all))] }

// hops keeps the first n hops, each short, and counts the others.
func hops(all []workflow.Hop, n int) []workflow.Hop {
	out := []workflow.Hop{}
	for _, h := range some(all, n) {
		out = append(out, workflow.Hop{Hop: fit.Bytes(h.Hop, 200), OK: h.OK, Detail: fit.Bytes(h.Detail, 1000)})
	}
	if len(all) > n {
		out = append(out, workflow.Hop{Hop: "and more", OK: true, Detail: fmt.Sprintf("%d lines that have no room here", len(all)-n)})
	}
	return out
}

func (h Head) within(n int) Head {
	h.Reason = text(h.Reason, n)
	h.Connection.Requester.CIDRs, h.Connection.Accepter.CIDRs = some(h.Connection.Requester.CIDRs, n), some(h.Connection.Accepter.CIDRs, n)
	return h
}

func (t Thing) within(n int) Thing {
	t.For, t.Reason = some(t.For, n), text(t.Reason, n)
	return t
}

func (e Connected) within(n int) Event { return Connected{e.Head.within(n), hops(e.Missing, n)} }
func (e Removed) within(n int) Event   { return Removed{e.Head.within(n), hops(e.Hops, n)} }
func (e Granted) within(n int) Event   { return Granted{e.Thing.within(n), hops(e.Missing, n)} }
func (e Pending) within(n int) Event   { return Pending{e.Thing.within(n), hops(e.Missing, n)} }
func (e Withdrawn) within(n int) Event { return Withdrawn{e.Thing.within(n), hops(e.Hops, n)} }

func (e Approval) within(n int) Event {
	e.Head, e.Reachable, e.Decision.Reason = e.Head.within(n), slices.Clone(some(e.Reachable, n)), text(e.Decision.Reason, n)
	for i, r := range e.Reachable {
		e.Reachable[i].Also = some(r.Also, n)
	}
	return e
}

func (e Refused) within(n int) Event {
	e.Head, e.Decision.Reason = e.Head.within(n), text(e.Decision.Reason, n)
	e.Said = workflow.Said{Requester: text(e.Said.Requester, n), Accepter: text(e.Said.Accepter, n)}
	return e
}

func (e Barred) within(n int) Event {
	e.Thing, e.Decision.Reason = e.Thing.within(n), text(e.Decision.Reason, n)
	return e
}

func (u Unclear) within(n int) Event {
	u.Problems = slices.Clone(some(u.Problems, n))
	for i, p := range u.Problems {
		u.Problems[i].Value, u.Problems[i].Why = text(p.Value, n), text(p.Why, n)
	}
	return u
}

func (a Attention) within(n int) Event {
	a.What, a.Why, a.Remedy, a.Command = text(a.What, n), text(a.Why, n), text(a.Remedy, n), text(a.Command, n)
	return a
}
