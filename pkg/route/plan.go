package route

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Wanted returns the routes through target that a side needs: in every table that subnets of its ways use, to where these ways lead. Those of several ways
// in one table are as few prefixes as possible. Those in tables that their owner keeps out of every connection are apart, unless a policy forbids that. tables are all of the VPC.
func Wanted(tables []Table, side workflow.Side, target string) (desired, apart []Desired) {
	to := map[string][][]netip.Prefix{}
	for _, w := range side.Ways {
		for _, t := range using(tables, w, side.Subnets) {
			if !slices.ContainsFunc(to[t], func(other []netip.Prefix) bool { return slices.Equal(other, w.To) }) {
				to[t] = append(to[t], w.To)
			}
		}
	}
	for _, t := range tables {
		destinations := slices.Concat(to[t.ID]...)
		if len(to[t.ID]) > 1 {
			destinations = network.Merge(destinations)
		}
		for _, d := range destinations {
			one := Desired{Table: t.ID, Destination: d.Masked(), Target: target}
			if t.Apart && side.Overruled == "" {
				apart = append(apart, one)
			} else {
				desired = append(desired, one)
			}
		}
	}
	return desired, apart
}

// using returns the ids of the tables that the subnets of a way use; subnets are all of the VPC.
func using(tables []Table, w workflow.Way, subnets []string) []string {
	var out []string
	if len(w.Subnets) == 0 {
		for _, t := range InUse(tables, subnets) {
			out = append(out, t.ID)
		}
		return out
	}
	for _, s := range w.Subnets {
		if t, ok := Of(tables, s); ok && !slices.Contains(out, t.ID) {
			out = append(out, t.ID)
		}
	}
	return out
}

// Spare returns the routes of a table to target that a side has no use for: those to one of destinations that are not desired there, once others lead
// through target what of them is desired. So no way is ever without: the widest go first, and what goes leads nothing for the others. desired are those of all
// tables.
func Spare(table Table, target string, destinations []netip.Prefix, desired []Desired) []netip.Prefix {
	var out []netip.Prefix
	widest := slices.Clone(destinations)
	slices.SortFunc(widest, func(a, b netip.Prefix) int { return cmp.Or(cmp.Compare(a.Bits(), b.Bits()), a.Compare(b)) })
	for _, d := range widest {
		var others, needed []netip.Prefix
		for _, r := range table.Routes {
			if r.Target == target && r.Destination != d && r.Destination.Bits() > 0 && !slices.Contains(out, r.Destination) {
				others = append(others, r.Destination)
			}
		}
		kept := false
		for _, w := range desired {
			if w.Table == table.ID && w.Destination.Overlaps(d) {
				kept, needed = kept || w.Destination == d, append(needed, w.Destination)
			}
		}
		if !kept && !slices.ContainsFunc(network.Common(needed, []netip.Prefix{d}), func(p netip.Prefix) bool { return !covered(p, others) }) {
			out = append(out, d)
		}
	}
	return out
}

