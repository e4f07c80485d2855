package gatewaypair

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

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// attachments reads the attachment of each VPC in its own account, and the gateway where it is shown.
func (i Inspector) attachments(ctx context.Context, in workflow.InspectTransitInput, e event.Event) (*pair, error) {
	vpcs := slices.Clone(e.VPCs)
	slices.SortFunc(vpcs, func(a, b event.VPCPlace) int { return strings.Compare(a.VPC, b.VPC) })
	p := &pair{q: Question{Gateway: Gateway{ID: e.GatewayID}, Looks: in.Looks}}
	for n, v := range vpcs {
		var err error
		if p.accounts[n], err = i.Account(ctx, v.Account); err != nil {
			return nil, err
		}
		p.place[n] = v.Place()
		p.q.Ends[n] = End{VPC: workflow.VPC{Account: v.Account, Region: v.Region, ID: v.VPC}, Member: p.accounts[n].Organization != ""}
	}
	look := func(n int) error {
		end := &p.q.Ends[n]
		if err := p.accounts[n].Unreadable(); err != nil {
			p.closed[n], end.Closed = err, true
			return nil
		}
		if !end.Member {
			return nil
		}
		var err error
		end.Attachment, err = attachmentOf(ctx, i.Enter(in.Execution, p.place[n]).EC2, e.GatewayID, end.VPC.ID)
		if _, unreadable := fault.Unreadable(err); unreadable {
			p.closed[n], end.Closed, err = err, true, nil
		}
		return err
	}
	if err := survey.Both(func() error { return look(0) }, func() error { return look(1) }); err != nil {
		return nil, err
	}
	return p, nil
}

