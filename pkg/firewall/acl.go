package firewall

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Clients are where the clients of a VPC are.
type Clients struct {
	Subnets []string       // ids
	CIDRs   []netip.Prefix // the ranges of those subnets
}

// ClientsOf returns where the clients of a VPC are, those of all accounts, as the sides of a connection say.
func ClientsOf(sides []workflow.Side, v workflow.VPC) Clients {
	var out Clients
	for _, s := range sides {
		if s.VPC.ID != v.ID || s.VPC.Region != v.Region {
			continue
		}
		for _, c := range s.Clients {
			out.Subnets, out.CIDRs = append(out.Subnets, c.Subnets...), append(out.CIDRs, c.CIDRs...)
		}
	}
	slices.Sort(out.Subnets)
	out.Subnets, out.CIDRs = slices.Compact(out.Subnets), network.Merge(out.CIDRs)
	return out
}

// CheckACLs reads the network ACLs of one side's VPC and returns a hop for them: what they lack, or that nothing is in the way. there
// are the databases of the other side, and clients says where a VPC has clients: only there an ACL has to let them through.
//
// A VPC without clients, so far, is judged as if it had some anywhere, where its databases' peers are concerned.
func CheckACLs(ctx context.Context, ec2api ACLReader, side workflow.Side, there []workflow.Opening, clients func(workflow.VPC) Clients) ([]workflow.Hop, []string, error) {
	if len(side.Openings) == 0 && len(side.Ports) == 0 {
		return nil, nil, nil
	}
	acls, err := ReadACLs(ctx, ec2api, side.VPC.ID)
	if err != nil {
		return nil, nil, err
	}
	var lacks []string
	for _, o := range side.Openings {
		subnets := o.Subnets
		if len(subnets) == 0 {
			subnets = nil // unknown: any of the VPC's
		}
		peers := o.Family(side.Peer.CIDRs)
		lacking := Judge(acls, subnets, peers, []int{o.Port}, true)
		if len(lacking) > 0 {
			if from := within(clients(side.Peer).CIDRs, peers); len(from) > 0 {
				lacking = Judge(acls, subnets, from, []int{o.Port}, true)
			}
		}
		lacks = append(lacks, lacking...)
	}
	for _, o := range there {
		to := addresses(o, side.Peer.CIDRs)
		if len(Judge(acls, nil, to, []int{o.Port}, false)) == 0 {
			continue
		}
		if calling := clients(side.VPC); len(calling.Subnets) > 0 {
			lacks = append(lacks, Judge(acls, calling.Subnets, to, []int{o.Port}, false)...)
		}
	}
	lacks = append(lacks, attachmentACLs(acls, side, there, clients(side.VPC))...)
	slices.Sort(lacks)
	lacks = slices.Compact(lacks)
	hop := workflow.Hop{Hop: "network ACL " + side.VPC.ID, OK: len(lacks) == 0, Detail: "nothing in the way"}
	if len(lacks) > 0 {
		hop.Detail = strings.Join(lacks, "; ")
	}
	return []workflow.Hop{hop}, lacks, nil
}

// attachmentACLs judges the ACLs of those subnets of a gateway's attachment in which nothing else of the connection is. What comes from there
// to the gateway meets their inbound rules, what comes from the gateway their outbound rules; both by the addresses that are in this VPC, as if
// what is in it stood on the other side of the subnet. Where a database or a client shares the subnet, its own judgement is what AWS evaluates, and
// what [entering] says.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html
func attachmentACLs(acls []network.ACL, side workflow.Side, there []workflow.Opening, calling Clients) []string {
	var lacks []string
	own := slices.DeleteFunc(slices.Clone(side.VPC.CIDRs), func(p netip.Prefix) bool { // of a family in which nothing crosses
		return !slices.ContainsFunc(side.Peer.CIDRs, func(q netip.Prefix) bool { return q.Addr().Is4() == p.Addr().Is4() })
	})
	for _, o := range side.Openings {
		apart := without(side.Attached, o.Subnets)
		if len(apart) > 0 {
			lacks = append(lacks, Judge(acls, apart, addresses(o, own), []int{o.Port}, false)...)
		}
		lacks = append(lacks, entering(acls, among(side.Attached, o.Subnets), addresses(o, own), network.Ephemeral)...)
	}
	for _, o := range there {
		own := o.Family(own)
		if len(side.Attached) == 0 || len(Judge(acls, side.Attached, own, []int{o.Port}, true)) == 0 {
			continue
		}
		apart, from := without(side.Attached, calling.Subnets), within(calling.CIDRs, own)
		lacks = append(lacks, entering(acls, among(side.Attached, calling.Subnets), from, network.Ports{From: o.Port, To: o.Port})...)
		if len(apart) > 0 && len(from) > 0 {
			lacks = append(lacks, Judge(acls, apart, from, []int{o.Port}, true)...)
		}
	}
	return lacks
}

