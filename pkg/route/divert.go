package route

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Past is a live route that a desired one would take traffic out of, and whether it may.
type Past struct {
	Route   Route
	Allowed bool
	Policy  string // that forbids it; empty if none does, so that the tag of the table's owner is enough
}

// internet are the beginnings of the ids of what leads to the internet alone. A default route there is every VPC's with internet access, and nobody means it
// to lead private addresses anywhere. One to anything else, such as a gateway, a network interface or an endpoint of a Gateway Load Balancer, may lead all of a
// VPC past something that inspects it.
var internet = []string{"igw-", "nat-", "eigw-", "cagw-"}

// Blocks reports whether r is a live route that already leads some address of destination elsewhere than to target.
// A default route to the internet does not count: ours is more specific by design. Routes within the VPC do: traffic to them never leaves.
func Blocks(r Route, destination netip.Prefix, target string) bool {
	if r.Destination.Bits() == 0 && slices.ContainsFunc(internet, func(p string) bool { return strings.HasPrefix(r.Target, p) }) {
		return false
	}
	return !r.Blackhole && r.Target != target && r.Destination.Overlaps(destination)
}

// yields reports whether a route that is in a table counts less than a static one to destination would: it is wider, or as wide and an entry of a prefix list
// or propagated. What is within the VPC never does here: nothing that is local is led away.
// https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html
func yields(r Route, destination netip.Prefix) bool {
	if r.Target == Local {
		return false
	}
	return r.Destination.Overlaps(destination) && r.Destination.Bits() < destination.Bits() ||
		r.Destination == destination && (r.List != "" || r.Propagated)
}

// past returns the live route that leads a desired destination elsewhere now, and would not any more: of those that yield the narrowest, unless that leads to the
// target already and is its owner's. items are what the ledger has of the table.
func past(d Desired, routes []Route, items []ledger.Item) (Route, bool) {
	var best Route
	for _, r := range routes {
		ours := r.Target == d.Target && r.List == "" && itemOf(items, d.Table, r.Destination.String()) != nil
		if r.Blackhole || ours || !yields(r, d.Destination) {
			continue
		}
		same := r.Destination == best.Destination && (best.List != "" || best.Propagated)
		switch {
		case !best.Destination.IsValid(), r.Destination.Bits() > best.Destination.Bits(), same && r.List == "" && !r.Propagated,
			same && best.Target == d.Target: // of several lists AWS chooses one
			best = r
		}
	}
	return best, best.Destination.IsValid() && Blocks(best, d.Destination, d.Target)
}

// passing returns the route that a desired one would take traffic out of, if there is one, and whether nobody allowed that.
func passing(d Desired, routes []Route, items []ledger.Item, side workflow.Side) (p Past, asks bool) {
	r, is := past(d, routes, items)
	if !is {
		return Past{}, false
	}
	p.Route = r
	p.Allowed, p.Policy = side.Diverts.May(d.Table, r.Target)
	return p, !p.Allowed
}

// passes notes what a route takes traffic out of, by leave.
func (c Changes) passes(d Desired, p Past) {
	if p.Allowed {
		c.Past[d] = p
	}
}

// Crossed returns the targets that a table leads addresses of some prefixes to, or may by prefix lists, other than target: what a route through target may take
// traffic out of. Sorted.
func Crossed(t Table, prefixes []netip.Prefix, target string) []string {
	var out []string
	for _, r := range t.Routes {
		if r.Target != Local && slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return Blocks(r, p, target) }) {
			out = append(out, r.Target)
		}
	}
	for _, l := range t.Lists {
		if !l.Blackhole && l.Target != target {
			out = append(out, l.Target)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Says is the sentence about a route that takes traffic out of another, would if it may not.
func (p Past) Says(d Desired) string {
	from := p.Route.Destination.String()
	if p.Route.List != "" {
		from += " of prefix list " + p.Route.List
	}
	if p.Allowed {
		return fmt.Sprintf("%s leaves %s (%s) in %s and goes through %s, past whatever inspects it; its owner and the policy allow that", d.Destination, p.Route.Target, from, d.Table, d.Target)
	}
	text := fmt.Sprintf("%s would leave %s (%s) in %s and go through %s, past whatever inspects it", d.Destination, p.Route.Target, from, d.Table, d.Target)
	if p.Policy != "" {
		text += ", which policy " + p.Policy + " forbids"
	}
	return text
}

// DivertRemedy is what the owner of a table does who wants a route to take traffic out of another.
const DivertRemedy = "if that may be, tag the route table, or its VPC, " + tag.Divert + " with the id of what the traffic would leave; the policy's action Divert decides"

// Asks returns the sentences about the routes that are not added because nobody said that they may take traffic out of others, sorted.
func (c Changes) Asks() []string {
	var out []string
	for d, p := range c.Past {
		if !p.Allowed {
			out = append(out, p.Says(d))
		}
	}
	slices.Sort(out)
	return out
}

// Withdrawn reports whether a route of the ledger's takes traffic out of another by a leave that its owner, or the policy, does not give any more. One that was
// there before the other came needed no leave, and stays.
func Withdrawn(table Table, i ledger.Item, side workflow.Side) bool {
	destination, err := netip.ParsePrefix(i.Key)
	if i.Past == "" || err != nil {
		return false
	}
	leaves := ""
	if p, is := past(Desired{Table: table.ID, Destination: destination, Target: i.Left}, table.Routes, nil); is {
		leaves = p.Target
	} else if slices.ContainsFunc(table.Lists, func(l List) bool { return l.Target == i.Past && !l.Blackhole }) {
		leaves = i.Past
	}
	allowed, _ := side.Diverts.May(table.ID, leaves)
	return leaves != "" && !allowed
}

// Standing returns those of desired that no leave is withdrawn for; see [Withdrawn].
func Standing(desired []Desired, tables []Table, items []ledger.Item, side workflow.Side) []Desired {
	return slices.DeleteFunc(slices.Clone(desired), func(d Desired) bool {
		i := itemOf(items, d.Table, d.Destination.String())
		at := slices.IndexFunc(tables, func(t Table) bool { return t.ID == d.Table })
		return i != nil && at >= 0 && Withdrawn(tables[at], *i, side)
	})
}
