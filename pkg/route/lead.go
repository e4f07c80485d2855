package route

import (
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// hidden returns a live entry of a prefix list that leads the desired destination, or a part of it, elsewhere; nil if there is none. Of two routes to the
// same destination, the one that is not of a list counts: that is hidden unless traffic may leave it.
// https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html
func hidden(d Desired, routes []Route, side workflow.Side) *Route {
	for n := range routes {
		if may, _ := side.Diverts.May(d.Table, routes[n].Target); may && routes[n].Destination == d.Destination {
			continue
		}
		if r := &routes[n]; r.List != "" && r.Destination.Bits() >= d.Destination.Bits() && Blocks(*r, d.Destination, d.Target) {
			return r
		}
	}
	return nil
}

// led reports whether live entries of prefix lists, or routes that the ledger does not have, lead all of the desired destination to its target. What is as
// wide as a route that leads it elsewhere now, or wider, leads nothing.
func led(d Desired, routes []Route, items []ledger.Item, elsewhere Past) bool {
	width := 0
	if elsewhere.Route.Destination.IsValid() {
		width = elsewhere.Route.Destination.Bits()
	}
	var entries []netip.Prefix
	for _, r := range routes {
		theirs := r.List != "" || itemOf(items, d.Table, r.Destination.String()) == nil
		if theirs && r.Target == d.Target && !r.Blackhole && r.Destination.Overlaps(d.Destination) && r.Destination.Bits() > width {
			entries = append(entries, r.Destination)
		}
	}
	return covered(d.Destination, entries)
}

// covered reports whether prefixes have all addresses of p.
func covered(p netip.Prefix, prefixes []netip.Prefix) bool {
	var within []netip.Prefix
	for _, each := range prefixes {
		if each.Overlaps(p) {
			if each.Bits() <= p.Bits() {
				return true
			}
			within = append(within, each)
		}
	}
	if len(within) == 0 {
		return false
	}
	low, high := halves(p)
	return covered(low, within) && covered(high, within)
}

// halves returns the two halves of a prefix that is not a single address.
func halves(p netip.Prefix) (low, high netip.Prefix) {
	bytes := p.Masked().Addr().AsSlice()
	bytes[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	other, _ := netip.AddrFromSlice(bytes)
	return netip.PrefixFrom(p.Masked().Addr(), p.Bits()+1), netip.PrefixFrom(other, p.Bits()+1)
}

// serving returns a live route through one of those beside that serves as well as the desired one.
func serving(d Desired, routes []Route, beside []string) (Route, bool) {
	for _, r := range routes {
		if slices.Contains(beside, r.Target) && Blocks(r, d.Destination, d.Target) && r.Destination.Bits() >= d.Destination.Bits() {
			return r, true
		}
	}
	return Route{}, false
}

// look finds the route with exactly the desired destination, and a live route to somewhere else that stands in the way: one that would count before it, or that
// it would replace.
// https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html
func look(d Desired, routes []Route) (same, blocking *Route) {
	for i := range routes {
		r := &routes[i]
		// "static routes before prefix list references": an entry of a list is only there if no route of its own is.
		// A propagated one is the gateway's: a static route is made beside it.
		if r.Destination == d.Destination && !r.Propagated && (r.List == "" || r.Target == d.Target && same == nil) {
			same = r
		}
		if Blocks(*r, d.Destination, d.Target) && !yields(*r, d.Destination) && (blocking == nil || r.Destination.Compare(blocking.Destination) < 0) {
			blocking = r
		}
	}
	return same, blocking
}