// without returns those of ids that are not among others.
func without(ids, others []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(others, id) })
}

// addresses are those that a database may have, of what the connection reaches of its VPC: all of that if its subnets are not known.
func addresses(o workflow.Opening, reached []netip.Prefix) []netip.Prefix {
	if len(o.CIDRs) == 0 {
		return o.Family(reached)
	}
	return within(o.Family(o.CIDRs), reached)
}

// entering says what the ACLs of subnets that an end shares with the attachment lack for what leaves them: on its way to the gateway it meets
// their inbound rules too, by the end's own addresses. Which of cidrs are those of which subnet is not known, so only what all of them lack is said.
func entering(acls []network.ACL, shared []string, cidrs []netip.Prefix, ports network.Ports) []string {
	var out []string
	for _, acl := range acls {
		if len(cidrs) == 0 || !slices.ContainsFunc(acl.Subnets, func(s string) bool { return slices.Contains(shared, s) }) {
			continue
		}
		if !slices.ContainsFunc(cidrs, func(p netip.Prefix) bool { return len(network.Deny(acl.Ingress, []netip.Prefix{p}, ports)) == 0 }) {
			out = append(out, acl.Lacks("inbound", "from", network.Deny(acl.Ingress, cidrs, ports))...)
		}
	}
	return out
}

// among returns those of ids that are among others.
func among(ids, others []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !slices.Contains(others, id) })
}

// within returns those of prefixes that a connection reaches.
func within(prefixes, reached []netip.Prefix) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(prefixes), func(p netip.Prefix) bool { return !slices.ContainsFunc(reached, p.Overlaps) })
}

// ReadACLs returns the network ACLs of a VPC.
func ReadACLs(ctx context.Context, ec2api ACLReader, vpc string) ([]network.ACL, error) {
	var acls []network.ACL
	pages := ec2.NewDescribeNetworkAclsPaginator(ec2api, &ec2.DescribeNetworkAclsInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the network ACLs of %s: %w", vpc, err)
		}
		for _, a := range page.NetworkAcls {
			acls = append(acls, convertACL(a))
		}
	}
	return acls, nil
}

// lastRule is the number of the entry * that every network ACL ends with.
// https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html
const lastRule = 32767

// convertACL keeps of an ACL what is about TCP.
func convertACL(a types.NetworkAcl) network.ACL {
	out := network.ACL{ID: aws.ToString(a.NetworkAclId)}
	for _, s := range a.Associations {
		out.Subnets = append(out.Subnets, aws.ToString(s.SubnetId))
	}
	for _, e := range a.Entries {
		if aws.ToInt32(e.RuleNumber) == lastRule {
			continue // what no other entry matches is denied anyway
		}
		entry := network.Entry{Number: int(aws.ToInt32(e.RuleNumber)), Allow: e.RuleAction == types.RuleActionAllow, Ports: network.AllPorts}
		cidr, err := netip.ParsePrefix(cmp.Or(aws.ToString(e.CidrBlock), aws.ToString(e.Ipv6CidrBlock)))
		protocol := aws.ToString(e.Protocol)
		if err != nil || protocol != "-1" && protocol != "6" && protocol != "tcp" {
			continue
		}
		entry.CIDR = cidr.Masked()
		if protocol != "-1" && e.PortRange != nil {
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
