package why

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Finder finds two ends and what is between them, with the credentials of whoever asks.
type Finder struct {
	// Enter returns the configuration for reading in a place, or why there is none.
	Enter func(event.Place) (aws.Config, error)
	Home  event.Place // of whoever asks
	// Places are where else a thing may be whose account was not named, those that are known here.
	Places []event.Place
	// Lookup returns the addresses of a host, as DNS has them here; nil asks the resolver of this machine.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	unread []string
}

// Find reads all that the question needs. What could not be read is in unread, and not in the question's world.
func (f *Finder) Find(ctx context.Context, from, to string) (q Question, unread []string, err error) {
	client, err := ParseFrom(from)
	if err != nil {
		return q, nil, err
	}
	db, err := ParseTo(to)
	if err != nil {
		return q, nil, err
	}
	c, err := f.client(ctx, client)
	if err != nil {
		return q, nil, err
	}
	near, err := f.near(ctx, c)
	if err != nil {
		return q, nil, err
	}
	d, err := f.database(ctx, db, c, near)
	if err != nil {
		return q, f.unread, err
	}
	q = Question{Client: c.client, Database: d.database, Port: d.end.Port, From: c.end, To: d.end, Script: c.script, Share: d.share, Alternates: d.beside, Serves: d.serves, Running: d.running}
	if q.Carriers, err = f.between(ctx, d, near); err != nil {
		return q, f.unread, err
	}
	q.Words = f.words(ctx, c, d, q.Carriers)
	q.World, err = f.world(ctx, c, d, q.Carriers)
	return q, f.unread, err
}

// note keeps that something could not be read.
func (f *Finder) note(what string, err error) {
	text := what + ": " + err.Error()
	if !slices.Contains(f.unread, text) {
		f.unread = append(f.unread, text)
	}
}

