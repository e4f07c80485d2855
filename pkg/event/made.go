package event

import (
	"cmp"
	"net/netip"
)

// Made is something that a call made, in the words by which the ledger has such a thing.
type Made struct{ Key, Left string }

// begins are the touches that only make: nothing is taken away by them.
var begins = []string{"CreateRoute", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "EnableHttpEndpoint", "AttachRolePolicy"}

// made returns what a call made that may be just as Drawbridge makes it.
func made(call string, r record) []Made {
	switch call {
	case "CreateRoute", "ReplaceRoute":
		return routes(r)
	case "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress":
		return rules(r)
	case "ModifyVpcPeeringConnectionOptions":
		return options(r)
	case "EnableHttpEndpoint":
		return []Made{{"http-endpoint", "on"}}
	}
	return nil
}

// routes are what CreateRoute and ReplaceRoute made: as the ledger has it, if it leads to a peering or a gateway. EC2 stores a destination without host bits.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html
func routes(r record) []Made {
	target := cmp.Or(r.request.one("vpcPeeringConnectionId"), r.request.one("transitGatewayId"))
	var out []Made
	for _, path := range destinations {
		if to, err := netip.ParsePrefix(r.request.one(path...)); err == nil && target != "" {
			out = append(out, Made{to.Masked().String(), target})
		}
	}
	return out
}

// rules are what AuthorizeSecurityGroupIngress and AuthorizeSecurityGroupEgress made, as their answer names them: the keys are those of package firewall.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
func rules(r record) []Made {
	var out []Made
	for _, rule := range r.response.at("securityGroupRuleSet") {
		direction := "ingress"
		if rule.one("isEgress") == "true" {
			direction = "egress"
		}
		ports := rule.one("fromPort")
		if to := rule.one("toPort"); to != ports {
			ports += "-" + to
		}
		peer := cmp.Or(rule.one("cidrIpv4"), rule.one("cidrIpv6"), rule.one("referencedGroupInfo", "groupId"))
		if rule.one("ipProtocol") == "tcp" && peer != "" {
			out = append(out, Made{direction + " tcp " + ports + " " + peer, rule.one("securityGroupRuleId")})
		}
	}
	return out
}

// options are the DNS options that ModifyVpcPeeringConnectionOptions turned on, by the side.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcPeeringConnectionOptions.html
func options(r record) []Made {
	var out []Made
	for _, side := range []string{"requester", "accepter"} {
		if r.request.one(side+"PeeringConnectionOptions", "allowDnsResolutionFromRemoteVpc") == "true" {
			out = append(out, Made{side, "on"})
		}
	}
	return out
}