// attachmentOf returns the attachment of a VPC to a gateway, if there is one; one that lives before one that is over.
func attachmentOf(ctx context.Context, api EC2, gateway, vpc string) (*Attachment, error) {
	var found []types.TransitGatewayVpcAttachment
	pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(api, &ec2.DescribeTransitGatewayVpcAttachmentsInput{Filters: []types.Filter{
		{Name: aws.String("transit-gateway-id"), Values: []string{gateway}}, {Name: aws.String("vpc-id"), Values: []string{vpc}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the attachment of %s to %s: %w", vpc, gateway, err)
		}
		found = append(found, page.TransitGatewayVpcAttachments...)
	}
	if len(found) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(found, func(a, b types.TransitGatewayVpcAttachment) int {
		return cmp.Or(slices.Index(over, string(a.State))-slices.Index(over, string(b.State)), aws.ToTime(b.CreationTime).Compare(aws.ToTime(a.CreationTime)))
	})
	a := found[0]
	out := &Attachment{ID: aws.ToString(a.TransitGatewayAttachmentId), State: string(a.State), Subnets: a.SubnetIds}
	if a.Options != nil {
		out.References = a.Options.SecurityGroupReferencingSupport == types.SecurityGroupReferencingSupportValueEnable
		out.IPv6 = a.Options.Ipv6Support == types.Ipv6SupportValueEnable
	}
	out.Tags = tag.Clean(tag.Attachment, tag.OfEC2(a.Tags))
	return out, nil
}

func (i Inspector) surveyor(execution string, set *policy.Set, about policy.Context) survey.Surveyor {
	return survey.Surveyor{Set: set, About: about, Account: i.Account, Ledger: i.Ledger, Enter: func(at event.Place) survey.Clients {
		c := i.Enter(execution, at)
		c.Clients.EC2 = c.EC2
		return c.Clients
	}}
}

// networks reads both VPCs, and asks the policy about routes between them.
func (i Inspector) networks(ctx context.Context, s survey.Surveyor, p *pair) (first, second *survey.SideFacts, err error) {
	q := &p.q
	vpc := func(n int) func(context.Context) (*workflow.Facts, error) {
		return func(ctx context.Context) (*workflow.Facts, error) {
			return s.VPC(ctx, p.place[n], q.Ends[n].VPC.ID, p.accounts[n])
		}
	}
	f, g, err := s.Pair(ctx, q.Gateway.ID, vpc(0), vpc(1))
	if err != nil {
		return nil, nil, err
	}
	q.Ends[0].VPC, q.Ends[1].VPC = f.VPC, g.VPC
	first = &survey.SideFacts{Here: f, There: g, Side: &workflow.Side{Role: Requester, VPC: f.VPC, Peer: g.VPC, StatusResource: q.Ends[0].Attachment.ID, Attached: q.Ends[0].Attachment.Subnets, Tables: f.Tables}}
	second = &survey.SideFacts{Here: g, There: f, Side: &workflow.Side{Role: Accepter, VPC: g.VPC, Peer: f.VPC, StatusResource: q.Ends[1].Attachment.ID, Attached: q.Ends[1].Attachment.Subnets, Tables: g.Tables}}
	first.Side.Peer.CIDRs, second.Side.Peer.CIDRs = Crossing(*q, 0), Crossing(*q, 1)
	first.Side.Participants, second.Side.Participants = p.joined[0], p.joined[1]
	q.Routes = [2]policy.Decision{s.Set.Route(f.Entity(), g.Entity(), s.About), s.Set.Route(g.Entity(), f.Entity(), s.About)}
	return first, second, nil
}

// end says which end of a pair a side is on.
func end(s *workflow.Side) int {
	if s.Role == Requester {
		return 0
	}
	return 1
}

// explore finds the databases of both VPCs, and asks the policy about the pair. It returns the sides of both owners, and of the participants.
func (i Inspector) explore(ctx context.Context, s survey.Surveyor, p *pair, first, second *survey.SideFacts) ([]*survey.SideFacts, error) {
	q := &p.q
	all, err := s.Produce(ctx, first, second)
	if err != nil {
		return nil, err
	}
	q.Closed = survey.Closed(all...)
	sides := [2]*survey.SideFacts{first, second}
	for n, here := range sides {
		about := s.About
		for _, there := range all {
			if end(there.Side) == n {
				continue
			}
			about.Databases += len(there.Side.AllowedDatabases)
			if q.Before {
				about.Databases += there.Waiting // nothing goes for those that cannot be read now
			}
		}
		q.Connects[n] = s.Set.Connect(here.Here.Entity(), sides[1-n].Here.Entity(), about)
	}
	for n, here := range sides {
		q.Never[n] = here.Here.Tags[tag.Accept] == "never"
	}
	for _, here := range all {
		if !direction(*q, 1-end(here.Side)).Allowed { // the other may not consume what is here
			here.Side.AllowedDatabases = nil
		}
	}
	survey.Appoint(survey.Sides(all)...)
	return all, nil
}

// zoneIDs returns the ids of the zones that subnets are in.
func zoneIDs(sides ...[]route.Subnet) []string {
	var out []string
	for _, subnets := range sides {
		for _, s := range subnets {
			out = append(out, s.ZoneID)
		}
	}
	return out
}

// view reads, once in a look, what the gateway's owner sees and says: the gateway with its tags, and of each attachment the tags and the
// association.
func (l *inspection) view(ctx context.Context) error {
	q := &l.q
	if q.Viewed {
		return nil
	}
	if err := l.gateway(ctx); err != nil {
		return err
	}
	at := event.Place{Account: q.Gateway.Owner, Region: l.place[0].Region}
	ids := []string{q.Ends[0].Attachment.ID, q.Ends[1].Attachment.ID}
	got, err := l.Enter(l.in.Execution, at).EC2.DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{TransitGatewayAttachmentIds: ids})
	if err != nil {
		return fmt.Errorf("reading the attachments %s in %s, %s: %w", strings.Join(ids, " and "), at.Account, at.Region, err)
	}
	for n := range q.Ends {
		end := &q.Ends[n]
		for _, a := range got.TransitGatewayAttachments {
			if aws.ToString(a.TransitGatewayAttachmentId) != end.Attachment.ID {
				continue
			}
			end.Owner = tag.Clean(tag.Attachment, tag.OfEC2(a.Tags))
			if a.Association == nil || a.Association.State == types.TransitGatewayAssociationStateDisassociated {
				continue
			}
			end.Association = string(a.Association.State)
			if a.Association.State == types.TransitGatewayAssociationStateAssociated {
				end.Table = aws.ToString(a.Association.TransitGatewayRouteTableId)
			}
		}
	}
	q.Viewed = true
	return nil
}

// gateway reads the gateway as its owner has it. Whose it is, the ledger says of an attachment that is managed, or the gateway where it is
// shown to an account of one of the VPCs.
func (l *inspection) gateway(ctx context.Context) error {
	g := &l.q.Gateway
	for _, e := range l.q.Ends {
		for _, s := range e.Entry.Sides {
			if s.ID == g.ID {
				g.Owner = s.Account
			}
		}
	}
	places := l.place[:]
	if g.Owner != "" {
		places = []event.Place{{Account: g.Owner, Region: l.place[0].Region}}
	}
	for len(places) > 0 {
		at := places[0]
		places = places[1:]
		got, err := l.Enter(l.in.Execution, at).EC2.DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{TransitGatewayIds: []string{g.ID}})
		if fault.HasCode(err, "InvalidTransitGatewayID.NotFound") || err == nil && len(got.TransitGateways) == 0 {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading %s in %s, %s: %w", g.ID, at.Account, at.Region, err)
		}
		gateway := got.TransitGateways[0]
		g.Owner = aws.ToString(gateway.OwnerId)
		if g.Owner != at.Account { // its tags are its owner's
			places = []event.Place{{Account: g.Owner, Region: at.Region}}
			continue
		}
		g.References = gateway.Options != nil && gateway.Options.SecurityGroupReferencingSupport == types.SecurityGroupReferencingSupportValueEnable
		g.Tags = tag.Clean(tag.Gateway, tag.OfEC2(gateway.Tags))
		return nil
	}
	return fault.NewConflict(fmt.Sprintf("%s is shown in neither %s nor %s", g.ID, l.place[0].Account, l.place[1].Account),
		"share the gateway with the accounts of both VPCs, or delete their attachments, then redrive the execution")
}

