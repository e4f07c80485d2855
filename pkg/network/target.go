package network

import "strings"

// Kind is what a route leads to.
type Kind string

// The kinds of targets of a route of a VPC's route table.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
const (
	Local           Kind = "the VPC itself"
	PeeringTarget   Kind = "a peering"
	GatewayTarget   Kind = "a transit gateway"
	NAT             Kind = "a NAT gateway"
	Internet        Kind = "an internet gateway"
	EgressOnly      Kind = "an egress-only internet gateway"
	PrivateGateway  Kind = "a virtual private gateway"
	Interface       Kind = "a network interface" // of an instance: an appliance
	Endpoint        Kind = "an endpoint"         // of a Gateway Load Balancer, to an appliance; or of a service by a gateway endpoint
	LocalGateway    Kind = "a local gateway"     // of an Outpost
	CoreNetwork     Kind = "a core network"      // AWS Cloud WAN
	CarrierGateway  Kind = "a carrier gateway"   // of a Wavelength Zone
	DatabaseNetwork Kind = "an ODB network"
	Nowhere         Kind = "nothing"
	Strange         Kind = "something that nobody here knows"
)

// prefixes of ids, by the kind of target. Only ids begin so: a core network and an ODB network are named by an ARN.
var kinds = []struct {
	prefix string
	kind   Kind
}{
	{"pcx-", PeeringTarget}, {"tgw-", GatewayTarget}, {"nat-", NAT}, {"igw-", Internet}, {"eigw-", EgressOnly}, {"vgw-", PrivateGateway},
	{"eni-", Interface}, {"i-", Interface}, {"vpce-", Endpoint}, {"lgw-", LocalGateway}, {"cagw-", CarrierGateway},
}

// KindOf returns what the target of a route is, by its id.
func KindOf(target string) Kind {
	switch {
	case target == "local":
		return Local
	case target == "":
		return Nowhere
	case strings.HasPrefix(target, "arn:") && strings.Contains(target, ":core-network/"):
		return CoreNetwork
	case strings.HasPrefix(target, "arn:") && strings.Contains(target, ":odb-network/"):
		return DatabaseNetwork
	}
	for _, k := range kinds {
		if strings.HasPrefix(target, k.prefix) {
			return k.kind
		}
	}
	return Strange
}
