package discover

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// fewBetween is how many VPCs between the two are read: those that routes of the gateway lead to first, to be inspected.
const fewBetween = 4

// gateway is a transit gateway with the VPCs that its routes lead through, between the two that it connects.
type gateway struct {
	network.Gateway
	between []network.VPC
	region  string
	cidrs   []netip.Prefix // of the two VPCs: only routes that touch them are kept
	leads   []Led
}

// Led is a route of a route table of a transit gateway, and what it leads to.
type Led struct {
	network.Route
	VPC     string // whose attachment it is; empty if it is no VPC's
	Outside bool   // it leads out of all VPCs
}

// gateway reads a transit gateway, where it is shown, and what it does with packets between two VPCs, as its owner.
func (r Reader) gateway(ctx context.Context, id string, vpcs [2]VPC) (*gateway, error) {
	g := &gateway{region: vpcs[0].Region, cidrs: slices.Concat(vpcs[0].CIDRs, vpcs[1].CIDRs)}
	shown, err := r.shown(ctx, id, vpcs)
	if err != nil || shown == nil { // nobody shows it: it is not in the model
		return g, err
	}
	g.ID, g.Owner = id, aws.ToString(shown.OwnerId)
	if o := shown.Options; o != nil {
		g.DNS = network.Is(o.DnsSupport == types.DnsSupportValueEnable)
		g.References = network.Is(o.SecurityGroupReferencingSupport == types.SecurityGroupReferencingSupportValueEnable)
	}
	var found [2]*network.Attachment
	if err := together(
		func() (err error) { found[0], err = r.attachment(ctx, id, vpcs[0].VPC); return },
		func() (err error) { found[1], err = r.attachment(ctx, id, vpcs[1].VPC); return },
	); err != nil {
		return nil, err
	}
	for _, a := range found {
		if a != nil {
			g.Attachments = append(g.Attachments, *a)
		}
	}
	if err := r.follow(ctx, g, g.Attachments); err != nil {
		return nil, err
	}
	if err := r.inspecting(ctx, g); err != nil {
		return nil, err
	}
	for _, l := range g.leads { // whose addresses they are
		if l.VPC != "" && !slices.ContainsFunc(g.Attachments, func(a network.Attachment) bool { return a.ID == l.Target }) {
			g.Attachments = append(g.Attachments, network.Attachment{ID: l.Target, VPC: l.VPC})
		}
	}
	return g, nil
}

// shown reads the gateway in the account of a VPC that it is shown to; nil if it is shown to none.
func (r Reader) shown(ctx context.Context, id string, vpcs [2]VPC) (*types.TransitGateway, error) {
	for _, v := range vpcs {
		got, err := r.Enter(v.Place()).DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{TransitGatewayIds: []string{id}})
		if fault.HasCode(err, "InvalidTransitGatewayID.NotFound") || err == nil && len(got.TransitGateways) == 0 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s in %s, %s: %w", id, v.Account, v.Region, err)
		}
		return &got.TransitGateways[0], nil
	}
	return nil, nil
}

