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
func (v *visit) allowed(ctx context.Context, table workflow.Table, resource policy.Notebook, one *workflow.Notebook) ([]workflow.Route, error) {
	reached := route.HostRoutes(table)
	kept := []workflow.Route{}
	denied := policy.Decision{}
	for _, r := range table.Routes {
		if !slices.Contains(reached, r.Destination) || r.Blackhole {
			continue
		}
		peer, err := v.peer(ctx, r.Target, r.Destination)
		if err != nil {
			return nil, err
		}
		inject := v.set.Inject(peer, resource, policy.Context{Connection: r.Target})
		if !inject.Allowed {
			denied = inject
			continue
		}
		kept = append(kept, r)
		one.Inject = inject
		one.Restart = v.set.Restart(peer, resource, policy.Context{Connection: r.Target})
	}
	if len(kept) == 0 && denied.Policy != "" {
		one.Inject = denied
	}
	return kept, nil
}

// peer describes the network that a route leads to, as far as this side can see it: for a peering, the VPC at its other end; for a transit gateway,
// whose other end is many, the gateway itself in this account. A peering is read once.
func (v *visit) peer(ctx context.Context, target string, destination netip.Prefix) (policy.VPC, error) {
	here := v.here
	peer, read := v.peers[target]
	if !read {
		peer = policy.VPC{ID: target, Region: here.Region, Account: here.Account, CIDRs: []netip.Prefix{destination}}
	}
	switch road.CarrierOf(target) {
	case road.ByPeering:
		if read {
			break
		}
		got, err := v.clients.EC2.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{target}})
		if err != nil {
			return peer, fmt.Errorf("reading %s: %w", target, err)
		}
		for _, c := range got.VpcPeeringConnections {
			other := c.AccepterVpcInfo
			if other != nil && aws.ToString(other.VpcId) == here.ID {
				other = c.RequesterVpcInfo
			}
			if other != nil {
				facts, err := v.Account(ctx, aws.ToString(other.OwnerId))
				if err != nil {
					return peer, err
				}
				peer = policy.VPC{ID: aws.ToString(other.VpcId), Region: aws.ToString(other.Region), CIDRs: []netip.Prefix{destination}, Account: facts.Entity()}
			}
		}
	case road.ByGateway, road.ByNothing:
		peer.CIDRs = []netip.Prefix{destination}
	}
	v.peers[target] = peer
	return peer, nil
}

// readVPC reads the VPC, as the policy is asked about it.
func (v *visit) readVPC(ctx context.Context) (policy.VPC, error) {
	facts, err := v.Account(ctx, v.Place.Account)
	if err != nil {
		return policy.VPC{}, err
	}
	got, err := v.clients.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{v.vpc}})
	if err == nil && len(got.Vpcs) == 0 {
		err = fault.New(fault.NotYet, "EC2 does not show it")
	}
	if err != nil {
		return policy.VPC{}, fmt.Errorf("reading %s: %w", v.vpc, err)
	}
	out := policy.VPC{ID: v.vpc, Region: v.Region, CIDRs: route.CIDRs(got.Vpcs[0]), Account: facts.Entity()}
	tags := map[string]string{}
	for _, t := range got.Vpcs[0].Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	out.Tags = tag.Clean(tag.VPC, tags)
	return out, nil
}
