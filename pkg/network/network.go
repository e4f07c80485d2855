// Package network is the model of what lets a packet through or not, and the judge of it. It is pure: it knows no API and no policy.
//
//	network.go  the words: answers, hops, VPCs, subnets, the two ends of a path
//	target.go   what a route can lead to
//	table.go    route tables, by AWS's order of routes
//	acl.go      network ACLs, entry by entry
//	group.go    security groups with references and prefix lists
//	carrier.go  peerings and transit gateways
//	names.go    name resolution
//	judge.go    judges a path, hop by hop
//	leg.go      judges one way of it; arrive.go what it meets between a transit gateway and its end
//	between.go  judges what a gateway leads through another VPC on the way
//
// Every judgement has three answers. Yes was judged: every packet between the two ends gets through this hop. No was judged too: some packet
// does not, whatever the rest does, and the hop says whose thing is in the way and what to do. Unknown is what is outside the model: an
// appliance, a DNS server of one's own, a list that cannot be read. No answer is a guess.
package network

import (
	"net/netip"
	"slices"
	"strings"
)

// Answer is what a judgement says. The zero value is [Unknown]: what nobody judged is not known.
type Answer int

// The answers.
const (
	Unknown Answer = iota
	Yes
	No
)

// Is returns the answer to what is known.
func Is(b bool) Answer {
	if b {
		return Yes
	}
	return No
}

// Mark is an answer as people read it: ✓, ✗ or ?.
func (a Answer) Mark() string { return [...]string{"?", "✓", "✗"}[a] }

// worse returns the answer that counts of two things that must both hold.
func (a Answer) worse(b Answer) Answer {
	switch {
	case a == No || b == No:
		return No
	case a == Unknown || b == Unknown:
		return Unknown
	}
	return Yes
}

// Hop is one thing that must hold for a packet to arrive.
type Hop struct {
	Hop    string
	Answer Answer
	Detail string
	// Owner is the account whose thing is in the way, and Remedy what to do; only with No.
	Owner  string
	Remedy string
}

// All is the answer of a path: that of its worst hop. A path without hops was not judged.
func All(hops []Hop) Answer {
	if len(hops) == 0 {
		return Unknown
	}
	out := Yes
	for _, h := range hops {
		out = out.worse(h.Answer)
	}
	return out
}

// Subnet is a subnet with its addresses.
type Subnet struct {
	ID     string
	Zone   string         // of an Availability Zone, a Local Zone or a Wavelength Zone
	ZoneID string         // the same in every account; empty if it was not read
	CIDRs  []netip.Prefix // IPv4, IPv6 or both
	// Outpost is the ARN of the Outpost that it is on.
	Outpost string
}

// Edge says of a subnet that is not in an Availability Zone of its Region what it is in instead: such a place has rules of its own about what
// it reaches, which the model does not know. The names of Local Zones and Wavelength Zones have that of a place in them.
// https://docs.aws.amazon.com/local-zones/latest/ug/concepts-local-zones.html
func (s Subnet) Edge() string {
	switch {
	case s.Outpost != "":
		return "an Outpost"
	case strings.Contains(s.Zone, "-wl"):
		return "a Wavelength Zone"
	case slices.ContainsFunc(strings.Split(s.Zone, "-"), func(part string) bool { return part != "" && strings.Trim(part, "0123456789") == "" }):
		return "a Local Zone" // us-east-1-bos-1a; an Availability Zone is named us-east-1a, eusc-de-east-1a
	}
	return ""
}

// VPC is a VPC with what decides about packets in it. A nil slice of tables, ACLs or groups was not read.
type VPC struct {
	ID      string
	Account string
	Region  string
	CIDRs   []netip.Prefix // all ranges, IPv4 and IPv6
	Subnets []Subnet
	Tables  []Table
	ACLs    []ACL
	Groups  []Group
	Names   Names
}

// Subnet returns one of the VPC's subnets.
func (v VPC) Subnet(id string) (Subnet, bool) {
	n := slices.IndexFunc(v.Subnets, func(s Subnet) bool { return s.ID == id })
	if n < 0 {
		return Subnet{}, false
	}
	return v.Subnets[n], true
}

// TableOf returns the route table that a subnet uses: its own, else the main one.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
func (v VPC) TableOf(subnet string) (Table, bool) {
	n := slices.IndexFunc(v.Tables, func(t Table) bool { return slices.Contains(t.Subnets, subnet) })
	if n < 0 {
		n = slices.IndexFunc(v.Tables, func(t Table) bool { return t.Main })
	}
	if n < 0 {
		return Table{}, false
	}
	return v.Tables[n], true
}

// ACLOf returns the network ACL of a subnet. Every subnet has exactly one.
func (v VPC) ACLOf(subnet string) (ACL, bool) {
	n := slices.IndexFunc(v.ACLs, func(a ACL) bool { return slices.Contains(a.Subnets, subnet) })
	if n < 0 {
		return ACL{}, false
	}
	return v.ACLs[n], true
}

// Group returns one of the VPC's security groups.
func (v VPC) Group(id string) (Group, bool) {
	n := slices.IndexFunc(v.Groups, func(g Group) bool { return g.ID == id })
	if n < 0 {
		return Group{}, false
	}
	return v.Groups[n], true
}

// World is all that packets may meet between two ends.
type World struct {
	VPCs     []VPC
	Peerings []Peering
	Gateways []Gateway
}

func (w World) vpc(id string) (VPC, bool) {
	n := slices.IndexFunc(w.VPCs, func(v VPC) bool { return v.ID == id })
	if n < 0 {
		return VPC{}, false
	}
	return w.VPCs[n], true
}

// Client is what opens connections.
type Client struct {
	Name    string
	VPC     string
	Subnets []string // in which its interface is, or may be
	Groups  []string // of its interface
	// Addresses are those of its interface; without, it may have any of its subnets.
	Addresses []netip.Prefix
	// Replies are the ranges of ports at one of which it receives the answers: several if it is not known which of them is its own. Empty: [Ephemeral].
	Replies []Ports
	// Host is there for a notebook instance whose operating system has to be told what to send into the VPC.
	Host *Host
}

// Answered returns the ranges of ports at one of which a client receives the answers.
func (c Client) Answered() []Ports {
	if len(c.Replies) == 0 {
		return []Ports{Ephemeral}
	}
	return c.Replies
}

// Host is the routing on a notebook instance with direct internet access: only the ranges of its own VPC leave by its interface there, and those
// that a script sets. https://docs.aws.amazon.com/sagemaker/latest/dg/appendix-notebook-and-internet-access.html
type Host struct {
	Routes []netip.Prefix // that its on-start script sets
	// Unread says why it is not known what else the script sets; empty if nothing does.
	Unread string
}

// Database is what answers.
type Database struct {
	Name    string
	VPC     string
	Subnets []string // in which its interfaces are, or may come to be by a failover
	Groups  []string
	// Addresses are those of its interfaces; without, it may have any of its subnets.
	Addresses []netip.Prefix
	// Dual says that it has IPv6 addresses as well as IPv4.
	Dual bool
	// Public says whether it has a public address too, to which its name resolves where nothing says otherwise.
	Public Answer
}
