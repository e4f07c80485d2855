package connection

import (
	"context"
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Manage sees to it that a connection is managed, and that its entry says the addresses of its VPCs, and what the policy says of what somebody takes away,
// as they are now: leave is of [LeftIn]. old is its entry, and managed whether there is one.
func Manage(ctx context.Context, l ledger.Ledger, c workflow.Connection, kind string, origin ledger.Origin, old ledger.Connection, managed bool, leave []string) (ledger.Connection, error) {
	if !managed {
		entry := Entry(c, kind, origin)
		entry.Leave = leave
		return l.Begin(ctx, entry)
	}
	if current(old, c) && slices.Equal(old.Leave, leave) {
		return old, nil
	}
	return l.Change(ctx, c.ID, func(e *ledger.Connection) {
		e.Leave = leave
		if len(c.Requester.CIDRs) > 0 && len(c.Accepter.CIDRs) > 0 {
			now := sides(c)
			for n, s := range now {
				if at := slices.IndexFunc(e.Sides, func(o ledger.Side) bool { return o.Role == s.Role && o.Account == s.Account && o.ID == s.ID }); at >= 0 {
					now[n].Participants = e.Sides[at].Participants
				}
			}
			e.Sides = now
		}
	})
}

// LeftIn returns the accounts in which, as the policy wants it, what somebody takes away of a connection is left to them at once, sorted.
func LeftIn(set *policy.Set, requester, accepter policy.VPC, about policy.Context) []string {
	var out []string
	for _, side := range [][2]policy.VPC{{requester, accepter}, {accepter, requester}} {
		if d := set.Restore(side[0], side[1], about); !d.Allowed {
			out = append(out, side[0].Account.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// current reports whether an entry says all that is known of the connection's sides.
func current(e ledger.Connection, c workflow.Connection) bool {
	if len(c.Requester.CIDRs) == 0 || len(c.Accepter.CIDRs) == 0 {
		return true
	}
	return slices.EqualFunc(e.Sides, sides(c), func(a, b ledger.Side) bool {
		return a.Role == b.Role && a.Account == b.Account && a.Region == b.Region && a.ID == b.ID && slices.Equal(a.CIDRs, b.CIDRs)
	})
}

// at says a time as tags do.
func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Tags returns the status tags of a peering on one side: the status and its time as the entry says them, and what is said to that side.
func Tags(entry ledger.Connection, said string) []Tag {
	return Status(workflow.Result(entry.Status), said, at(entry.At))
}

// Note writes in the ledger how a connection stands, and returns its entry, which says since when. Of one that is not managed nothing
// is written; what is returned says now.
func Note(ctx context.Context, l ledger.Ledger, id string, result workflow.Result, reason string, more ...func(*ledger.Connection)) (ledger.Connection, error) {
	now := l.Now().UTC()
	entry, err := l.Change(ctx, id, func(e *ledger.Connection) {
		if e.Status != ledger.Status(result) || e.Reason != reason {
			e.Status, e.Reason, e.At = ledger.Status(result), reason, now
		}
		for _, f := range more {
			f(e)
		}
	})
	if entry.ID == "" {
		entry.Status, entry.Reason, entry.At = ledger.Status(result), reason, now
	}
	return entry, err
}
