package route

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Model returns tables as package network judges them. The lists of tables that [Expand] did not see are unread.
func Model(tables []Table) []network.Table {
	var out []network.Table
	for _, t := range tables {
		one := network.Table{ID: t.ID, Main: t.Main, Subnets: t.Subnets}
		for _, r := range t.Routes {
			one.Routes = append(one.Routes, network.Route{Destination: r.Destination, Target: r.Target, Blackhole: r.Blackhole, Propagated: r.Propagated, List: r.List})
		}
		for _, l := range t.Lists {
			if !slices.ContainsFunc(t.Routes, func(r Route) bool { return r.List == l.ID }) {
				one.Unread = append(one.Unread, network.List(l))
			}
		}
		out = append(out, one)
	}
	return out
}

// Concerned returns tables without the routes that are narrower than one of destinations and lead none of goals, which are all that is to be
// reached there; without goals that is not known, and all routes stay. Such a route is nobody's hindrance: it counts before a wider one, so that
// what it leads goes on as it did.
func Concerned(tables []Table, destinations, goals []netip.Prefix) []Table {
	out := slices.Clone(tables)
	for n, t := range out {
		out[n].Routes = slices.DeleteFunc(slices.Clone(t.Routes), func(r Route) bool {
			return len(goals) > 0 && !overlapsAny(r.Destination, goals) &&
				slices.ContainsFunc(destinations, func(d netip.Prefix) bool { return d.Overlaps(r.Destination) && d.Bits() < r.Destination.Bits() })
		})
	}
	return out
}

// destinations returns where desired routes lead, each once.
func destinations(desired []Desired) []netip.Prefix {
	var out []netip.Prefix
	for _, d := range desired {
		if !slices.Contains(out, d.Destination) {
			out = append(out, d.Destination)
		}
	}
	return out
}

// Result is the answer of [Add]: what used, the tables in use, hold for a side afterwards. Its hops are why paths fail: apart are routes of tables that
// their owner keeps out; of changes count what is in the way, what is left to somebody, and what takes traffic out of other routes, or would. Where the tables lead is judged by path, once everything is done.
func Result(side workflow.Side, used []Table, apart []Desired, changes Changes) workflow.AddRoutesOutput {
	way := "back "
	if side.Consumer {
		way = "there "
	}
	direction := "route " + way
	out := workflow.AddRoutesOutput{Account: side.VPC.Account, VPC: side.VPC.ID, Hops: []workflow.Hop{}, Tables: Carried(used)}
	for d, p := range changes.Past {
		out.Hops = append(out.Hops, workflow.Hop{Hop: workflow.DivertHop + way + d.Table, OK: p.Allowed, Detail: p.Says(d)})
	}
	for _, o := range changes.Conflicts {
		out.Hops = append(out.Hops, workflow.Hop{Hop: direction + o.Table, Detail: o.Says + Remedy + cmp.Or(o.Remedy, inTheWay)})
	}
	for d, i := range changes.Contested {
		out.Hops = append(out.Hops, workflow.Hop{Hop: direction + d.Table, Detail: d.Destination.String() + " through " + d.Target + " " + contest.How(i)})
	}
	for _, d := range apart {
		out.Hops = append(out.Hops, workflow.Hop{Hop: direction + d.Table,
			Detail: fmt.Sprintf("%s: not added, as its owner keeps the table out by the tag %s=%s", d.Destination, tag.Reach, tag.NoReach)})
	}
	slices.SortFunc(out.Hops, func(a, b workflow.Hop) int { return cmp.Or(cmp.Compare(a.Hop, b.Hop), cmp.Compare(a.Detail, b.Detail)) })
	return out
}

// Remedy comes in what a hop says of an [Obstacle] before what is to be done: its path fails, also where nobody can judge where the obstacle leads.
const Remedy = "; remedy: "

// with returns tables with routes that were created in them.
func with(tables []Table, created []Desired) []Table {
	out := slices.Clone(tables)
	for n, t := range out {
		out[n].Routes = slices.Clone(t.Routes)
		for _, d := range created {
			if d.Table == t.ID {
				out[n].Routes = append(out[n].Routes, Route{Destination: d.Destination, Target: d.Target})
			}
		}
	}
	return out
}
