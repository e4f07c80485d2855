package notebook

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// peer describes the network that a route leads to, as far as this side can see it: for a peering, the VPC at its
// other end; for a transit gateway, whose other end is many, the gateway itself in this account.
func (i Inspector) peer(ctx context.Context, clients APIs, here policy.VPC, target string, destination netip.Prefix, known map[string]policy.VPC) (policy.VPC, error) {
	if p, ok := known[target]; ok {
		if !strings.HasPrefix(target, "pcx-") {
			p.CIDRs = []netip.Prefix{destination}
		}
		return p, nil
	}
	peer := policy.VPC{ID: target, Region: here.Region, Account: here.Account, CIDRs: []netip.Prefix{destination}}
	if strings.HasPrefix(target, "pcx-") {
		got, err := clients.EC2.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{target}})
		if err != nil {
			return peer, fmt.Errorf("reading %s: %w", target, err)
		}
		for _, c := range got.VpcPeeringConnections {
			other := c.AccepterVpcInfo
			if other != nil && aws.ToString(other.VpcId) == here.ID {
				other = c.RequesterVpcInfo
			}
			if other == nil {
				continue
			}
			facts, err := i.Account(ctx, aws.ToString(other.OwnerId))
			if err != nil {
				return peer, err
			}
			peer = policy.VPC{ID: aws.ToString(other.VpcId), Region: aws.ToString(other.Region), CIDRs: []netip.Prefix{destination}, Account: facts.Entity()}
		}
	}
	known[target] = peer
	return peer, nil
}

func (i Inspector) vpc(ctx context.Context, clients APIs, at end) (policy.VPC, error) {
	facts, err := i.Account(ctx, at.Account)
	if err != nil {
		return policy.VPC{}, err
	}
	got, err := clients.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{at.vpc}})
	if err == nil && len(got.Vpcs) == 0 {
		err = fault.New(fault.NotYet, "EC2 does not show it")
	}
	if err != nil {
		return policy.VPC{}, fmt.Errorf("reading %s: %w", at.vpc, err)
	}
	out := policy.VPC{ID: at.vpc, Region: at.Region, CIDRs: route.CIDRs(got.Vpcs[0]), Account: facts.Entity()}
	tags := map[string]string{}
	for _, t := range got.Vpcs[0].Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	out.Tags = tag.Clean(tag.VPC, tags)
	return out, nil
}
