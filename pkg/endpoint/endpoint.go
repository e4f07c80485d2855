// Package endpoint gives one VPC the interface endpoints it needs to call AWS services privately.
//
// Which services is data: the full names that AWS gives them, such as com.amazonaws.eu-west-1.rds-data. An endpoint that
// the VPC's owner made is used as it is: never doubled, changed or deleted. What is missing is made with private DNS,
// one subnet in every Availability Zone, and a security group of ours that admits HTTPS from the VPC and from the ranges
// it is given, and from nowhere else. What is ours is in the ledger, and removal takes exactly that, with the last who needs it. It
// carries the tag drawbridge:connection with the owner's word as well: IAM lets nothing else be touched.
// https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
package endpoint

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// TagConnection marks what Drawbridge made, with the word it was made for.
const TagConnection = "drawbridge:connection"

// HTTPS is the port on which interface endpoints of AWS services answer.
const HTTPS = 443

// Want says what one VPC shall have.
type Want struct {
	// Owner is the value of the tag drawbridge:connection on what is made. The security group is called
	// drawbridge-<Owner>, so two purposes in one VPC never share or quarrel about a group.
	Owner    string
	Account  string
	Region   string
	VPC      string
	Services []string       // full names
	Callers  []netip.Prefix // who may call beside the VPC itself: ranges on premises, of a VPN
	Kind     road.Kind      // of the VPC's entry in the ledger: the name of the machine that asks
	By       string         // the execution
	Leave    bool           // the policy wants what somebody takes away to be left to them
	// Left are the keys of parts and rules that are left to whoever took them away; see [Parts]. NoGroup says so of the security group.
	Left    []string
	NoGroup bool
}

// Network is what one VPC has, as far as its endpoints are concerned.
type Network struct {
	VPC          string
	CIDRs        []netip.Prefix // IPv4, primary and secondary
	DNSSupport   bool           // the attribute enableDnsSupport
	DNSHostnames bool           // the attribute enableDnsHostnames
	Subnets      []Subnet
	Offers       []Offer
	Endpoints    []Endpoint
	Group        string // ours, sg-…; empty: there is none
	Rules        []Rule // ingress rules of all groups of Endpoints and of Group
}

// Subnet is a subnet with what matters for placing a network interface in it.
type Subnet struct {
	ID   string
	Zone string // Availability Zone, by name
	CIDR netip.Prefix
	Free int // addresses
}

// Offer is a service as AWS offers it in a Region.
type Offer struct {
	Service string
	Zones   []string
	Names   []string // its private DNS names
}

// Endpoint is an interface endpoint of the VPC.
type Endpoint struct {
	ID         string   `json:"id"`
	Service    string   `json:"service"`
	State      string   `json:"state"` // AWS's word, in lower case
	PrivateDNS bool     `json:"privateDns"`
	Subnets    []string `json:"subnets,omitempty"`
	Groups     []string `json:"groups,omitempty"`
	Owner      string   `json:"owner,omitempty"` // as read, its tag drawbridge:connection; see [Claim]; empty: somebody else's
}

// Rule is an ingress rule of a security group, for TCP and with a range of addresses as its source.
type Rule struct {
	ID       string // sgr-…
	Group    string
	From, To int
	CIDR     netip.Prefix // invalid: the source is a group or a prefix list
	Owner    string       // its tag drawbridge:connection
}

// live reports whether an endpoint is there or on its way, as opposed to dead or dying.
func (e Endpoint) live() bool {
	return slices.Contains([]string{"available", "pending", "pendingacceptance", "partial"}, e.State)
}

// gone reports whether nothing is left of an endpoint; AWS shows it for a while after that.
func (e Endpoint) gone() bool { return e.State == "deleted" }

// admits reports whether the rule lets HTTPS from all of source in.
func (r Rule) admits(source netip.Prefix) bool {
	return r.CIDR.IsValid() && r.From <= HTTPS && r.To >= HTTPS && r.CIDR.Addr().Is4() == source.Addr().Is4() &&
		r.CIDR.Bits() <= source.Bits() && r.CIDR.Contains(source.Addr())
}

// GroupName returns the name of the security group that is made for an owner's word.
func GroupName(owner string) string { return "drawbridge-" + owner }

// Of returns the live endpoint of a service that the VPC's clients meet: the one with private DNS, if there are several.
func (n Network) Of(service string) (Endpoint, bool) {
	var found []Endpoint
	for _, e := range n.Endpoints {
		if e.Service == service && e.live() {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return Endpoint{}, false
	}
	slices.SortFunc(found, func(a, b Endpoint) int {
		if a.PrivateDNS != b.PrivateDNS {
			return map[bool]int{true: -1, false: 1}[a.PrivateDNS]
		}
		return strings.Compare(a.ID, b.ID)
	})
	return found[0], true
}

// Sources returns who may call the endpoints: the VPC's IPv4 CIDRs and those of callers, sorted, each once. A range
// within another one is left to that one.
func Sources(vpc, callers []netip.Prefix) []netip.Prefix {
	var all []netip.Prefix
	for _, p := range slices.Concat(vpc, callers) {
		if p.IsValid() && p.Addr().Is4() {
			all = append(all, p.Masked())
		}
	}
	slices.SortFunc(all, netip.Prefix.Compare)
	var out []netip.Prefix
	for _, p := range slices.Compact(all) {
		if !slices.ContainsFunc(all, func(q netip.Prefix) bool { return q.Bits() < p.Bits() && q.Contains(p.Addr()) }) {
			out = append(out, p)
		}
	}
	return out
}
