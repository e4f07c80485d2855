// Package road lists what leads from one account into another, in one place: the kinds of connections, and what carries packets between two VPCs.
//
// Whoever tells one kind from the others does it by a switch or a map that has all of them, so that the tests of this package name each place which a
// new kind has to be added to. Nobody else looks at how an id begins.
package road

import "strings"

// Kind is a kind of connection: what an entry of the ledger is about, and which machine looks at it, drawbridge-<kind>.
type Kind string

// The kinds of connections.
const (
	Peering          Kind = "peering"
	Transit          Kind = "transit"           // a pair of VPCs on a transit gateway
	Attachment       Kind = "attachment"        // of a VPC to a transit gateway
	DataAPI          Kind = "data-api"          // an Aurora cluster that other accounts query through the Data API
	DataAPIEndpoint  Kind = "data-api-endpoint" // a VPC from which the Data API is called
	Studio           Kind = "studio"            // a Redshift cluster or workgroup that people of Studio read
	PrivateNotebooks Kind = "private-notebooks" // the private notebooks of an account in a VPC
	Share            Kind = "share"             // a resource share of RAM that was accepted
)

// Carrier is what carries packets between two VPCs: the target of their routes.
type Carrier string

// The carriers.
const (
	ByPeering Carrier = "peering"
	ByGateway Carrier = "transit gateway"
	ByNothing Carrier = "" // it is none, or none that Drawbridge leads anything through
)

// kinds is the one table. The order is that in which people see them.
var kinds = []struct {
	kind    Kind
	carrier Carrier           // if it connects two VPCs
	is      func(string) bool // whether an id, as the ledger has it, can only be one of this kind; nil: ids do not tell
}{
	{Peering, ByPeering, begins("pcx-")},
	{Transit, ByGateway, func(id string) bool { _, _, ok := Pair(id); return ok }},
	{Attachment, ByNothing, begins("tgw-attach-")},
	{DataAPI, ByNothing, of("rds")},
	{DataAPIEndpoint, ByNothing, begins("data-api-endpoint-vpc-")},
	{Studio, ByNothing, of("redshift")},
	{PrivateNotebooks, ByNothing, begins("private-notebooks-vpc-")},
	{Share, ByNothing, nil},
}

// carriers are the carriers by how their ids begin. Gateways have neighbours that begin like them.
var carriers = []struct {
	prefix  string
	carrier Carrier
}{{"pcx-", ByPeering}, {"tgw-attach-", ByNothing}, {"tgw-rtb-", ByNothing}, {"tgw-", ByGateway}}

func begins(prefix string) func(string) bool {
	return func(id string) bool { return strings.HasPrefix(id, prefix) }
}

func of(service string) func(string) bool {
	return func(id string) bool { return strings.HasPrefix(id, "arn:") && strings.Contains(id, ":"+service+":") }
}

// Kinds returns all the kinds, in the order in which people see them.
func Kinds() []Kind {
	var out []Kind
	for _, k := range kinds {
		out = append(out, k.kind)
	}
	return out
}

// Of returns the kind of a connection by its id alone, or "" where that does not tell.
func Of(id string) Kind {
	for _, k := range kinds {
		if k.is != nil && k.is(id) {
			return k.kind
		}
	}
	return ""
}

// Looks returns the kind at which a state machine looks, by the machine's name; of another machine a kind that there is not.
func Looks(machine string) Kind { return Kind(strings.TrimPrefix(machine, "drawbridge-")) }

// Carrier returns what carries the packets of a kind that connects two VPCs, else [ByNothing].
func (k Kind) Carrier() Carrier {
	for _, one := range kinds {
		if one.kind == k {
			return one.carrier
		}
	}
	return ByNothing
}

// Connects reports whether a kind connects two VPCs.
func (k Kind) Connects() bool { return k.Carrier() != ByNothing }

// CarrierOf returns what the target of a route is, by its id.
func CarrierOf(target string) Carrier {
	for _, c := range carriers {
		if strings.HasPrefix(target, c.prefix) {
			return c.carrier
		}
	}
	return ByNothing
}

// Pair takes the id of a pair on a gateway apart, tgw-…:vpc-…:vpc-…: the gateway and the two VPCs, sorted.
func Pair(id string) (gateway string, vpcs [2]string, ok bool) {
	words := strings.Split(id, ":")
	if len(words) != 3 || CarrierOf(words[0]) != ByGateway || !strings.HasPrefix(words[1], "vpc-") || !strings.HasPrefix(words[2], "vpc-") || words[1] >= words[2] {
		return "", vpcs, false
	}
	return words[0], [2]string{words[1], words[2]}, true
}

// Carries reports whether the target of a route is a carrier, of whatever kind.
func Carries(target string) bool { return CarrierOf(target) != ByNothing }

// Machine returns the name of the state machine that looks at connections of a kind.
func (k Kind) Machine() string { return "drawbridge-" + string(k) }

// Patterns match the ids of all connections between two VPCs, and no others, as IAM compares texts: pcx-*, tgw-*.
func Patterns() []string {
	var out []string
	for _, c := range carriers {
		if c.carrier != ByNothing {
			out = append(out, c.prefix+"*")
		}
	}
	return out
}