// Plan returns what makes tables contain every route that connection desires. items are what the ledger has of them, side says
// what else leads to the same peer, and what traffic may leave. It never removes a route and refuses to take over a live one:
//
//	in the table                                          →  plan
//	the same destination, to our target, no item          →  nothing: it is its owner's
//	the same, with an item that connection does not need yet, or that was never confirmed → share
//	the same, with an item that was only wanted, or that is contested → drop: its owner put it there
//	the same, with an item, in front of an entry of a prefix list of
//	the same or a narrower destination, elsewhere         →  conflict: the list would not lead there, and nobody would say so; the same may be left
//	no such route, entries of prefix lists, or routes of somebody else's, to our target that cover it → nothing, or drop: its owner leads it there
//	live, to a peering or a gateway that serves as well, be it as wide or narrower → want
//	the same destination, elsewhere, live                 →  conflict
//	a narrower destination, elsewhere, live               →  conflict, also if it is an entry of a prefix list
//	a wider destination, elsewhere, live; or the same by
//	a prefix list or propagated, which a static one beats →  as if it were not there if side.Diverts allows it, else past: its owner is asked
//	a default route (0.0.0.0/0, ::/0) to the internet     →  is not an overlap; any other is a wider destination
//	the same destination, elsewhere, blackhole            →  replace
//	a narrower one, elsewhere, blackhole                  →  replace, see [Throughout]
//	nothing of these                                      →  create
//	nothing of these, and it is contested                 →  nothing: somebody took it away twice
//
// A route that is there and a blackhole to our target comes alive with the target. A desired route in a table that is not among tables is
// created; AWS tells if the table is gone. One table in which there is a conflict does not keep the others from being served.
// The result is sorted by table and destination.
func Plan(connection string, desired []Desired, tables []Table, items []ledger.Item, side workflow.Side) Changes {
	c := plan(connection, desired, tables, items, side)
	leads := slices.DeleteFunc(slices.Clone(desired), func(d Desired) bool { return !c.leads(d, tables) })
	if all := Throughout(leads, tables, items); len(all) > len(leads) {
		return plan(connection, append(slices.Clone(desired), all[len(leads):]...), tables, items, side)
	}
	return c
}

// plan is [Plan] without the narrower ones.
func plan(connection string, desired []Desired, tables []Table, items []ledger.Item, side workflow.Side) Changes {
	routes := map[string][]Route{}
	for _, t := range tables {
		routes[t.ID] = append(routes[t.ID], t.Routes...)
	}
	c := Changes{Reached: map[Desired]Route{}, Contested: map[Desired]ledger.Item{}, Past: map[Desired]Past{}}
	seen := map[Desired]bool{}
	for _, d := range desired {
		d.Destination = d.Destination.Masked()
		if seen[d] {
			continue
		}
		seen[d] = true
		item := itemOf(items, d.Table, d.Destination.String())
		same, blocking := look(d, routes[d.Table])
		beside, served := serving(d, routes[d.Table], side.Alternates)
		leaves, asks := passing(d, routes[d.Table], items, side)
		switch {
		case same != nil && same.Target == d.Target && same.List == "":
			if item != nil && item.Left == d.Target {
				c.stands(d, *item, connection, leaves, hidden(d, routes[d.Table], side))
			}
		case blocking == nil && (same == nil || same.List != "") && led(d, routes[d.Table], items, leaves):
			if item != nil && item.NeededBy(connection) {
				c.Drop = append(c.Drop, d)
			}
		case served:
			c.Reached[d] = beside
			if item == nil || !item.NeededBy(connection) {
				c.Want = append(c.Want, d)
			}
		case blocking != nil:
			of := ""
			if blocking.List != "" {
				of = " of prefix list " + blocking.List
			}
			c.Conflicts = append(c.Conflicts, Obstacle{Table: d.Table, Says: fmt.Sprintf("route %s%s in %s already goes to %s", blocking.Destination, of, d.Table, blocking.Target)})
			if unmade(item, connection) {
				c.Drop = append(c.Drop, d)
			}
		case item != nil && item.State == ledger.Contested:
			c.Contested[d] = *item
		case asks:
			c.Past[d] = leaves
			if unmade(item, connection) {
				c.Drop = append(c.Drop, d)
			}
		case same != nil:
			c.Replace = append(c.Replace, Dead{d, same.Target})
			c.passes(d, leaves)
		default:
			c.Create = append(c.Create, d)
			c.passes(d, leaves)
		}
	}
	slices.SortFunc(c.Conflicts, func(a, b Obstacle) int { return cmp.Compare(a.Says, b.Says) })
	c.Conflicts = slices.Compact(c.Conflicts)
	for _, some := range [][]Desired{c.Create, c.Share, c.Want, c.Drop} {
		slices.SortFunc(some, compare)
	}
	slices.SortFunc(c.Replace, func(a, b Dead) int { return compare(a.Desired, b.Desired) })
	return c
}

