package survey

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// overruled asks the policy whether the owner of a side's things may keep them out of the connection, and returns the policy that forbids it; "" if none does.
func (s Surveyor) overruled(ctx context.Context, g *SideFacts) string {
	d := s.Set.Exclude(g.There.Entity(), g.Here.Entity(), s.About)
	slog.InfoContext(ctx, "deciding", "action", d.Action, "vpc", g.Here.VPC.ID, "account", g.Here.VPC.Account, "allowed", d.Allowed, "policy", d.Policy)
	if d.Allowed {
		return ""
	}
	return d.Policy
}

// part says of the subnets of a VPC which are kept out: those whose owner says so of themselves, or of their table. Where a policy forbids that, none is.
func (g *SideFacts) part() {
	var tagged []string
	for _, t := range g.Here.Tables {
		if t.Apart {
			tagged = append(tagged, t.ID)
		}
	}
	for n, one := range g.Subnets {
		if one.Apart {
			tagged = append(tagged, one.ID)
		}
		t, _ := route.Of(g.Here.Tables, one.ID)
		g.Subnets[n].Apart = (one.Apart || t.Apart) && g.Side.Overruled == ""
	}
	g.unheeded(tagged)
}

// kept returns those of a side's groups that their owner keeps out; none where a policy forbids that.
func (g *SideFacts) kept(groups []firewall.Group) []string {
	if g.Side.Overruled != "" {
		return nil
	}
	return firewall.Kept(groups, g.Side.VPC.Account)
}

// unheeded says where a policy forbids to keep things out that these are not, though they are tagged so.
func (g *SideFacts) unheeded(tagged []string) {
	if g.Side.Overruled == "" || len(tagged) == 0 {
		return
	}
	said := firewall.NotKept(tagged, g.Side.Overruled)
	g.Side.Unheeded = append(g.Side.Unheeded, said)
	g.Unclear = append(g.Unclear, workflow.Hop{Hop: workflow.ReachHop + firewall.Of(*g.Side), OK: true, Detail: said})
}

// noted returns those security groups of a side that the entry notes as kept out, and whose owner keeps them out now. Where none is noted nothing is read, nor where a policy forbids to keep things out.
func (s Surveyor) noted(ctx context.Context, g *SideFacts) ([]string, error) {
	if len(g.Side.Noted) == 0 || g.Side.Overruled != "" {
		return nil, nil
	}
	v := g.Side.VPC
	kept, err := firewall.ReadKept(ctx, s.Enter(v.Place()).EC2, g.Side.Noted)
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
	}
	return kept, nil
}

// bar withholds those databases of a side that have none but security groups that are known to be kept out. Who calls is read before: their paths fail.
func (g *SideFacts) bar() {
	for n, o := range g.Side.AllowedDatabases {
		if firewall.KeptWhole(o.Groups, g.Side.Apart) {
			g.Side.AllowedDatabases[n].Withheld = &workflow.Withheld{Owner: g.Side.VPC.Account, Detail: firewall.KeptOut(o.Groups), Remedy: firewall.KeptRemedy, Kept: true}
		}
	}
}

// had are those of kept security groups that a client or a database has.
func had(kept []string, clients []notebook.Client, openings []workflow.AllowedDatabase) []string {
	return slices.DeleteFunc(slices.Clone(kept), func(id string) bool {
		return !slices.ContainsFunc(clients, func(c notebook.Client) bool { return slices.Contains(c.Groups, id) }) &&
			!firewall.OfDatabase(id, openings)
	})
}

// batches returns notebook instances in batches that are alike in all else with one. Those that have none but kept security groups are left out, and say so.
func batches(one workflow.Batch, subnets []route.Subnet, instances []notebook.Instance, kept []string) []workflow.Batch {
	left := map[string][]notebook.Instance{}
	for _, n := range instances {
		why := ""
		if firewall.KeptWhole(n.Groups, kept) {
			why = firewall.KeptOut(n.Groups)
		}
		left[why] = append(left[why], n)
	}
	var out []workflow.Batch
	for _, why := range slices.Sorted(maps.Keys(left)) {
		one.Left = why
		out = append(out, notebook.Batches(one, subnets, left[why])...)
	}
	return out
}
