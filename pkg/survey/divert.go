package survey

import (
	"context"
	"log/slog"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// diverts asks the policy which traffic may leave what the route tables of a VPC lead it to, for a narrower route to the other one. What no policy speaks of is
// not in the answer.
func (s Surveyor) diverts(ctx context.Context, g *SideFacts) workflow.Diverts {
	var out workflow.Diverts
	target := workflow.TargetOf(s.About.Connection)
	for _, t := range g.Here.Tables {
		table := policy.Table{ID: t.ID, VPC: g.Here.Entity()}
		if t.Divert != "" {
			table.Tags = map[string]string{tag.Divert: t.Divert}
		}
		about := s.About
		for _, about.Leaves = range route.Crossed(t, g.There.VPC.CIDRs, target) {
			d := s.Set.Divert(g.There.Entity(), table, about)
			slog.InfoContext(ctx, "deciding", "action", d.Action, "table", t.ID, "leaves", about.Leaves, "allowed", d.Allowed, "policy", d.Policy)
			if d.Policy == policy.DefaultDeny {
				continue
			}
			n := slices.IndexFunc(out, func(o workflow.Divert) bool {
				return o.Leaves == about.Leaves && o.Policy == d.Policy && o.Allowed == d.Allowed
			})
			if n < 0 {
				n, out = len(out), append(out, workflow.Divert{Leaves: about.Leaves, Policy: d.Policy, Allowed: d.Allowed})
			}
			out[n].Tables = append(out[n].Tables, t.ID)
		}
	}
	return out
}
