package notebook

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// allowed returns the routes of table that the policy lets the notebook use, and records the deciding policy in one.
// Many parameters, because they are all that the policy is asked about.
func (i Inspector) allowed(ctx context.Context, clients APIs, set *policy.Set, here policy.VPC, table workflow.Table, resource policy.Notebook, peers map[string]policy.VPC, one *workflow.Notebook) ([]workflow.Route, error) {
	reached := route.HostRoutes(table)
	kept := []workflow.Route{}
	denied := policy.Decision{}
	for _, r := range table.Routes {
		if !slices.Contains(reached, r.Destination) || r.Blackhole {
			continue
		}
		peer, err := i.peer(ctx, clients, here, r.Target, r.Destination, peers)
		if err != nil {
			return nil, err
		}
		inject := set.Inject(peer, resource, policy.Context{Connection: r.Target})
		if !inject.Allowed {
			denied = inject
			continue
		}
		kept = append(kept, r)
		one.Inject = inject
		one.Restart = set.Restart(peer, resource, policy.Context{Connection: r.Target})
	}
	if len(kept) == 0 && denied.Policy != "" {
		one.Inject = denied
	}
	return kept, nil
}

// peer describes the network that a route leads to, as far as this side can see it: for a peering, the VPC at its other end; for a transit gateway,
// whose other end is many, the gateway itself in this account. What was read of a peering is known.
func (i Inspector) peer(ctx context.Context, clients APIs, here policy.VPC, target string, destination netip.Prefix, known map[string]policy.VPC) (policy.VPC, error) {
	peer, read := known[target]
	if !read {
		peer = policy.VPC{ID: target, Region: here.Region, Account: here.Account, CIDRs: []netip.Prefix{destination}}
	}
	switch road.CarrierOf(target) {
	case road.ByPeering:
		if read {
			break
		}
		got, err := clients.EC2.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{target}})
		if err != nil {
			return peer, fmt.Errorf("reading %s: %w", target, err)
		}
		for _, c := range got.VpcPeeringConnections {
			other := c.AccepterVpcInfo
			if other != nil && aws.ToString(other.VpcId) == here.ID {
				other = c.RequesterVpcInfo
			}
			if other != nil {
				facts, err := i.Account(ctx, aws.ToString(other.OwnerId))
				if err != nil {
					return peer, err
				}
				peer = policy.VPC{ID: aws.ToString(other.VpcId), Region: aws.ToString(other.Region), CIDRs: []netip.Prefix{destination}, Account: facts.Entity()}
			}
		}
	case road.ByGateway, road.ByNothing:
		peer.CIDRs = []netip.Prefix{destination}
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
