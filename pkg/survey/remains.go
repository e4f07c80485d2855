package survey

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// There reports whether a VPC still exists. v needs no CIDRs.
func (s Surveyor) There(ctx context.Context, v workflow.VPC) (bool, error) {
	got, err := s.Enter(v.Place()).EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{v.ID}})
	if fault.HasCode(err, "InvalidVpcID.NotFound") {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("in %s, %s: reading %s: %w", v.Account, v.Region, v.ID, err)
	}
	return len(got.Vpcs) > 0, nil
}

// Instances returns, in batches, the notebook instances of an account in a VPC that may have a host route or a status of Drawbridge's, and a batch
// without names for each subnet whose notebooks are all deleted, while the ledger has host routes for it. owner is the VPC's, if that is another account.
func (s Surveyor) Instances(ctx context.Context, v workflow.VPC, owner string) ([]workflow.Batch, error) {
	clients := s.Enter(v.Place())
	network := event.Place{Account: cmp.Or(owner, v.Account), Region: v.Region}
	subnets, err := route.ReadSubnets(ctx, s.Enter(network).EC2, v.ID)
	if _, unreadable := fault.Unreadable(err); unreadable && owner != "" { // a participant sees what is still shared with it
		network = v.Place()
		subnets, err = route.ReadSubnets(ctx, clients.EC2, v.ID)
	}
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", network.Account, network.Region, err)
	}
	found, err := notebook.All(ctx, clients.SageMaker, notebook.Memory{Ledger: s.Ledger, At: v.Place()}, route.SubnetIDs(subnets))
	if err == nil { // with a script of its own it may have a host route, else only a status
		err = notebook.Tag(ctx, clients.SageMaker, found, func(n notebook.Instance) bool { return n.DirectInternet && n.LifecycleConfig == "" })
	}
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
	}
	found = slices.DeleteFunc(found, func(n notebook.Instance) bool {
		return !n.DirectInternet || n.LifecycleConfig == "" && n.Tags[tag.Status] == ""
	})
	one := workflow.Batch{Account: v.Account, Region: v.Region, VPC: v.ID, Owner: owner}
	batches := notebook.Batches(one, subnets, found)
	unused, err := s.unused(ctx, one, subnets, batches)
	return append(batches, unused...), err
}

// unused returns a batch without names for each subnet in which no notebook is any more, but for which the ledger has host routes: the scripts of deleted
// notebooks are there still. A subnet that is deleted, too, is named by the entries of the place, and its addresses by its host routes.
func (s Surveyor) unused(ctx context.Context, one workflow.Batch, subnets []route.Subnet, batches []workflow.Batch) ([]workflow.Batch, error) {
	entries, err := s.Ledger.Connections(ctx, one.Account, one.Region)
	if err != nil {
		return nil, err
	}
	subnets = slices.Clone(subnets)
	for _, entry := range entries {
		for _, h := range entry.Hosts {
			here := h.Account == one.Account && h.Region == one.Region && h.VPC == one.VPC
			if here && !slices.ContainsFunc(subnets, func(sub route.Subnet) bool { return sub.ID == h.Subnet }) {
				subnets = append(subnets, route.Subnet{ID: h.Subnet})
			}
		}
	}
	var out []workflow.Batch
	for _, sub := range subnets {
		if slices.ContainsFunc(batches, func(b workflow.Batch) bool { return b.Subnet == sub.ID }) {
			continue
		}
		items, err := s.Ledger.Items(ctx, sub.ID)
		if err != nil {
			return nil, fmt.Errorf("reading what the ledger has for %s: %w", sub.ID, err)
		}
		at := slices.IndexFunc(items, func(i ledger.Item) bool {
			return i.Kind == ledger.HostRoute && i.Account == one.Account && i.Region == one.Region
		})
		if at < 0 {
			continue
		}
		if !sub.V4.IsValid() {
			if sub.V4, err = lifecycle.SubnetOf(items[at]); err != nil {
				return nil, err
			}
		}
		one.Subnet, one.SubnetCIDR, one.SubnetCIDRv6 = sub.ID, sub.V4, sub.V6
		out = append(out, one)
	}
	return out, nil
}
