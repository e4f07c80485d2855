// Package network is the model of what lets a packet through or not. It is pure: it knows no API and no policy.
//
// So far it has network ACLs. Route tables, security groups and gateways are judged where they are changed (pkg/route, pkg/firewall).
package network

import (
	"cmp"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// Ports is a range of TCP ports, both ends included.
type Ports struct{ From, To int }

// AllPorts are those of an entry for all protocols.
var AllPorts = Ports{0, 65535}

// Ephemeral are the ports on which a client may receive the answers: a network ACL, being stateless, must let them
// through. Linux uses 32768 to 60999, NAT gateways and Lambda 1024 to 65535.
// https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
var Ephemeral = Ports{32768, 60999}

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
	return prefixes(&b)
}

// prefixes are those of a set. Only a prefix that is not valid, which no CIDR of AWS's is, would make a set fail.
func prefixes(b *netipx.IPSetBuilder) []netip.Prefix {
	set, err := b.IPSet()
	if err != nil {
		panic(err)
	}
	return set.Prefixes()
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
		for _, p := range prefixes(set) {
			out = append(out, Denied{CIDR: p, Ports: l.ports, Rule: l.rule})
		}
	}
	slices.SortFunc(out, func(a, b Denied) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Ports.From, b.Ports.From), cmp.Compare(a.Ports.To, b.Ports.To),
			a.CIDR.Addr().Compare(b.CIDR.Addr()), cmp.Compare(a.CIDR.Bits(), b.CIDR.Bits()))
	})
	return out
}
