package network

import (
	"cmp"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// Table is a route table of a VPC, or of a transit gateway.
type Table struct {
	ID      string
	Main    bool
	Subnets []string // explicitly associated
	Routes  []Route  // entries of prefix lists among them
	// Unread are the routes to prefix lists whose entries cannot be read.
	Unread []List
}

// Route is an entry of a route table.
type Route struct {
	Destination netip.Prefix // masked
	Target      string       // the id of what it leads to, see [KindOf]; an attachment in a table of a transit gateway
	Blackhole   bool
	Propagated  bool
	List        string // pl-…, if it is there as an entry of a prefix list
}

// List is a route to a prefix list.
type List struct {
	ID        string // pl-…
	Target    string
	Blackhole bool
}

// Lead is where a table leads some addresses.
type Lead struct {
	// Answer is Yes if Route leads them, which may be a blackhole, No if no route does, and Unknown if it cannot be said: Unread may have a
	// route that comes before Route, or AWS chooses between Route and Among.
	Answer Answer
	Route  Route
	Among  Route // as good as Route, and to another target
	Unread List
}

// Part is a part of what was asked for that a table leads one way.
type Part struct {
	CIDRs []netip.Prefix
	Lead
}

// rank is AWS's order of routes to the same destination: static ones, then entries of prefix lists, then propagated ones.
// https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html
// https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html#tgw-route-evaluation-overview
func (r Route) rank() int {
	switch {
	case r.Propagated:
		return 2
	case r.List != "":
		return 1
	}
	return 0
}

// same reports whether two routes lead to the same end.
func (r Route) same(other Route) bool {
	return r.Target == other.Target && r.Blackhole == other.Blackhole
}

// Split says where a table leads each part of prefixes, in the order of their addresses. The route with the longest prefix counts, be it a
// blackhole; of those to one destination the first by AWS's order. The VPC's own ranges stay in it, whatever is propagated, be it
// [more specific]. Between two prefix lists with the same entry AWS chooses, so that
// nobody can say; nor where a list that was not read may have an entry.
//
// [more specific]: https://docs.aws.amazon.com/vpn/latest/s2svpn/vpn-route-priority.html
func (t Table) Split(prefixes []netip.Prefix) []Part {
	routes := slices.Clone(t.Routes)
	slices.SortStableFunc(routes, func(a, b Route) int {
		return cmp.Or(cmp.Compare(b.Destination.Bits(), a.Destination.Bits()), a.Destination.Compare(b.Destination),
			cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Target, b.Target))
	})
	left := set(prefixes)
	var own []netip.Prefix
	for _, r := range routes {
		if r.Target == "local" && !r.Propagated {
			own = append(own, r.Destination)
		}
	}
	local := set(own)
	found := map[Lead]*netipx.IPSetBuilder{}
	note := func(l Lead, s *netipx.IPSet) {
		for _, u := range t.Unread {
			if l.Answer == Yes && (u.Target != l.Route.Target || u.Blackhole != l.Route.Blackhole) || l.Answer == No {
				l.Answer, l.Unread = Unknown, u
				break
			}
		}
		if found[l] == nil {
			found[l] = &netipx.IPSetBuilder{}
		}
		found[l].AddSet(s)
	}
	for n, r := range routes {
		if n > 0 && routes[n-1].Destination == r.Destination {
			continue // a better route to it was there
		}
		hit := common(left, set([]netip.Prefix{r.Destination}))
		if r.Propagated {
			hit = minus(hit, local)
		}
		if len(hit.Prefixes()) == 0 {
			continue
		}
		left = minus(left, hit)
		lead := Lead{Answer: Yes, Route: r}
		for _, other := range routes[n+1:] {
			if other.Destination != r.Destination || other.rank() != r.rank() {
				break
			}
			if !other.same(r) {
				lead.Answer, lead.Among = Unknown, other
			}
		}
		note(lead, hit)
	}
	if len(left.Prefixes()) > 0 {
		note(Lead{Answer: No}, left)
	}
	var out []Part
	for l, s := range found {
		out = append(out, Part{CIDRs: prefixesOf(s), Lead: l})
	}
	slices.SortFunc(out, func(a, b Part) int { return a.CIDRs[0].Compare(b.CIDRs[0]) })
	return out
}

// Lookup says where a table leads an address.
func (t Table) Lookup(a netip.Addr) Lead {
	return t.Split([]netip.Prefix{netip.PrefixFrom(a, a.BitLen())})[0].Lead
}

// Merge returns the fewest prefixes that have exactly the addresses of prefixes, sorted.
func Merge(prefixes []netip.Prefix) []netip.Prefix { return set(prefixes).Prefixes() }

// Common returns the addresses that two lists of prefixes have in common, as few prefixes as possible.
func Common(a, b []netip.Prefix) []netip.Prefix { return common(set(a), set(b)).Prefixes() }

// set is the set of the addresses of prefixes.
func set(prefixes []netip.Prefix) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, p := range prefixes {
		b.AddPrefix(p)
	}
	return done(&b)
}

func common(a, b *netipx.IPSet) *netipx.IPSet {
	var out netipx.IPSetBuilder
	out.AddSet(a)
	out.Intersect(b)
	return done(&out)
}

func minus(a, b *netipx.IPSet) *netipx.IPSet {
	var out netipx.IPSetBuilder
	out.AddSet(a)
	out.RemoveSet(b)
	return done(&out)
}

// done builds a set. Only a prefix that is not valid, which no CIDR of AWS's is, would make that fail.
func done(b *netipx.IPSetBuilder) *netipx.IPSet {
	s, err := b.IPSet()
	if err != nil {
		panic(err)
	}
	return s
}

func prefixesOf(b *netipx.IPSetBuilder) []netip.Prefix { return done(b).Prefixes() }