// near returns what the VPC of a client is connected to, whatever its status: peerings, which show the other VPC, and transit gateways, which show
// others to their owner only.
func (f *Finder) near(ctx context.Context, c found) ([]Carrier, error) {
	cfg, err := f.Enter(c.at)
	if err != nil {
		return nil, err
	}
	api := ec2.NewFromConfig(cfg)
	var out []Carrier
	for _, end := range []string{"requester-vpc-info.vpc-id", "accepter-vpc-info.vpc-id"} {
		pages := ec2.NewDescribeVpcPeeringConnectionsPaginator(api, &ec2.DescribeVpcPeeringConnectionsInput{Filters: []types.Filter{{Name: aws.String(end), Values: []string{c.client.VPC}}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the peerings of %s in %s, %s: %w", c.client.VPC, c.at.Account, c.at.Region, err)
			}
			for _, p := range page.VpcPeeringConnections {
				out = append(out, peered(p, c.client.VPC))
			}
		}
	}
	gateways, err := attached(ctx, api, c.client.VPC)
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", c.at.Account, c.at.Region, err)
	}
	for _, one := range gateways {
		peers, err := onGateway(ctx, api, one.ID)
		if err != nil {
			return nil, fmt.Errorf("in %s, %s: %w", c.at.Account, c.at.Region, err)
		}
		out = append(out, one)
		for _, p := range peers {
			if one.Peer = p; p.ID != c.client.VPC {
				one.Peer.Region = c.at.Region
				out = append(out, one)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Carrier) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func peered(p types.VpcPeeringConnection, own string) Carrier {
	out := Carrier{ID: aws.ToString(p.VpcPeeringConnectionId)}
	if p.Status != nil {
		out.Status = string(p.Status.Code)
	}
	out.Said = said(out.ID, p.Tags, tag.Status)
	peer := p.AccepterVpcInfo
	if peer != nil {
		out.Accepter, out.AcceptRegion, out.AcceptVPC = aws.ToString(peer.OwnerId), aws.ToString(peer.Region), aws.ToString(peer.VpcId)
		if aws.ToString(peer.VpcId) == own {
			peer = p.RequesterVpcInfo
		}
	}
	if peer == nil {
		return out
	}
	out.Peer = Peer{ID: aws.ToString(peer.VpcId), Account: aws.ToString(peer.OwnerId), Region: aws.ToString(peer.Region)}
	texts := []*string{peer.CidrBlock}
	for _, c := range peer.CidrBlockSet {
		texts = append(texts, c.CidrBlock)
	}
	for _, c := range peer.Ipv6CidrBlockSet {
		texts = append(texts, c.Ipv6CidrBlock)
	}
	for _, t := range texts {
		if p, err := netip.ParsePrefix(aws.ToString(t)); err == nil && !slices.Contains(out.Peer.CIDRs, p.Masked()) {
			out.Peer.CIDRs = append(out.Peer.CIDRs, p.Masked())
		}
	}
	return out
}

// attached returns the transit gateways that a VPC is attached to, as its owner sees them.
func attached(ctx context.Context, api *ec2.Client, vpc string) ([]Carrier, error) {
	var out []Carrier
	pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(api, &ec2.DescribeTransitGatewayVpcAttachmentsInput{Filters: []types.Filter{
		{Name: aws.String("vpc-id"), Values: []string{vpc}}, {Name: aws.String("state"), Values: []string{"available", "modifying"}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the attachments of %s: %w", vpc, err)
		}
		for _, a := range page.TransitGatewayVpcAttachments {
			id := aws.ToString(a.TransitGatewayId)
			out = append(out, Carrier{ID: id, Status: "available", Said: said(id, a.Tags, tag.Pairs)})
		}
	}
	slices.SortFunc(out, func(a, b Carrier) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(out, func(a, b Carrier) bool { return a.ID == b.ID }), nil
}

// said is what Drawbridge says by its tags on a peering, or on an attachment to a gateway; nil if it says nothing.
func said(id string, tags []types.Tag, status string) *Managed {
	all := tag.OfEC2(tags)
	if all[status] == "" {
		return nil
	}
	return &Managed{ID: id, State: all[status], Reason: all[tag.Reason]}
}

// onGateway returns the VPCs that are attached to a gateway, as far as whoever asks sees them: its owner sees all.
func onGateway(ctx context.Context, api *ec2.Client, gateway string) ([]Peer, error) {
	var out []Peer
	pages := ec2.NewDescribeTransitGatewayAttachmentsPaginator(api, &ec2.DescribeTransitGatewayAttachmentsInput{Filters: []types.Filter{
		{Name: aws.String("transit-gateway-id"), Values: []string{gateway}}, {Name: aws.String("resource-type"), Values: []string{"vpc"}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading what is attached to %s: %w", gateway, err)
		}
		for _, a := range page.TransitGatewayAttachments {
			out = append(out, Peer{ID: aws.ToString(a.ResourceId), Account: aws.ToString(a.ResourceOwnerId)})
		}
	}
	return out, nil
}

// over are the states of a peering that will never carry anything, and say nothing of why it does not.
var over = []string{"deleted", "deleting", "rejected", "expired", "failed"}

// between returns what connects the client's VPC to that of the database: peerings that may carry it, or else those that are over, and gateways that
// both are attached to.
func (f *Finder) between(ctx context.Context, d located, near []Carrier) ([]Carrier, error) {
	var out, gone []Carrier
	var gateways []Carrier
	for _, c := range near {
		switch road.CarrierOf(c.ID) {
		case road.ByGateway:
			if c.Peer.ID == d.database.VPC {
				out = append(out, c)
			}
			gateways = append(gateways, c)
		case road.ByPeering, road.ByNothing:
			switch {
			case c.Peer.ID != d.database.VPC:
			case slices.Contains(over, c.Status):
				gone = append(gone, c)
			default:
				out = append(out, c)
			}
		}
	}
	if len(gateways) > 0 && !d.blind {
		cfg, err := f.Enter(d.at)
		if err != nil {
			return nil, err
		}
		theirs, err := attached(ctx, ec2.NewFromConfig(cfg), d.database.VPC)
		if err != nil {
			return nil, fmt.Errorf("in %s, %s: %w", d.at.Account, d.at.Region, err)
		}
		for _, one := range theirs {
			n := slices.IndexFunc(gateways, func(c Carrier) bool { return c.ID == one.ID })
			if n >= 0 && !slices.ContainsFunc(out, func(c Carrier) bool { return c.ID == one.ID }) {
				out = append(out, Carrier{ID: one.ID, Status: "available", Said: gateways[n].Said})
			}
		}
	}
	if len(out) == 0 {
		return gone, nil
	}
	return out, nil
}

// world reads the two VPCs and what carries. Of what is over several gateways, the peerings and the first gateway are read.
func (f *Finder) world(ctx context.Context, c found, d located, carriers []Carrier) (network.World, error) {
	mine := discover.VPC{VPC: c.vpc, Subnets: c.client.Subnets, Groups: c.client.Groups, Names: true, Public: true}
	theirs := discover.VPC{VPC: d.vpc, Subnets: d.database.Subnets, Groups: d.database.Groups, Public: d.database.Public != network.No}
	if d.blind {
		theirs = mine // alone
	}
	carrier := first(carriers)
	// A place that nobody lets us into is an error of each of its calls, so that what else there is can be read.
	reader := discover.Reader{Enter: func(at event.Place) discover.EC2 {
		cfg, err := f.Enter(at)
		if err != nil {
			f.note(fmt.Sprintf("account %s, %s", at.Account, at.Region), err)
			cfg.Region, cfg.Credentials = at.Region, aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, err })
		}
		return ec2.NewFromConfig(cfg)
	}}
	w, err := reader.Read(ctx, carrier, [2]discover.VPC{mine, theirs})
	if err != nil {
		return w, err
	}
	if d.blind {
		w.VPCs = append(w.VPCs, d.seen())
	}
	return w, nil
}

// lookup asks DNS.
func (f *Finder) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if f.Lookup != nil {
		return f.Lookup(ctx, host)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
}

// place is where somebody named a thing, or where whoever asks is.
func (f *Finder) place(r Ref) event.Place {
	return event.Place{Account: cmp.Or(r.Account, f.Home.Account), Region: cmp.Or(r.Region, f.Home.Region)}
}

// readVPC reads the ranges of a VPC where one of its subnets is seen, and who owns it.
func readVPC(ctx context.Context, api *ec2.Client, at event.Place, subnets []string) (workflow.VPC, error) {
	v := workflow.VPC{Account: at.Account, Region: at.Region}
	got, err := api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: subnets})
	if err != nil {
		return v, fmt.Errorf("reading the subnets %s in %s, %s: %w", strings.Join(subnets, ", "), at.Account, at.Region, err)
	}
	for _, s := range got.Subnets {
		v.ID, v.Account = aws.ToString(s.VpcId), cmp.Or(aws.ToString(s.OwnerId), at.Account)
	}
	vpcs, err := api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{v.ID}})
	if err != nil {
		return v, fmt.Errorf("reading %s in %s, %s: %w", v.ID, at.Account, at.Region, err)
	}
	for _, one := range vpcs.Vpcs {
		v.CIDRs = route.CIDRs(one)
	}
	return v, nil
}

// first is what is read as the carrier, with the peerings that are beside it: a gateway, if there is one.
func first(carriers []Carrier) discover.Carrier {
	var out discover.Carrier
	for _, one := range carriers {
		if out.ID == "" {
			out.ID = one.ID
			continue
		}
		switch road.CarrierOf(one.ID) {
		case road.ByPeering:
			out.Alternates = append(out.Alternates, one.ID)
		case road.ByGateway, road.ByNothing:
			switch road.CarrierOf(out.ID) {
			case road.ByPeering:
				out.ID, out.Alternates = one.ID, append(out.Alternates, out.ID)
			case road.ByGateway, road.ByNothing:
			}
		}
	}
	return out
}
