package peering

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// remains is what one side of a peering that is over still has of it.
type remains struct {
	role   string
	here   End
	absent *workflow.Hop     // why there is nothing to remove here, or nobody to remove it
	tags   map[string]string // of the peering, as this side shows them
	cidrs  []netip.Prefix    // of this side's VPC, which is the other side's destination
	routes bool              // some table has a route through the peering
	rules  bool              // some rule carries the connection's tag
	books  []workflow.Notebook
}

// leftovers looks on both sides for what Drawbridge may have left of a peering that is over, and fills in what the
// following states need. A side that is gone or closed to us is named, and keeps nobody from cleaning the other. seen is
// where p was read.
func (i Inspector) leftovers(ctx context.Context, in workflow.InspectPeeringInput, p Peering, seen event.Place, out *workflow.InspectPeeringOutput) error {
	sides := [2]*remains{{role: Requester, here: p.Requester}, {role: Accepter, here: p.Accepter}}
	look := func(s *remains) error {
		if !slices.Contains(out.Members, s.role) {
			s.absent = s.missing(false, "account %s is outside the organization, so whatever was added there stays", s.here.Account)
			return nil
		}
		err := i.remains(ctx, in.Execution, p, seen, s)
		if errors.Is(err, fault.ErrClosed) {
			s.absent = s.missing(false, "whatever was added there stays: %v", err)
			return nil
		}
		return err
	}
	if err := both(func() error { return look(sides[0]) }, func() error { return look(sides[1]) }); err != nil {
		return err
	}
	var statuses []string
	traces, connected := false, false
	for _, s := range sides {
		statuses, traces = append(statuses, s.tags[connection.TagStatus]), traces || s.routes || s.rules
		connected = connected || s.tags[connection.TagDestinations] != ""
	}
	// A peering that was refused, accepted by somebody else and never connected: its routes are their owners'.
	foreign := slices.Contains(statuses, string(workflow.RefusedByPolicy)) && !connected
	out.Result = Ending(p, statuses, traces)
	known := [2][]netip.Prefix{p.Requester.CIDRs, p.Accepter.CIDRs}
	if in.Known.Requester != nil && in.Known.Accepter != nil {
		known[0], known[1] = append(known[0], in.Known.Requester.VPC.CIDRs...), append(known[1], in.Known.Accepter.VPC.CIDRs...)
	}
	for n, s := range sides {
		if _, tagged := s.tags[connection.TagStatus]; tagged {
			out.Tagged = append(out.Tagged, workflow.Carrier{Account: s.here.Account, Region: s.here.Region, ID: p.ID,
				Tags: []string{connection.TagStatus, connection.TagReason, connection.TagDestinations}})
		}
		if out.Result != workflow.Removed {
			continue // nothing but the status was ever added
		}
		if s.absent != nil {
			out.Absent = append(out.Absent, *s.absent)
			continue
		}
		if err := i.instances(ctx, in.Execution, s); err != nil {
			return err
		}
		if (!s.routes || foreign) && !s.rules && len(s.books) == 0 {
			continue
		}
		here, there := place(s.here, s.cidrs), place(sides[1-n].here, nil)
		if !foreign {
			there.CIDRs = connection.Destinations(s.tags[connection.TagDestinations], sides[1-n].cidrs, known[1-n])
		}
		out.Sides = append(out.Sides, workflow.Side{Role: s.role, VPC: here, Peer: there, Carrier: p.ID})
		out.Notebooks = append(out.Notebooks, s.books...)
	}
	return nil
}

func place(e End, cidrs []netip.Prefix) workflow.VPC {
	return workflow.VPC{Account: e.Account, Region: e.Region, ID: e.VPC, CIDRs: cidrs}
}

func (s *remains) missing(ok bool, format string, args ...any) *workflow.Hop {
	return &workflow.Hop{Hop: s.role + " " + s.here.VPC, OK: ok, Detail: fmt.Sprintf(format, args...)}
}

// remains reads the tags of the peering as one side shows them, its VPC, and whether routes or rules are left there.
func (i Inspector) remains(ctx context.Context, execution string, p Peering, seen event.Place, s *remains) error {
	api := i.Enter(execution, s.here.Place).EC2
	where := func(err error) error { return fmt.Errorf("in %s, %s: %w", s.here.Account, s.here.Region, err) }
	own := p
	if s.here.Place != seen {
		var err error
		if own, _, err = read(ctx, api, p.ID); err != nil { // one that is shown here no longer has no tags to remove
			return where(err)
		}
	}
	s.tags = own.Tags
	if p.Status == "rejected" || p.Status == "expired" {
		return nil // never active
	}
	got, err := api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{s.here.VPC}})
	if fault.HasCode(err, "InvalidVpcID.NotFound") || err == nil && len(got.Vpcs) == 0 {
		s.absent = s.missing(true, "the VPC is gone, and with it all that was added there")
		return nil
	}
	if err != nil {
		return where(fmt.Errorf("reading %s: %w", s.here.VPC, err))
	}
	s.cidrs = route.CIDRs(got.Vpcs[0])
	tables, err := route.Read(ctx, api, s.here.VPC)
	if err != nil {
		return where(err)
	}
	s.routes = len(route.Through(tables, p.ID)) > 0
	rules, err := firewall.ReadTagged(ctx, api, p.ID)
	if err != nil {
		return where(err)
	}
	s.rules = len(rules) > 0
	return nil
}

// instances finds the notebook instances of a side that may have a host route or a status of Drawbridge's.
func (i Inspector) instances(ctx context.Context, execution string, s *remains) error {
	clients := i.Enter(execution, s.here.Place)
	subnets, err := route.ReadSubnets(ctx, clients.EC2, s.here.VPC)
	if err != nil {
		return fmt.Errorf("in %s, %s: %w", s.here.Account, s.here.Region, err)
	}
	found, err := notebook.Read(ctx, clients.SageMaker, route.SubnetIDs(subnets))
	if err != nil {
		return fmt.Errorf("in %s, %s: %w", s.here.Account, s.here.Region, err)
	}
	for _, n := range found {
		status := n.Tags[lifecycle.TagStatus]
		if !n.DirectInternet || n.LifecycleConfig == "" && status == "" {
			continue
		}
		at := slices.IndexFunc(subnets, func(one route.Subnet) bool { return one.ID == n.Subnet })
		s.books = append(s.books, workflow.Notebook{Account: s.here.Account, Region: s.here.Region, VPC: s.here.VPC,
			Name: n.Name, ARN: n.ARN, Subnet: n.Subnet, SubnetCIDR: subnets[at].V4, SubnetCIDRv6: subnets[at].V6,
			Status: n.Status, DirectInternet: n.DirectInternet, LifecycleConfig: n.LifecycleConfig, Tag: status})
	}
	return nil
}
