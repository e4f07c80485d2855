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

// CheckACLs reads the network ACLs of one side's VPC and returns a hop for its subnets: what they lack, or that
// nothing is in the way. there are the databases of the other side.
func CheckACLs(ctx context.Context, ec2api ACLReader, side workflow.Side, there []workflow.Opening, notebookSubnets []string) ([]workflow.Hop, []string, error) {
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
		lacks = append(lacks, Judge(acls, subnets, side.Peer.CIDRs, []int{o.Port}, true)...)
	}
	for _, o := range there {
		if len(notebookSubnets) > 0 {
			lacks = append(lacks, Judge(acls, notebookSubnets, addresses(o, side.Peer.CIDRs), []int{o.Port}, false)...)
		}
	}
	slices.Sort(lacks)
	lacks = slices.Compact(lacks)
	hop := workflow.Hop{Hop: "network ACL " + side.VPC.ID, OK: len(lacks) == 0, Detail: "nothing in the way"}
	if len(lacks) > 0 {
		hop.Detail = strings.Join(lacks, "; ")
	}
	return []workflow.Hop{hop}, lacks, nil
}

// addresses are those that a database may have, of what the connection reaches of its VPC: all of that if its subnets are not known.
func addresses(o workflow.Opening, reached []netip.Prefix) []netip.Prefix {
	if len(o.CIDRs) == 0 {
		return reached
	}
	return slices.DeleteFunc(slices.Clone(o.CIDRs), func(p netip.Prefix) bool {
		return !slices.ContainsFunc(reached, p.Overlaps)
	})
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

// convertACL keeps of an ACL what is about TCP.
func convertACL(a types.NetworkAcl) network.ACL {
	out := network.ACL{ID: aws.ToString(a.NetworkAclId)}
	for _, s := range a.Associations {
		out.Subnets = append(out.Subnets, aws.ToString(s.SubnetId))
	}
	for _, e := range a.Entries {
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
