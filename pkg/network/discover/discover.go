// Package discover reads the two VPCs of a connection, and what carries it, into the model of package network. It changes nothing, and it judges
// nothing.
//
// Of each VPC it reads, as its owner, all subnets, route tables and network ACLs, and those security groups that the ends of paths have; the
// entries of prefix lists that these name; and how names are resolved where clients are. That is a fixed number of calls, each in pages, for both
// VPCs at once. What cannot be read is not in the model, where it is a question mark, and never a guess.
//
//	discover.go  the words, and the whole
//	vpc.go       a VPC
//	lists.go     prefix lists
//	gateway.go   a transit gateway, and the VPCs that inspect on the way
//	convert.go   converts AWS's types
package discover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what is read of a VPC and of what carries a connection.
type EC2 interface {
	route.NetworkReader
	route.SubnetReader
	ACLReader
	Searcher
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeVpcAttribute(context.Context, *ec2.DescribeVpcAttributeInput, ...func(*ec2.Options)) (*ec2.DescribeVpcAttributeOutput, error)
	DescribeDhcpOptions(context.Context, *ec2.DescribeDhcpOptionsInput, ...func(*ec2.Options)) (*ec2.DescribeDhcpOptionsOutput, error)
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
	DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error)
	DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error)
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
}

// VPC is a VPC to read, and what of it matters.
type VPC struct {
	workflow.VPC
	// Subnets are those that an end of a path is in, or may be: the prefix lists in their route tables are read.
	Subnets []string
	Groups  []string // of the ends
	// Seen are those of Groups that were read a moment ago: these are not read again.
	Seen []network.Group
	// Known are subnets that were read before: what is said of one never changes. If all of Subnets are among them, no other is read.
	Known []workflow.EndSubnet
	// DHCP is the id of the VPC's DHCP options, if it was read before.
	DHCP string
	// Names says that something there resolves names, and Public that some of them have a public address as well, so that more counts.
	Names, Public bool
}

// Carrier is what carries a connection: a peering or a transit gateway.
type Carrier struct {
	ID string
	// Alternates are peerings between the same VPCs, and gateways that connect them.
	Alternates []string
}

// by are the ids of those of a kind.
func (c Carrier) by(kind road.Carrier) []string {
	return slices.DeleteFunc(append([]string{c.ID}, c.Alternates...), func(id string) bool { return road.CarrierOf(id) != kind })
}

// Reader reads on behalf of one execution.
type Reader struct {
	// Enter returns the client for reading in a place.
	Enter func(event.Place) EC2
}

// Read reads both VPCs and their carrier at once.
func (r Reader) Read(ctx context.Context, carrier Carrier, vpcs [2]VPC) (network.World, error) {
	var w network.World
	var read [2]network.VPC
	var peerings []network.Peering
	gateways := carrier.by(road.ByGateway)
	found := make([]*gateway, len(gateways))
	jobs := []func() error{
		func() (err error) { read[0], err = r.vpc(ctx, vpcs[0]); return },
		func() (err error) { read[1], err = r.vpc(ctx, vpcs[1]); return },
		func() (err error) { peerings, err = r.peerings(ctx, carrier.by(road.ByPeering), vpcs); return },
	}
	for n, id := range gateways {
		jobs = append(jobs, func() (err error) { found[n], err = r.gateway(ctx, id, vpcs); return })
	}
	if err := together(jobs...); err != nil {
		return w, err
	}
	w.VPCs, w.Peerings = read[:], peerings
	if vpcs[0].ID == vpcs[1].ID {
		w.VPCs = w.VPCs[:1]
	}
	for _, g := range found {
		if g != nil && g.ID != "" {
			w.Gateways = append(w.Gateways, g.Gateway)
			w.VPCs = append(w.VPCs, g.between...)
		}
	}
	return w, nil
}

// Anew returns a world that [Reader.Read] read of vpcs, with those of its security groups that were taken as seen read now.
func (r Reader) Anew(ctx context.Context, w network.World, vpcs [2]VPC) (network.World, error) {
	w.VPCs = slices.Clone(w.VPCs)
	var jobs []func() error
	for _, v := range vpcs {
		n := slices.IndexFunc(w.VPCs, func(o network.VPC) bool { return o.ID == v.ID })
		if n < 0 || len(v.Seen) == 0 {
			continue
		}
		jobs = append(jobs, func() (err error) {
			w.VPCs[n].Groups, err = r.anew(ctx, w.VPCs[n].Groups, v)
			return
		})
	}
	return w, together(jobs...)
}

// anew returns groups of a VPC with those that were taken as seen read now.
func (r Reader) anew(ctx context.Context, all []network.Group, v VPC) ([]network.Group, error) {
	old := func(id string) bool {
		return slices.ContainsFunc(v.Seen, func(g network.Group) bool { return g.ID == id })
	}
	var ids []string
	for _, g := range v.Seen {
		ids = append(ids, g.ID)
	}
	api := r.Enter(v.Place())
	now, err := groups(ctx, api, ids)
	if err == nil {
		err = (&lists{api: api}).admit(ctx, now)
	}
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", v.Account, v.Region, err)
	}
	return append(now, slices.DeleteFunc(slices.Clone(all), func(g network.Group) bool { return old(g.ID) })...), nil
}

// together does jobs at once.
func together(jobs ...func() error) error {
	errs := make([]error, len(jobs))
	var wait sync.WaitGroup
	for n, job := range jobs {
		wait.Go(func() { errs[n] = job() })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// unreadable reports whether an error says that something cannot be read by us, or is not there: then the model does not have it.
func unreadable(err error) bool {
	if _, closed := fault.Unreadable(err); closed {
		return true
	}
	var f *fault.Error
	return errors.As(err, &f) && f.Kind == fault.Refused || fault.Of(err) == fault.Refused
}