// stands plans a route that leads where it is desired and has an item: it is shared, or was given up for what its owner put there. leaves is what traffic leaves with it;
// behind is the entry of a prefix list that it is in front of, nil if there is none.
func (c *Changes) stands(d Desired, item ledger.Item, connection string, leaves Past, behind *Route) {
	made := item.State == ledger.Confirmed || item.State == ledger.Intended
	needed := item.NeededBy(connection)
	if item.State != ledger.Contested && item.State != ledger.Wanted {
		c.passes(d, leaves)
	}
	switch {
	case made && behind != nil:
		c.Conflicts = append(c.Conflicts, Obstacle{Table: d.Table, Says: fmt.Sprintf("prefix list %s leads %s of %s to %s, and the route %s that Drawbridge added there is in front of it or wider",
			behind.List, behind.Destination, d.Table, behind.Target, d.Destination), InFront: true})
	case item.State == ledger.Contested, item.State == ledger.Wanted:
		if needed { // its owner put it there
			c.Drop = append(c.Drop, d)
		}
	case !needed, item.State == ledger.Intended:
		c.Share = append(c.Share, d)
	}
}

// unmade reports whether the ledger has a route for a connection that Drawbridge never made, as far as it knows.
func unmade(item *ledger.Item, connection string) bool {
	return item != nil && item.NeededBy(connection) && (item.State == ledger.Intended || item.State == ledger.Wanted)
}

// takenOver returns the items of routes that a plan creates although the ledger has them confirmed for another target: the table has lost them, or what was read of
// it is old.
func takenOver(c Changes, items []ledger.Item) []ledger.Item {
	var out []ledger.Item
	for _, d := range c.Create {
		if i := itemOf(items, d.Table, d.Destination.String()); i != nil && i.State == ledger.Confirmed && i.Left != d.Target {
			out = append(out, *i)
		}
	}
	return out
}

// Lost returns the items of routes that a plan adds although the ledger has them confirmed: somebody took them away.
func Lost(c Changes, items []ledger.Item) []ledger.Item {
	desired := slices.Clone(c.Create)
	for _, d := range c.Replace {
		desired = append(desired, d.Desired)
	}
	var out []ledger.Item
	for _, d := range desired {
		if i := itemOf(items, d.Table, d.Destination.String()); i != nil && i.State == ledger.Confirmed && i.Left == d.Target {
			out = append(out, *i)
		}
	}
	return out
}

// inTheWay is what to do about a live route in the way.
const inTheWay = "remove or narrow what is there if nobody needs it; Drawbridge never takes over a live route"

