package connection

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Manage sees to it that a connection is managed, and that its entry says the addresses of its VPCs, the policy that decided, and what the policy says of
// what somebody takes away, as they are now. now is the entry as it would begin, see [Entry]: its Leave is of [LeftIn], its Overruled of [OverruledIn], and without a Policy none decided
// now. old is the entry that is there, and managed whether there is one.
func Manage(ctx context.Context, l ledger.Ledger, c workflow.Connection, now, old ledger.Connection, managed bool) (ledger.Connection, error) {
	if !managed {
		return l.Begin(ctx, now)
	}
	if current(old, c) && slices.Equal(old.Leave, now.Leave) && maps.Equal(old.Overruled, now.Overruled) && (now.Policy == "" || now.Policy == old.Policy) {
		return old, nil
	}
	return l.Change(ctx, c.ID, func(e *ledger.Connection) {
		e.Leave, e.Overruled = now.Leave, now.Overruled
		e.Policy = cmp.Or(now.Policy, e.Policy)
		if len(c.Requester.CIDRs) > 0 && len(c.Accepter.CIDRs) > 0 {
			sides := sides(c)
			for n, s := range sides {
				if at := slices.IndexFunc(e.Sides, func(o ledger.Side) bool { return o.Role == s.Role && o.Account == s.Account && o.ID == s.ID }); at >= 0 {
					sides[n].Participants, sides[n].Apart = e.Sides[at].Participants, e.Sides[at].Apart
				}
			}
			e.Sides = sides
		}
	})
}

// Decided returns the policy that decided that a connection may be, by one of these actions; "" if none of them did.
func Decided(d policy.Decision, by ...policy.Action) string {
	if d.Allowed && slices.Contains(by, d.Action) {
		return d.Policy
	}
	return ""
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

// OverruledIn returns, by the account whose owner keeps nothing out of a connection with these sides, the policy that forbids it; of an account with several sides
// one that does.
func OverruledIn(sides []workflow.Side) map[string]string {
	out := map[string]string{}
	for _, s := range sides {
		if s.Overruled != "" {
			out[s.VPC.Account] = s.Overruled
		}
	}
	return out
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
func Tags(entry ledger.Connection, said string) []tag.Pair {
	return tag.Standing(string(entry.Status), said, entry.At)
}

// Note writes in the ledger how a connection stands, and returns its entry, which says since when. Of one that is not managed nothing
// is written; what is returned says now.
func Note(ctx context.Context, l ledger.Ledger, id string, result workflow.Result, reason string, more ...func(*ledger.Connection)) (ledger.Connection, error) {
	now := l.Now().UTC()
	entry, err := l.Change(ctx, id, func(e *ledger.Connection) {
		e.Stand(ledger.Status(result), reason, e.Policy, now)
		for _, f := range more {
			f(e)
		}
	})
	if entry.ID == "" {
		entry.Status, entry.Reason, entry.At = ledger.Status(result), reason, now
	}
	return entry, err
}
