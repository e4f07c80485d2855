// Package firewall opens security groups for a connection and checks network ACLs.
//
// The producer's database admits the consumer's addresses on the database's port; the consumer's clients may reach
// the producer's addresses on it. A rule of ours carries the tag drawbridge:connection, so that removal finds exactly
// what was added, and drawbridge:peer, so that it finds the other side when AWS has forgotten what connected the two.
// Network ACLs are shared by whole subnets and ordered by their owner: they are read and judged, never changed.
// https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
package firewall

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// Rule admits TCP on the ports From to To from or to one source. A rule that AWS holds with several sources is several
// Rules here; descriptions are not compared.
type Rule struct {
	From, To int // 0 to 65535; both 0 and 65535 with AllProtocols
	CIDR     netip.Prefix
	Other    string // a group, a prefix list: anything that is not a CIDR
}

// Group is a security group with its TCP rules, one source each.
type Group struct {
	ID      string
	Name    string
	Ingress []Rule
	Egress  []Rule
}

// Tagged is a rule as AWS holds it, by its id, with the connection that its tag drawbridge:connection names.
type Tagged struct {
	ID         string // sgr-…
	Group      string
	Egress     bool
	Connection string         // empty: no such tag
	Peer       event.VPCPlace // that its tag drawbridge:peer names; zero: no such tag, or no VPC in it
	Allows     string         // for people: "TCP 3306 from 10.1.0.0/16"
	Rule       Rule           // what it admits, if that is TCP; else the zero value
}

// Revocation is what one call removes: rules of one group and one direction.
type Revocation struct {
	Group  string
	Egress bool
	Rules  []Tagged
}

// Wanted is a rule that a group must have.
type Wanted struct {
	Group string
	Rule  Rule
}

// admits reports whether r already lets everything of wanted through.
func (r Rule) admits(wanted Rule) bool {
	return r.CIDR.IsValid() && r.From <= wanted.From && r.To >= wanted.To &&
		r.CIDR.Addr().Is4() == wanted.CIDR.Addr().Is4() && r.CIDR.Bits() <= wanted.CIDR.Bits() && r.CIDR.Contains(wanted.CIDR.Addr())
}

func compare(a, b Wanted) int {
	if c := strings.Compare(a.Group, b.Group); c != 0 {
		return c
	}
	if a.Rule.From != b.Rule.From {
		return a.Rule.From - b.Rule.From
	}
	return a.Rule.CIDR.Compare(b.Rule.CIDR)
}

func sorted(wanted []Wanted) []Wanted {
	slices.SortFunc(wanted, compare)
	return slices.Compact(wanted)
}

// ACL is a network ACL with its entries in the order AWS evaluates them.
// https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
type ACL struct {
	ID      string
	Subnets []string
	Ingress []Entry
	Egress  []Entry
}

// Entry is one rule of a network ACL.
type Entry struct {
	Number   int
	Allow    bool
	CIDR     netip.Prefix
	From, To int // TCP ports; an entry for all protocols has 0 to 65535; entries for other protocols are left out
}

// Ephemeral are the ports on which a client may receive the answers: the network ACL, being stateless, must let them
// through. Linux uses 32768 to 60999, NAT gateways and Lambda 1024 to 65535.
// https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
var Ephemeral = Ports{32768, 60999}

// Ports is a range of TCP ports, both ends included.
type Ports struct{ From, To int }