// InFront returns the error about routes of Drawbridge's that are in front of what their owner leads elsewhere by now, nil if there are none.
func (c Changes) InFront() error {
	var out []string
	for _, o := range c.Conflicts {
		if o.InFront {
			out = append(out, o.Says)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return fault.NewConflict(strings.Join(out, "; "), inTheWay+"; then redrive the execution")
}

// PlanRemoval returns what is to be done with one table for a connection that is over, or, if only is not nil, with the routes to
// those destinations that it has no use for any more. items are all that the ledger has of the table; no other route is
// touched.
//
//	an item of the connection, needed by nobody else            → release; what becomes of the route, [TakeBack] says
//	needed by another too, over the same target                 → release; the route stays
//	needed by another too, over another target, and by none over
//	the connection's, to which the route still leads            → hand over to the other's target, release
//	only wanted by another, and what serves instead goes        → hand over
//	contested                                                   → forget: what is there is somebody else's
//	busy                                                        → later
//
// What serves instead goes if it is a blackhole by now, or an item that nobody else needs over the same target.
func PlanRemoval(table Table, items []ledger.Item, connection workflow.Connection, only []netip.Prefix, busy func(ledger.Item) bool) Removal {
	over := only == nil // else the connection stays
	routes := slices.Clone(table.Routes)
	var out Removal
	for _, i := range items {
		mine := i.NeededBy(connection.ID) || i.State == ledger.Leaving && i.For == connection.ID
		destination, err := netip.ParsePrefix(i.Key)
		if i.Kind != ledger.Route || !mine || err != nil || only != nil && !slices.Contains(only, destination) {
			continue
		}
		switch {
		case busy(i):
			out.Busy = append(out.Busy, i)
			continue
		case i.State == ledger.Contested:
			out.Forget = append(out.Forget, i)
			continue
		}
		out.Release = append(out.Release, i)
		at := static(routes, destination)
		through := at >= 0 && routes[at].Target == connection.Target
		alone := !slices.ContainsFunc(i.Needed, func(id string) bool { return id != connection.ID && workflow.TargetOf(id) == connection.Target })
		switch target := heir(i, connection); {
		case over && alone && through && target != "":
			i.Left = target
			out.Handover = append(out.Handover, Handover{Item: i})
			routes[at].Target = target
		case i.State == ledger.Intended && len(i.Needed) > 1 && at >= 0 && routes[at].Target == i.Left:
			out.Confirm = append(out.Confirm, i)
		case over && alone && through && i.Left == connection.Target:
			routes[at].Blackhole = true // as good as gone
		}
	}
	for _, i := range items {
		destination, err := netip.ParsePrefix(i.Key)
		waits := i.State == ledger.Wanted || i.State == ledger.Intended && !busy(i) // the latter: a handover that was interrupted
		if i.Kind != ledger.Route || !waits || i.NeededBy(connection.ID) || err != nil || !over {
			continue
		}
		going := slices.ContainsFunc(routes, func(r Route) bool {
			return r.Target == connection.Target && r.Blackhole && r.Destination.Overlaps(destination)
		})
		same, blocking := look(Desired{Table: table.ID, Destination: destination, Target: i.Left}, routes)
		if i.State == ledger.Intended && same != nil && same.Target == i.Left {
			out.Confirm = append(out.Confirm, i)
		}
		if !going || blocking != nil || same != nil && same.Target == i.Left {
			continue
		}
		if same != nil {
			i.Before = same.Target
		}
		out.Handover = append(out.Handover, Handover{Item: i, Create: same == nil})
	}
	return out
}

// heir returns the target that those who need an item beside the connection have in common, if it is another than the
// connection's; empty if there is none.
func heir(i ledger.Item, connection workflow.Connection) string {
	for _, id := range i.Needed {
		if target := workflow.TargetOf(id); id != connection.ID && target != connection.Target {
			return target
		}
	}
	return ""
}

// TakeBack says how a route that nobody needs any more is taken back:
//
//	it leads where it was left            → delete
//	the same, and it replaced a blackhole → put that back
//	it is gone, or leads elsewhere by now → leave
//
// At is what the table has of that destination, if it has.
func TakeBack(i ledger.Item, table Table) (how Return, at Route) {
	destination, err := netip.ParsePrefix(i.Key)
	n := static(table.Routes, destination)
	if err != nil || n < 0 {
		return Leave, Route{}
	}
	at = table.Routes[n]
	switch {
	case ledger.Stands(i, at.Target, true) != ledger.AsLeft:
		return Leave, at
	case i.Before != "" && i.Before != i.Left:
		return PutBack, at
	}
	return Delete, at
}

// static returns the place among routes of the one with exactly a destination that is neither an entry of a prefix list nor propagated; -1 if
// there is none.
func static(routes []Route, destination netip.Prefix) int {
	return slices.IndexFunc(routes, func(r Route) bool { return r.Destination == destination && r.List == "" && !r.Propagated })
}

// itemOf returns the item of a destination in a table, nil if the ledger has none.
func itemOf(items []ledger.Item, table, destination string) *ledger.Item {
	for n := range items {
		if i := &items[n]; i.Kind == ledger.Route && i.Resource == table && i.Key == destination {
			return i
		}
	}
	return nil
}

// Through returns the destinations of all routes of tables that lead through target, sorted.
func Through(tables []Table, target string) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range tables {
		for _, r := range t.Routes {
			if r.Target == target {
				out = append(out, r.Destination)
			}
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

func compare(a, b Desired) int {
	return cmp.Or(strings.Compare(a.Table, b.Table), a.Destination.Compare(b.Destination), strings.Compare(a.Target, b.Target))
}
