package survey

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// noted returns those security groups of a side that the entry notes as kept out, and whose owner keeps them out now. Where none is noted nothing is read.
func (s Surveyor) noted(ctx context.Context, g *SideFacts) ([]string, error) {
	if len(g.Side.Noted) == 0 {
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
	for n, o := range g.Side.Openings {
		if firewall.KeptWhole(o.Groups, g.Side.Apart) {
			g.Side.Openings[n].Withheld = &workflow.Withheld{Owner: g.Side.VPC.Account, Detail: firewall.KeptOut(o.Groups), Remedy: firewall.KeptRemedy, Kept: true}
		}
	}
}

// had are those of kept security groups that a client or a database has.
func had(kept []string, clients []notebook.Client, openings []workflow.Opening) []string {
	return slices.DeleteFunc(slices.Clone(kept), func(id string) bool {
		return !slices.ContainsFunc(clients, func(c notebook.Client) bool { return slices.Contains(c.Groups, id) }) &&
			!slices.ContainsFunc(openings, func(o workflow.Opening) bool { return slices.Contains(o.Groups, id) })
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