// attachment reads the attachment of a VPC that is there, in the VPC's account; nil if there is none.
func (r Reader) attachment(ctx context.Context, gateway string, v workflow.VPC) (*network.Attachment, error) {
	pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(r.Enter(v.Place()), &ec2.DescribeTransitGatewayVpcAttachmentsInput{Filters: []types.Filter{
		{Name: aws.String("transit-gateway-id"), Values: []string{gateway}}, {Name: aws.String("vpc-id"), Values: []string{v.ID}},
		{Name: aws.String("state"), Values: []string{"available", "modifying"}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the attachment of %s to %s in %s, %s: %w", v.ID, gateway, v.Account, v.Region, err)
		}
		for _, a := range page.TransitGatewayVpcAttachments {
			out := &network.Attachment{ID: aws.ToString(a.TransitGatewayAttachmentId), VPC: v.ID, Available: network.Yes, Subnets: slices.Sorted(slices.Values(a.SubnetIds))}
			if o := a.Options; o != nil {
				out.DNS, out.IPv6 = network.Is(o.DnsSupport == types.DnsSupportValueEnable), network.Is(o.Ipv6Support == types.Ipv6SupportValueEnable)
				out.References = network.Is(o.SecurityGroupReferencingSupport == types.SecurityGroupReferencingSupportValueEnable)
				out.Appliance = o.ApplianceModeSupport == types.ApplianceModeSupportValueEnable
			}
			return out, nil
		}
	}
	return nil, nil
}

// follow reads, as the gateway's owner, with which table each of attachments is associated, and where that leads.
func (r Reader) follow(ctx context.Context, g *gateway, attachments []network.Attachment) error {
	api := r.Enter(event.Place{Account: g.Owner, Region: g.region})
	facts, err := described(ctx, api, attachments)
	if err != nil {
		return fmt.Errorf("in %s, %s: %w", g.Owner, g.region, err)
	}
	for n := range g.Attachments {
		a := &g.Attachments[n]
		f, ok := facts[a.ID]
		if !ok || f.Association == nil || f.Association.State != types.TransitGatewayAssociationStateAssociated {
			continue
		}
		a.Table = aws.ToString(f.Association.TransitGatewayRouteTableId)
		if slices.ContainsFunc(g.Tables, func(t network.Table) bool { return t.ID == a.Table }) {
			continue
		}
		led, err := Routes(ctx, api, a.Table, g.cidrs)
		if err != nil {
			return fmt.Errorf("in %s, %s: %w", g.Owner, g.region, err)
		}
		table := network.Table{ID: a.Table}
		for _, l := range led {
			table.Routes = append(table.Routes, l.Route)
		}
		g.Tables, g.leads = append(g.Tables, table), append(g.leads, led...)
	}
	return nil
}

// described returns attachments as the gateway's owner sees them, by id.
func described(ctx context.Context, api EC2, attachments []network.Attachment) (map[string]types.TransitGatewayAttachment, error) {
	out := map[string]types.TransitGatewayAttachment{}
	var ids []string
	for _, a := range attachments {
		ids = append(ids, a.ID)
	}
	if len(ids) == 0 {
		return out, nil
	}
	got, err := api.DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{TransitGatewayAttachmentIds: ids})
	if err != nil {
		return nil, fmt.Errorf("reading the attachments %s: %w", strings.Join(ids, " and "), err)
	}
	for _, a := range got.TransitGatewayAttachments {
		out[aws.ToString(a.TransitGatewayAttachmentId)] = a
	}
	return out, nil
}

// inspecting reads the VPCs that routes of the gateway lead through on purpose, with what the gateway does with what comes from there. One that
// cannot be read is not known.
func (r Reader) inspecting(ctx context.Context, g *gateway) error {
	for range fewBetween {
		n := slices.IndexFunc(g.leads, func(l Led) bool {
			return l.VPC != "" && !l.Blackhole && !l.Propagated && !slices.ContainsFunc(g.Attachments, func(a network.Attachment) bool { return a.ID == l.Target })
		})
		if n < 0 {
			return nil
		}
		next := g.leads[n]
		owner := r.Enter(event.Place{Account: g.Owner, Region: g.region})
		facts, err := described(ctx, owner, []network.Attachment{{ID: next.Target}})
		if err != nil {
			return fmt.Errorf("in %s, %s: %w", g.Owner, g.region, err)
		}
		v := workflow.VPC{Account: aws.ToString(facts[next.Target].ResourceOwnerId), Region: g.region, ID: next.VPC}
		a := &network.Attachment{ID: next.Target, VPC: next.VPC}
		g.Attachments = append(g.Attachments, *a)
		read, found, err := r.between(ctx, g.ID, v)
		if why, closed := fault.Unreadable(err); closed || unreadable(err) {
			slog.InfoContext(ctx, "a VPC on the way is not known", "vpc", v.ID, "account", v.Account, "why", cmp.Or(why, err.Error()))
			continue
		}
		if err != nil {
			return err
		}
		if found == nil {
			continue
		}
		g.Attachments[len(g.Attachments)-1] = *found
		g.between = append(g.between, read)
		if err := r.follow(ctx, g, []network.Attachment{*found}); err != nil {
			return err
		}
	}
	return nil
}

// between reads a VPC on the way, with its attachment.
func (r Reader) between(ctx context.Context, gateway string, v workflow.VPC) (network.VPC, *network.Attachment, error) {
	a, err := r.attachment(ctx, gateway, v)
	if err != nil || a == nil {
		return network.VPC{}, nil, err
	}
	read, err := r.vpc(ctx, VPC{VPC: v, Subnets: a.Subnets})
	return read, a, err
}

// Routes returns the routes of a gateway's route table that touch cidrs, as its owner, sorted.
func Routes(ctx context.Context, api Searcher, table string, cidrs []netip.Prefix) ([]Led, error) {
	got, err := search(ctx, api, table)
	if err != nil {
		return nil, err
	}
	routes := got.Routes
	if aws.ToBool(got.AdditionalRoutesAvailable) { // there are no further pages: ask for less
		routes = nil
		for _, cidr := range cidrs {
			for _, match := range []string{"route-search.supernet-of-match", "route-search.subnet-of-match"} {
				got, err := search(ctx, api, table, types.Filter{Name: &match, Values: []string{cidr.String()}})
				if err != nil {
					return nil, err
				}
				routes = append(routes, got.Routes...)
			}
		}
	}
	out := []Led{}
	for _, r := range routes {
		destination, err := netip.ParsePrefix(aws.ToString(r.DestinationCidrBlock))
		if err != nil || !slices.ContainsFunc(cidrs, destination.Overlaps) {
			continue
		}
		l := Led{Route: network.Route{Destination: destination.Masked(), Blackhole: r.State == types.TransitGatewayRouteStateBlackhole,
			Propagated: r.Type != types.TransitGatewayRouteTypeStatic, List: aws.ToString(r.PrefixListId)}}
		for _, a := range r.TransitGatewayAttachments { // several only where a VPN or Connect attachment shares the load
			l.Target, l.VPC, l.Outside = aws.ToString(a.TransitGatewayAttachmentId), "", a.ResourceType != "" && a.ResourceType != types.TransitGatewayAttachmentResourceTypeVpc
			if !l.Outside {
				l.VPC = aws.ToString(a.ResourceId)
			}
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b Led) int {
		return cmp.Or(a.Destination.Compare(b.Destination), strings.Compare(a.Target, b.Target))
	})
	return slices.Compact(out), nil
}

// Searcher is what [Routes] needs of EC2.
type Searcher interface {
	SearchTransitGatewayRoutes(context.Context, *ec2.SearchTransitGatewayRoutesInput, ...func(*ec2.Options)) (*ec2.SearchTransitGatewayRoutesOutput, error)
}

func search(ctx context.Context, api Searcher, table string, narrower ...types.Filter) (*ec2.SearchTransitGatewayRoutesOutput, error) {
	filters := append([]types.Filter{{Name: aws.String("state"), Values: []string{"active", "blackhole"}}}, narrower...)
	got, err := api.SearchTransitGatewayRoutes(ctx, &ec2.SearchTransitGatewayRoutesInput{TransitGatewayRouteTableId: &table, Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("searching the routes of %s: %w", table, err)
	}
	return got, nil
}
