package route

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
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

// judged is the line of the verdict about a desired route: where the table leads what of its destination is to be reached, by package network.
// beside are peerings that serve as well as the target.
func judged(name string, t network.Table, d Desired, goals []netip.Prefix, beside []string) workflow.Hop {
	hop := workflow.Hop{Hop: name, OK: true, Detail: d.Destination.String() + " through " + d.Target}
	wanted := []netip.Prefix{d.Destination}
	if len(goals) > 0 {
		if wanted = network.Common(wanted, goals); len(wanted) == 0 { // nothing there calls or answers yet
			wanted = []netip.Prefix{d.Destination}
		}
	}
	var wrong, unclear, by []string
	for _, p := range t.Split(wanted) {
		where := p.CIDRs[0].String()
		if more := len(p.CIDRs) - 1; more > 0 {
			where += fmt.Sprintf(" and %d more", more)
		}
		r := p.Route
		switch {
		case p.Answer == network.Unknown:
			unclear = append(unclear, fmt.Sprintf("%s: AWS chooses between %s and %s", where, r.Target, p.Among.Target))
		case p.Answer == network.No:
			wrong = append(wrong, where+" has no route")
		case r.Target == d.Target: // a blackhole comes alive with it
		case r.Blackhole:
			wrong = append(wrong, fmt.Sprintf("%s is led into the blackhole %s to %s: delete that route", where, r.Destination, r.Target))
		case slices.Contains(beside, r.Target):
			by = append(by, fmt.Sprintf("%s through %s", r.Destination, r.Target))
		case r.Destination.Bits() == 0:
			wrong = append(wrong, fmt.Sprintf("%s goes to %s by the default route", where, r.Target))
		default:
			unclear = append(unclear, fmt.Sprintf("%s goes to %s by the route %s, and what becomes of it there nobody here knows", where, r.Target, r.Destination))
		}
	}
	switch {
	case len(wrong) > 0:
		hop.OK, hop.Detail = false, d.Destination.String()+" through "+d.Target+", but "+strings.Join(wrong, "; ")
	case len(unclear) > 0:
		hop.OK, hop.Unknown, hop.Detail = false, true, d.Destination.String()+" through "+d.Target+", but "+strings.Join(unclear, "; ")
	case len(by) > 0:
		hop.Detail = d.Destination.String() + ": already connected, " + strings.Join(slices.Compact(by), "; ")
	}
	return hop
}

// Result is the answer of [Add]: what used, the tables in use, hold for a side afterwards of the wanted routes. apart are those in tables that their owner
// keeps out, contested those that are left to somebody.
func Result(side workflow.Side, used []Table, wanted, apart []Desired, contested map[Desired]ledger.Item) workflow.AddRoutesOutput {
	direction := "route back"
	if side.Consumer {
		direction = "route there"
	}
	out := workflow.AddRoutesOutput{Account: side.VPC.Account, VPC: side.VPC.ID, Hops: []workflow.Hop{}}
	model := Model(used)
	for _, d := range wanted {
		at := slices.IndexFunc(model, func(t network.Table) bool { return t.ID == d.Table })
		if at < 0 {
			continue // a subnet that came just now uses it: the next look reads that
		}
		hop := judged(direction+" "+d.Table, model[at], d, side.Aims, side.Beside)
		if i, ok := contested[d]; ok {
			hop.OK, hop.Unknown, hop.Detail = false, false, d.Destination.String()+" through "+d.Target+" "+contest.How(i)
		}
		out.Hops = append(out.Hops, hop)
	}
	for _, d := range apart {
		out.Hops = append(out.Hops, workflow.Hop{Hop: direction + " " + d.Table,
			Detail: fmt.Sprintf("%s: not added, as its owner keeps the table out by the tag %s=%s", d.Destination, tag.Reach, tag.NoReach)})
	}
	if side.Idle != "" {
		out.Hops = append(out.Hops, workflow.Hop{Hop: "routes of " + side.VPC.ID, OK: true, Detail: side.Idle})
	}
	out.Tables = Carried(used)
	return out
}
