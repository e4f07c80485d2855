package network

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"
)

// Ports is a range of TCP ports, both ends included.
type Ports struct{ From, To int }

// AllPorts are those of an entry for all protocols.
var AllPorts = Ports{0, 65535}

// The ports on which a client may receive the answers, by what it runs on: a network ACL, being stateless, must let them through.
// https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
var (
	Ephemeral        = Ports{32768, 60999} // of Linux
	EphemeralWindows = Ports{49152, 65535}
	EphemeralLambda  = Ports{1024, 65535} // of Lambda functions, whose addresses are translated
)

// ACL is a network ACL.
// https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
type ACL struct {
	ID      string   // acl-…
	Subnets []string // that it is associated with
	Ingress []Entry
	Egress  []Entry
}

// Entry is one rule of a network ACL, as far as it is about TCP.
type Entry struct {
	Number int
	Allow  bool
	CIDR   netip.Prefix // of the other end, masked
	Ports  Ports        // destination ports; [AllPorts] if the entry is for all protocols
}

// Denied is traffic that does not get through: between the ACL's subnets and a prefix, to destination ports.
type Denied struct {
	CIDR  netip.Prefix
	Ports Ports
	// Rule is the number of the entry that denies it, 0 if no entry matches it.
	Rule int
}

// Deny returns what entries deny of the TCP traffic with any of peers to any of ports, each part as few prefixes as possible, in the
// order of rules, ports and prefixes. Nothing: all gets through.
//
// AWS takes the first entry, by number, that matches a packet; a packet that none matches is denied. So an entry decides exactly the part
// that it matches, and what several entries allow in parts is allowed. Entries of the other address family match nothing.
func Deny(entries []Entry, peers []netip.Prefix, ports Ports) []Denied {
	var open []Denied // what no entry decided so far
	for _, p := range peers {
		open = append(open, Denied{CIDR: p.Masked(), Ports: ports})
	}
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	var denied []Denied
	for _, e := range entries {
		var rest []Denied
		for _, part := range open {
			hit, outside, ok := split(part, e)
			rest = append(rest, outside...)
			if ok && !e.Allow {
				hit.Rule = e.Number
				denied = append(denied, hit)
			}
		}
		open = rest
	}
	return merged(append(denied, open...))
}

// split cuts out of a part what an entry matches, if that is any of it.
func split(part Denied, e Entry) (hit Denied, outside []Denied, ok bool) {
	from, to := max(part.Ports.From, e.Ports.From), min(part.Ports.To, e.Ports.To)
	if from > to || !e.CIDR.Overlaps(part.CIDR) {
		return Denied{}, []Denied{part}, false
	}
	hit = Denied{CIDR: part.CIDR, Ports: Ports{from, to}}
	if e.CIDR.Bits() > part.CIDR.Bits() {
		hit.CIDR = e.CIDR
		for _, p := range without(part.CIDR, e.CIDR) {
			outside = append(outside, Denied{CIDR: p, Ports: part.Ports})
		}
	}
	if part.Ports.From < from {
		outside = append(outside, Denied{CIDR: hit.CIDR, Ports: Ports{part.Ports.From, from - 1}})
	}
	if to < part.Ports.To {
		outside = append(outside, Denied{CIDR: hit.CIDR, Ports: Ports{to + 1, part.Ports.To}})
	}
	return hit, outside, true
}

// without is a prefix without another one.
func without(whole, part netip.Prefix) []netip.Prefix {
	var b netipx.IPSetBuilder
	b.AddPrefix(whole)
	b.RemovePrefix(part)
	return prefixesOf(&b)
}

// merged joins the prefixes of parts that are alike otherwise.
func merged(parts []Denied) []Denied {
	type like struct {
		rule  int
		ports Ports
	}
	sets := map[like]*netipx.IPSetBuilder{}
	for _, p := range parts {
		l := like{p.Rule, p.Ports}
		if sets[l] == nil {
			sets[l] = &netipx.IPSetBuilder{}
		}
		sets[l].AddPrefix(p.CIDR)
	}
	var out []Denied
	for l, set := range sets {
		for _, p := range prefixesOf(set) {
			out = append(out, Denied{CIDR: p, Ports: l.ports, Rule: l.rule})
		}
	}
	slices.SortFunc(out, func(a, b Denied) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Ports.From, b.Ports.From), cmp.Compare(a.Ports.To, b.Ports.To),
			a.CIDR.Addr().Compare(b.CIDR.Addr()), cmp.Compare(a.CIDR.Bits(), b.CIDR.Bits()))
	})
	return out
}

// Lacks says of what the ACL denies, as [Deny] returns it, which entries are missing: one for all prefixes that the same rule denies.
func (a ACL) Lacks(direction, preposition string, denied []Denied) []string {
	var out []string
	for len(denied) > 0 {
		like := denied[0]
		n := slices.IndexFunc(denied, func(d Denied) bool { return d.Ports != like.Ports || d.Rule != like.Rule })
		if n < 0 {
			n = len(denied)
		}
		var cidrs []string
		for _, d := range denied[:min(n, few)] {
			cidrs = append(cidrs, d.CIDR.String())
		}
		if n > few {
			cidrs = append(cidrs, fmt.Sprintf("and %d more", n-few))
		}
		before := ""
		if like.Rule > 0 {
			before = fmt.Sprintf(" before rule %d", like.Rule)
		}
		out = append(out, fmt.Sprintf("network ACL %s lacks an %s entry%s: allow TCP %s %s %s", a.ID, direction, before, like.Ports, preposition, strings.Join(cidrs, ", ")))
		denied = denied[n:]
	}
	return out
}

// Lacking says which entries the network ACLs of subnets lack for TCP that peers send to a port in them: requests arrive on the port, answers travel to
// replies, which are the peers' own. An empty result means nothing is in the way.
func Lacking(acls []ACL, subnets []string, peers []netip.Prefix, port int, replies Ports) []string {
	var out []string
	for _, acl := range acls {
		if !slices.ContainsFunc(acl.Subnets, func(s string) bool { return slices.Contains(subnets, s) }) {
			continue
		}
		out = append(out, acl.Lacks("inbound", "from", Deny(acl.Ingress, peers, Ports{From: port, To: port}))...)
		out = append(out, acl.Lacks("outbound", "to", Deny(acl.Egress, peers, replies))...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// both is what is denied by both.
func both(a, b []Denied) []Denied {
	var out []Denied
	for _, x := range a {
		for _, y := range b {
			from, to := max(x.Ports.From, y.Ports.From), min(x.Ports.To, y.Ports.To)
			if from > to || !x.CIDR.Overlaps(y.CIDR) {
				continue
			}
			d := Denied{CIDR: x.CIDR, Ports: Ports{from, to}}
			if y.CIDR.Bits() > x.CIDR.Bits() {
				d.CIDR = y.CIDR
			}
			out = append(out, d)
		}
	}
	return out
}
