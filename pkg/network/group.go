package network

import (
	"net/netip"
	"slices"
)

// Group is a security group, as far as it is about TCP. It is stateful: what it lets through is answered.
// https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
type Group struct {
	ID      string
	Name    string
	Ingress []Rule
	Egress  []Rule
}

// Rule lets TCP through from, or to, one thing: CIDR, or Group, or the list. A prefix list whose entries were read is a rule for each.
type Rule struct {
	Ports Ports // [AllPorts] if it is for all protocols
	CIDR  netip.Prefix
	Group string // sg-…: whatever has that group on its interface
	List  string // pl-…; without a CIDR, its entries cannot be read
}

// Traffic is TCP between an interface and other ends, one way, as its security groups see it.
type Traffic struct {
	Peers []netip.Prefix // the addresses of the other ends
	Ports Ports          // destination ports
	// Groups are those on the other ends' interfaces, if a rule can refer to them.
	Groups []string
}

// Shut returns what of traffic no rule lets through. The rules of all groups of an interface add up, and several may let it through in parts.
// unread are the lists that may let through what is left.
func Shut(rules []Rule, t Traffic) (shut []Denied, unread []string) {
	var allowed []Entry
	for _, r := range rules {
		from, to := max(r.Ports.From, t.Ports.From), min(r.Ports.To, t.Ports.To)
		switch {
		case from > to:
		case r.CIDR.IsValid():
			allowed = append(allowed, Entry{Number: 1, Allow: true, CIDR: r.CIDR, Ports: r.Ports})
		case r.Group != "" && slices.Contains(t.Groups, r.Group):
			for _, p := range t.Peers {
				allowed = append(allowed, Entry{Number: 1, Allow: true, CIDR: p.Masked(), Ports: r.Ports})
			}
		case r.List != "":
			unread = append(unread, r.List)
		}
	}
	slices.Sort(unread)
	return Deny(allowed, t.Peers, t.Ports), slices.Compact(unread)
}
