package discover

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// fewLists is how many prefix lists of a VPC are read; others are not known.
const fewLists = 20

// lists reads prefix lists of one place, each once.
type lists struct {
	api  EC2
	read map[string]*[]netip.Prefix // nil if it cannot be read
}

// entries returns the entries of a list, and whether they could be read.
func (l *lists) entries(ctx context.Context, id string) ([]netip.Prefix, bool, error) {
	if l.read == nil {
		l.read = map[string]*[]netip.Prefix{}
	}
	found, known := l.read[id]
	if !known && len(l.read) < fewLists {
		entries, err := route.ReadList(ctx, l.api, id)
		if err == nil {
			found = &entries
		} else if !unreadable(err) && !fault.Single(err) {
			return nil, false, fmt.Errorf("reading prefix list %s: %w", id, err)
		}
		l.read[id] = found
	}
	if found == nil {
		return nil, false, nil
	}
	return *found, true, nil
}

// expand returns tables with the entries of the prefix lists of those that subnets use. A list that cannot be read stays a list.
func (l *lists) expand(ctx context.Context, tables []workflow.Table, subnets []string) ([]workflow.Table, error) {
	out := slices.Clone(tables)
	for n, t := range out {
		if !slices.ContainsFunc(subnets, func(s string) bool { of, _ := route.Of(tables, s); return of.ID == t.ID }) {
			continue
		}
		out[n].Routes, out[n].Lists = slices.Clone(t.Routes), nil
		for _, list := range t.Lists {
			entries, ok, err := l.entries(ctx, list.ID)
			if err != nil {
				return nil, err
			}
			if !ok {
				out[n].Lists = append(out[n].Lists, list)
			}
			for _, e := range entries {
				out[n].Routes = append(out[n].Routes, workflow.Route{Destination: e, Target: list.Target, Blackhole: list.Blackhole, List: list.ID})
			}
		}
	}
	return out, nil
}

// admit puts in the place of each rule that names a prefix list one for each of its entries. One whose entries cannot be read stays.
func (l *lists) admit(ctx context.Context, groups []network.Group) error {
	expand := func(rules []network.Rule) ([]network.Rule, error) {
		var out []network.Rule
		for _, r := range rules {
			if r.List == "" {
				out = append(out, r)
				continue
			}
			entries, ok, err := l.entries(ctx, r.List)
			if err != nil {
				return nil, err
			}
			if !ok {
				out = append(out, r)
			}
			for _, e := range entries {
				out = append(out, network.Rule{Ports: r.Ports, CIDR: e, List: r.List})
			}
		}
		return out, nil
	}
	for n := range groups {
		var err error
		if groups[n].Ingress, err = expand(groups[n].Ingress); err != nil {
			return err
		}
		if groups[n].Egress, err = expand(groups[n].Egress); err != nil {
			return err
		}
	}
	return nil
}
