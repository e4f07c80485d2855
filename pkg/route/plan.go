package route

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Wanted returns the desired routes: every destination, through target, in every table.
func Wanted(tables []Table, destinations []netip.Prefix, target string) []Desired {
	var out []Desired
	for _, t := range tables {
		for _, d := range destinations {
			out = append(out, Desired{Table: t.ID, Destination: d.Masked(), Target: target})
		}
	}
	return out
}

// Beside returns desired without what its table reaches by a live route through one of peerings, and the routes that
// do reach it: they are as good as the desired one, be they as wide or narrower.
func Beside(desired []Desired, tables []Table, peerings []string) (left []Desired, reached map[Desired]Route) {
	reached = map[Desired]Route{}
	for _, d := range desired {
		for _, t := range tables {
			for _, r := range t.Routes {
				if t.ID == d.Table && slices.Contains(peerings, r.Target) && Blocks(r, d.Destination, d.Target) && r.Destination.Bits() >= d.Destination.Bits() {
					reached[d] = r
				}
			}
		}
		if _, ok := reached[d]; !ok {
			left = append(left, d)
		}
	}
	return left, reached
}

// Plan returns what makes tables contain every desired route. It never removes a route and refuses to take over a
// live one:
//
//	in the table                                          →  plan
//	nothing that overlaps                                 →  create
//	the same destination, to our target, active           →  nothing
//	the same destination, to our target, blackhole        →  nothing (it comes alive with the target)
//	the same destination, elsewhere, blackhole            →  replace
//	the same destination, elsewhere, live                 →  conflict
//	an overlapping destination, elsewhere, live           →  conflict
//	a default route (0.0.0.0/0, ::/0)                     →  is not an overlap
//
// A desired route in a table that is not among tables is created; AWS tells if the table is gone.
// All conflicts are reported at once. The result is sorted by table and destination.
func Plan(desired []Desired, tables []Table) (Changes, error) {
	routes := map[string][]Route{}
	for _, t := range tables {
		routes[t.ID] = append(routes[t.ID], t.Routes...)
	}
	var changes Changes
	var conflicts []string
	seen := map[Desired]bool{}
	for _, d := range desired {
		d.Destination = d.Destination.Masked()
		if seen[d] {
			continue
		}
		seen[d] = true
		same, blocking := look(d, routes[d.Table])
		switch {
		case same != nil && same.Target == d.Target:
			// Ours and there.
		case blocking != nil:
			conflicts = append(conflicts, fmt.Sprintf("route %s in %s already goes to %s", blocking.Destination, d.Table, blocking.Target))
		case same != nil:
			changes.Replace = append(changes.Replace, d)
		default:
			changes.Create = append(changes.Create, d)
		}
	}
	if len(conflicts) > 0 {
		slices.Sort(conflicts)
		return Changes{}, fault.NewConflict(strings.Join(slices.Compact(conflicts), "; "),
			"remove or narrow what is there if nobody needs it, then redrive the execution; Drawbridge never takes over a live route")
	}
	slices.SortFunc(changes.Create, compare)
	slices.SortFunc(changes.Replace, compare)
	return changes, nil
}

// PlanRemoval returns the routes that go with the connection target: those that lead through it to one of
// destinations, which are all that Drawbridge adds for it. A route cannot be tagged, so that is what makes one ours.
//
//	in the table                                          →  plan
//	one of the destinations, through target               →  remove, be it active or a blackhole
//	one of the destinations, elsewhere                    →  keep: its owner, or another connection, put it there
//	another destination, narrower or wider, through target →  keep: Drawbridge adds no such route
//	a route to a prefix list                              →  never seen here ([Read] leaves it out), so kept
//
// The result is sorted by table and destination.
func PlanRemoval(tables []Table, destinations []netip.Prefix, target string) []Desired {
	var out []Desired
	for _, t := range tables {
		for _, r := range t.Routes {
			if r.Target == target && slices.ContainsFunc(destinations, func(d netip.Prefix) bool { return d.Masked() == r.Destination }) {
				out = append(out, Desired{Table: t.ID, Destination: r.Destination, Target: target})
			}
		}
	}
	slices.SortFunc(out, compare)
	return slices.Compact(out)
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

// look finds the route with exactly the desired destination, and a live route to somewhere else that stands in the way.
func look(d Desired, routes []Route) (same, blocking *Route) {
	for i := range routes {
		r := &routes[i]
		if r.Destination == d.Destination {
			same = r
		}
		if Blocks(*r, d.Destination, d.Target) && (blocking == nil || r.Destination.Compare(blocking.Destination) < 0) {
			blocking = r
		}
	}
	return same, blocking
}

// Blocks reports whether r is a live route that already leads some address of destination elsewhere than to target.
// A default route does not count: every VPC with internet access has one, and ours is more specific by design.
// Routes within the VPC do: traffic to them never leaves.
func Blocks(r Route, destination netip.Prefix, target string) bool {
	return !r.Blackhole && r.Target != target && r.Destination.Bits() > 0 && r.Destination.Overlaps(destination)
}

func compare(a, b Desired) int {
	return cmp.Or(strings.Compare(a.Table, b.Table), a.Destination.Compare(b.Destination), strings.Compare(a.Target, b.Target))
}