// routesOfGateway reads, as the gateway's owner, where the route table that each attachment is associated with leads.
func (i Inspector) routesOfGateway(ctx context.Context, execution string, p *pair) error {
	q := &p.q
	at := event.Place{Account: q.Gateway.Owner, Region: p.place[0].Region}
	api := i.Enter(execution, at).EC2
	for n := range q.Ends {
		end := &q.Ends[n]
		if end.Table == "" {
			continue
		}
		if n == 1 && end.Table == q.Ends[0].Table && q.Ends[0].Entries != nil {
			end.Entries = q.Ends[0].Entries
			continue
		}
		var err error
		cidrs := slices.Concat(q.Ends[0].VPC.CIDRs, q.Ends[1].VPC.CIDRs)
		if end.Entries, err = entries(ctx, api, end.Table, cidrs); err != nil {
			return fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
		}
	}
	return nil
}

// entries returns the routes of a gateway's route table that touch cidrs.
func entries(ctx context.Context, api EC2, table string, cidrs []netip.Prefix) ([]Entry, error) {
	found, err := discover.Routes(ctx, api, table, cidrs)
	out := []Entry{}
	for _, l := range found {
		out = append(out, Entry{Destination: l.Destination, Attachment: l.Target, Blackhole: l.Blackhole, Static: !l.Propagated, Outside: l.Outside})
	}
	return out, err
}

// connect fills in what else the steps need that connect the pair.
func (i Inspector) connect(ctx context.Context, execution string, p *pair, sides ...*survey.SideFacts) error {
	for _, g := range sides {
		api := i.Enter(execution, g.Side.VPC.Place())
		if g.Side.Owner == "" {
			var err error
			if g.Side.Alternates, err = beside(ctx, api.EC2, g); err != nil {
				return fmt.Errorf("in %s, %s: %w", g.Side.VPC.Account, g.Side.VPC.Region, err)
			}
		}
	}
	return nil
}

// beside returns the active peerings with the peer that some table of this side has a live route through.
func beside(ctx context.Context, api EC2, g *survey.SideFacts) ([]string, error) {
	var ids, out []string
	for _, t := range g.Here.Tables {
		for _, r := range t.Routes {
			switch road.CarrierOf(r.Target) {
			case road.ByPeering:
				if !r.Blackhole {
					ids = append(ids, r.Target)
				}
			case road.ByGateway, road.ByNothing:
			}
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil, nil
	}
	got, err := api.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: ids})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", strings.Join(ids, ", "), err)
	}
	is := func(info *types.VpcPeeringConnectionVpcInfo, v workflow.VPC) bool {
		return info != nil && aws.ToString(info.VpcId) == v.ID && aws.ToString(info.OwnerId) == v.Account
	}
	for _, c := range got.VpcPeeringConnections {
		between := is(c.RequesterVpcInfo, g.Side.VPC) && is(c.AccepterVpcInfo, g.Side.Peer) || is(c.AccepterVpcInfo, g.Side.VPC) && is(c.RequesterVpcInfo, g.Side.Peer)
		if between && c.Status != nil && c.Status.Code == types.VpcPeeringConnectionStateReasonCodeActive {
			out = append(out, aws.ToString(c.VpcPeeringConnectionId))
		}
	}
	slices.Sort(out)
	return out, nil
}
