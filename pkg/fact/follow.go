package fact

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// follow returns the batches of a look that goes on where the look before ended, which did not come to all notebooks: what that one told of a batch stays told,
// and only what is left is to be served. Somebody else's look in between, an event, a changed policy, is no look to go on from.
//
//	the look before is another's, or answered something else   → all are served
//	it told nothing of a batch, or one of it is gone or new     → served
//	its subnet is to lead elsewhere, or does, or did not before → served
//	one of the batch failed, and this look comes to all         → served once more
//	else                                                        → kept
//
// So each notebook is served once, and once more at the end if it failed.
func follow(before, now workflow.Findings) []workflow.Batch {
	connects := now.Answer.Serves(workflow.AnswerConnect)
	if before.Execution != now.Follows || !connects || !before.Answer.Serves(now.Answer) || len(before.Injected) != len(before.Batches) {
		return now.Batches
	}
	here := map[place][]workflow.Batch{}
	for _, b := range now.Batches {
		here[at(b)] = append(here[at(b)], b)
	}
	var out []workflow.Batch
	for n, b := range before.Batches {
		told := before.Injected[n]
		some := here[at(b)]
		whole := told.Notebooks == len(b.Names) && len(told.Hosts) == len(b.Names)
		if len(some) == 0 || !whole || !now.Unread() && told.Served < told.Notebooks || !alike(b, some[0]) || !leadsAlike(before, now, b, some[0]) || !remain(b.Names, some) {
			continue
		}
		kept := some[0]
		kept.Names, kept.Kept = b.Names, &told
		out = append(out, kept)
		here[at(b)] = without(b.Names, here[at(b)])
	}
	for _, b := range now.Batches {
		left := here[at(b)]
		delete(here, at(b)) // those of one place are cut anew, once
		var names []string
		for _, one := range left {
			names = append(names, one.Names...)
		}
		out = append(out, workflow.Batches(b, names)...)
	}
	return out
}

// place is where the notebooks of a batch are, and why they are left out.
type place struct{ account, region, subnet, left string }

func at(b workflow.Batch) place { return place{b.Account, b.Region, b.Subnet, b.Left} }

// alike reports whether two batches of a place differ only in whom they name: the policy is asked the same.
func alike(a, b workflow.Batch) bool {
	return a.SubnetCIDR == b.SubnetCIDR && a.SubnetCIDRv6 == b.SubnetCIDRv6 && same(a.Here, b.Here) && same(a.There, b.There)
}

// same reports whether two things are the same row.
func same(a, b any) bool {
	one, err := json.Marshal(a)
	other, wrong := json.Marshal(b)
	return err == nil && wrong == nil && bytes.Equal(one, other)
}

// remain reports whether all of names are in batches, and none is seen there for the first time.
func remain(names []string, batches []workflow.Batch) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return !slices.ContainsFunc(batches, func(b workflow.Batch) bool { return slices.Contains(b.Names, name) && !slices.Contains(b.Fresh, name) })
	})
}

// without returns batches with all names but those.
func without(names []string, batches []workflow.Batch) []workflow.Batch {
	out := slices.Clone(batches)
	for n := range out {
		out[n].Names = slices.DeleteFunc(slices.Clone(out[n].Names), func(name string) bool { return slices.Contains(names, name) })
	}
	return out
}

// leadsAlike reports whether the route table of a batch's subnet is to lead to the same as in the look before, has come to, and still does.
func leadsAlike(before, now workflow.Findings, b, again workflow.Batch) bool {
	n, m := home(before.Sides, b)-1, home(now.Sides, again)-1
	if n < 0 || m < 0 || n >= len(before.Routed) {
		return false
	}
	old, side := before.Sides[n], now.Sides[m]
	if !slices.Equal(old.Peer.CIDRs, side.Peer.CIDRs) || !slices.Equal(old.Alternates, side.Alternates) || !slices.Equal(old.Aims, side.Aims) || !same(old.Diverts, side.Diverts) {
		return false
	}
	failed := slices.ContainsFunc(before.Routed[n].Hops, func(h workflow.Hop) bool { return !h.OK })
	return !failed && slices.Equal(ways(old, b.Subnet), ways(side, b.Subnet)) && slices.Equal(leads(before.Routed[n].Tables, b.Subnet, side.Peer.CIDRs), leads(side.Tables, b.Subnet, side.Peer.CIDRs))
}

// ways are where the table of a subnet has to lead.
func ways(s workflow.Side, subnet string) []netip.Prefix {
	var out []netip.Prefix
	for _, w := range s.Ways {
		if len(w.Subnets) == 0 || slices.Contains(w.Subnets, subnet) {
			out = append(out, w.To...)
		}
	}
	return sorted(out)
}

// leads are the routes to a peering or a gateway by which the table of a subnet leads to the peer's ranges.
func leads(tables []workflow.Table, subnet string, peer []netip.Prefix) []netip.Prefix {
	n := slices.IndexFunc(tables, func(t workflow.Table) bool { return slices.Contains(t.Subnets, subnet) })
	if n < 0 {
		n = slices.IndexFunc(tables, func(t workflow.Table) bool { return t.Main })
	}
	if n < 0 {
		return nil
	}
	var out []netip.Prefix
	for _, r := range tables[n].Routes {
		if road.Carries(r.Target) && !r.Blackhole && slices.ContainsFunc(peer, r.Destination.Overlaps) {
			out = append(out, r.Destination)
		}
	}
	return sorted(out)
}

func sorted(all []netip.Prefix) []netip.Prefix {
	slices.SortFunc(all, netip.Prefix.Compare)
	return slices.Compact(all)
}
