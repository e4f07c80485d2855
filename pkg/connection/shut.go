package connection

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Trimmer finds what of a connection that stays has no use any more.
type Trimmer struct {
	Ledger ledger.Ledger
	// Brake is asked before something is taken away.
	Brake brake.Asker
	// Gather returns the sides of which a trim says that something goes, with the notebooks there that may have host routes to it.
	Gather func(ctx context.Context, surveyed []workflow.Side, trims []*workflow.Trim) ([]workflow.Side, []workflow.Batch, error)
	// Execution is who asks, and Trimmed whether it has trimmed the connection already: what it finds then is left to the next look.
	Execution string
	Trimmed   bool
}

// Trim returns the sides of which something has no use any more, with the notebooks there that may have host routes to it: none if all that the
// ledger has is of use.
func (t Trimmer) Trim(ctx context.Context, c workflow.Connection, surveyed []workflow.Side, items []ledger.Item) ([]workflow.Side, []workflow.Batch, error) {
	if t.Trimmed {
		return nil, nil, later(ctx, t.Ledger, c.ID, t.Execution, surveyed, items)
	}
	if len(items) == 0 {
		return nil, nil, nil
	}
	surplus := Surplus(c, surveyed, items)
	if err := t.Brake.Ask(ctx, Shutting(c.ID, surveyed, surplus, items)...); err != nil {
		return nil, nil, err
	}
	return t.Gather(ctx, surveyed, surplus)
}

// Shutting returns what is shut by a trim of a connection that stays, for the brake: a removal for each database that is still there, that the policy, or a
// tag that was lost, does not open any more, and to which a rule of the connection is to go. A rule to a database that was deleted goes because its owner ended that, and
// one in whose place another serves shuts nothing.
func Shutting(id string, surveyed []workflow.Side, trims []*workflow.Trim, items []ledger.Item) []brake.Removal {
	var out []brake.Removal
	for _, s := range surveyed {
		var going []string
		for _, t := range trims { // of sides in one place, the first has the rules of all
			if t != nil {
				going = append(going, t.Rules...)
			}
		}
		for _, d := range s.Unseen.Shut {
			at := slices.IndexFunc(firewall.Ours(id, items), func(r firewall.Tagged) bool {
				peer := r.Rule.Other != "" || slices.ContainsFunc(s.Peer.CIDRs, r.Rule.CIDR.Overlaps)
				return slices.Contains(going, r.ID) && !r.Egress && !r.Spare && slices.Contains(d.Groups, r.Group) && r.Rule.From == d.Port && peer
			})
			if at >= 0 {
				out = append(out, brake.Removal{ID: fmt.Sprintf("%s %s", id, d.Database), Why: brake.Forbidden, Stands: true,
					Cause: fmt.Sprintf("%s is not opened any more to %s of account %s", d.Database, s.Peer.ID, s.Peer.Account)})
			}
		}
	}
	return out
}

// later asks for the next look at a connection of which this execution has taken away what had no use any more, before it knew of a security group that is kept
// out: what is in that goes then.
func later(ctx context.Context, l ledger.Ledger, id, execution string, surveyed []workflow.Side, items []ledger.Item) error {
	for _, r := range firewall.Ours(id, items) {
		if r.ID != "" && slices.ContainsFunc(surveyed, func(s workflow.Side) bool { return slices.Contains(s.Apart, r.Group) }) {
			return l.LookAgain(ctx, id, execution)
		}
	}
	return nil
}
