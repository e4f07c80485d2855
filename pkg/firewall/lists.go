package firewall

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
)

// readLists reads the prefix lists that may let wanted traffic through which lacks a rule otherwise, each once. One that cannot be read lets nothing
// through that anybody knows of, so that a rule is added beside it.
func (o *opening) readLists(ctx context.Context, wanted []Wanted, egress bool, together map[string][]string) error {
	for _, w := range Plan(o.connection, wanted, egress, o.listed(), together, o.items).Add {
		theirs, _ := near(w, egress, o.groups, together, o.items)
		for _, r := range theirs {
			if _, known := o.lists[r.Other]; known || !strings.HasPrefix(r.Other, "pl-") || r.To < w.Rule.From || w.Rule.To < r.From {
				continue
			}
			entries, err := route.ReadList(ctx, o.ec2api, r.Other)
			if err != nil && !fault.Single(err) {
				return fmt.Errorf("reading prefix list %s, which a rule of %s names: %w", r.Other, w.Group, err)
			}
			if o.lists == nil {
				o.lists = map[string][]netip.Prefix{}
			}
			o.lists[r.Other] = entries
		}
	}
	return nil
}

// listed returns the groups with a rule for each entry of the prefix lists that were read.
func (o *opening) listed() []Group {
	if len(o.lists) == 0 {
		return o.groups
	}
	out := slices.Clone(o.groups)
	for n := range out {
		out[n].Ingress, out[n].Egress = o.entries(out[n].Ingress), o.entries(out[n].Egress)
	}
	return out
}

func (o *opening) entries(rules []Rule) []Rule {
	var out []Rule
	for _, r := range rules {
		entries := o.lists[r.Other]
		if len(entries) == 0 {
			out = append(out, r)
		}
		for _, e := range entries {
			out = append(out, Rule{From: r.From, To: r.To, CIDR: e, Other: r.Other})
		}
	}
	return out
}
