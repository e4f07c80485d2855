package discover

import (
	"cmp"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// lastRule is the number of the entry * that every network ACL ends with.
// https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html
const lastRule = 32767

// tcp reports whether a protocol is TCP, or all, which is said of all ports.
func tcp(protocol string) (is, all bool) {
	all = protocol == "-1"
	return all || protocol == "6" || protocol == "tcp", all
}

// convertACL keeps of an ACL what is about TCP.
func convertACL(a types.NetworkAcl) network.ACL {
	out := network.ACL{ID: aws.ToString(a.NetworkAclId)}
	for _, s := range a.Associations {
		out.Subnets = append(out.Subnets, aws.ToString(s.SubnetId))
	}
	for _, e := range a.Entries {
		cidr, err := netip.ParsePrefix(cmp.Or(aws.ToString(e.CidrBlock), aws.ToString(e.Ipv6CidrBlock)))
		is, all := tcp(aws.ToString(e.Protocol))
		if err != nil || !is || aws.ToInt32(e.RuleNumber) == lastRule { // what no other entry matches is denied anyway
			continue
		}
		entry := network.Entry{Number: int(aws.ToInt32(e.RuleNumber)), Allow: e.RuleAction == types.RuleActionAllow, CIDR: cidr.Masked(), Ports: network.AllPorts}
		if !all && e.PortRange != nil {
			entry.Ports = network.Ports{From: int(aws.ToInt32(e.PortRange.From)), To: int(aws.ToInt32(e.PortRange.To))}
		}
		if aws.ToBool(e.Egress) {
			out.Egress = append(out.Egress, entry)
		} else {
			out.Ingress = append(out.Ingress, entry)
		}
	}
	return out
}

func convertGroup(g types.SecurityGroup) network.Group {
	return network.Group{ID: aws.ToString(g.GroupId), Name: aws.ToString(g.GroupName), Ingress: rules(g.IpPermissions), Egress: rules(g.IpPermissionsEgress)}
}

// rules expands permissions to one source or destination each, and keeps those for TCP.
func rules(permissions []types.IpPermission) []network.Rule {
	var out []network.Rule
	for _, p := range permissions {
		ports := network.AllPorts
		is, all := tcp(aws.ToString(p.IpProtocol))
		if !is {
			continue
		}
		if !all && p.FromPort != nil && p.ToPort != nil && *p.FromPort >= 0 {
			ports = network.Ports{From: int(*p.FromPort), To: int(*p.ToPort)}
		}
		for _, r := range p.IpRanges {
			if cidr, err := netip.ParsePrefix(aws.ToString(r.CidrIp)); err == nil {
				out = append(out, network.Rule{Ports: ports, CIDR: cidr.Masked()})
			}
		}
		for _, r := range p.Ipv6Ranges {
			if cidr, err := netip.ParsePrefix(aws.ToString(r.CidrIpv6)); err == nil {
				out = append(out, network.Rule{Ports: ports, CIDR: cidr.Masked()})
			}
		}
		for _, g := range p.UserIdGroupPairs {
			out = append(out, network.Rule{Ports: ports, Group: aws.ToString(g.GroupId)})
		}
		for _, l := range p.PrefixListIds {
			out = append(out, network.Rule{Ports: ports, List: aws.ToString(l.PrefixListId)})
		}
	}
	return out
}

func convertPeering(c types.VpcPeeringConnection) network.Peering {
	out := network.Peering{ID: aws.ToString(c.VpcPeeringConnectionId)}
	if c.Status != nil {
		out.Active = network.Is(c.Status.Code == types.VpcPeeringConnectionStateReasonCodeActive)
	}
	for n, info := range []*types.VpcPeeringConnectionVpcInfo{c.RequesterVpcInfo, c.AccepterVpcInfo} {
		if info == nil {
			continue
		}
		out.VPCs[n] = aws.ToString(info.VpcId)
		if o := info.PeeringOptions; o != nil && o.AllowDnsResolutionFromRemoteVpc != nil {
			out.Resolves[n] = network.Is(*o.AllowDnsResolutionFromRemoteVpc)
		}
	}
	return out
}
