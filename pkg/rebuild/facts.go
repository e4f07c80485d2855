package rebuild

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// connections gives to with the rows of each peering, pair and attachment of a place. A peering counts where its accepter is, an attachment where its
// VPC is, and a pair in the place of its first VPC that has a rule of it. What cannot be read on the other side now is untold: a later rebuild
// finds it.
func (r *reader) connections(ctx context.Context, at event.Place, to func(Rows) error) error {
	type thing struct {
		kind, id string
		plan     func() (Rows, error)
	}
	var things []thing
	peerings, err := r.markedPeerings(ctx, at)
	if err != nil {
		return err
	}
	for _, p := range peerings {
		id := aws.ToString(p.VpcPeeringConnectionId)
		things = append(things, thing{Peerings, id, func() (Rows, error) { return r.peering(ctx, at, p) }})
	}
	attachments, err := r.allAttachments(ctx, at)
	if err != nil {
		return err
	}
	for _, a := range attachments {
		tags := tag.OfEC2(a.Tags)
		if aws.ToString(a.ResourceOwnerId) == at.Account && (tags[tag.Status] != "" || tags[attachment.TagConnection] != "") {
			things = append(things, thing{Attachments, aws.ToString(a.TransitGatewayAttachmentId), func() (Rows, error) { return r.attachment(ctx, at, a) }})
		}
	}
	rules, err := r.markedRules(ctx, at)
	if err != nil {
		return err
	}
	pairs := map[string]bool{}
	for _, rule := range rules {
		switch road.Of(rule.Connection).Carrier() {
		case road.ByGateway:
			if !pairs[rule.Connection] {
				pairs[rule.Connection] = true
				things = append(things, thing{Pairs, rule.Connection, func() (Rows, error) { return r.pair(ctx, at, rule) }})
			}
		case road.ByPeering:
			if !slices.ContainsFunc(peerings, func(p types.VpcPeeringConnection) bool {
				return aws.ToString(p.VpcPeeringConnectionId) == rule.Connection
			}) {
				things = append(things, thing{Rules, rule.ID, func() (Rows, error) {
					return Rows{Untold: []Untold{{Rules, fmt.Sprintf("%s of %s: no connection %s has Drawbridge's tags here", rule.ID, rule.Group, rule.Connection)}}}, nil
				}})
			}
		case road.ByNothing:
		}
	}
	var broken []error
	for _, t := range things {
		rows, err := t.plan()
		if why, unreadable := fault.Unreadable(err); unreadable {
			rows, err = Rows{Untold: []Untold{{t.kind, t.id + ": " + why}}}, nil
		}
		if err == nil {
			err = to(rows)
		}
		if fault.Passing(err) {
			return err
		}
		if err != nil {
			broken = append(broken, fmt.Errorf("rebuilding %s: %w", t.id, err))
		}
	}
	return fault.Join(broken...)
}

// peering returns the rows of a peering, in the place of its accepter; in that of its requester only whether the accepter's account has no mark.
func (r *reader) peering(ctx context.Context, at event.Place, p types.VpcPeeringConnection) (Rows, error) {
	id := aws.ToString(p.VpcPeeringConnectionId)
	c := Connected{ID: id, Kind: road.Peering, Target: id}
	if p.Status != nil {
		c.State = string(p.Status.Code)
	}
	var here bool
	for n, info := range []*types.VpcPeeringConnectionVpcInfo{p.RequesterVpcInfo, p.AccepterVpcInfo} {
		if info == nil {
			return Rows{}, nil
		}
		place := event.Place{Account: aws.ToString(info.OwnerId), Region: aws.ToString(info.Region)}
		s := &c.Sides[n]
		s.VPC = workflow.VPC{Account: place.Account, Region: place.Region, ID: aws.ToString(info.VpcId)}
		s.DNS = info.PeeringOptions != nil && aws.ToBool(info.PeeringOptions.AllowDnsResolutionFromRemoteVpc)
		here = place == at
		marked, err := r.markedPeerings(ctx, place)
		if err != nil {
			return Rows{}, err
		}
		for _, other := range marked {
			if aws.ToString(other.VpcPeeringConnectionId) == id {
				s.Tags = tag.Clean(tag.Peering, tag.OfEC2(other.Tags))
			}
		}
	}
	if !here && c.Sides[1].Tags != nil {
		return Rows{}, nil
	}
	adopted := c.Sides[0].Tags[tag.Manage] == tag.Take || c.Sides[1].Tags[tag.Manage] == tag.Take
	for n := range c.Sides {
		c.Sides[n].Adopted = adopted
	}
	return r.plan(ctx, c)
}

// plan reads the networks of a connection's sides, as far as they are there, and plans.
func (r *reader) plan(ctx context.Context, c Connected) (Rows, error) {
	if rows := Plan(c); rows.Entry == nil { // nothing more has to be known of it
		return rows, nil
	}
	for n := range c.Sides {
		s := &c.Sides[n]
		place := s.VPC.Place()
		var err error
		if s.VPC, _, err = r.vpc(ctx, place, s.VPC.ID); err != nil {
			return Rows{}, err
		}
		if len(s.VPC.CIDRs) == 0 { // the VPC is gone, and all with it
			continue
		}
		var subnets []route.Subnet
		if subnets, s.Tables, err = r.network(ctx, place, s.VPC.ID); err != nil {
			return Rows{}, err
		}
		s.Subnets = route.SubnetIDs(subnets)
		s.Ranges = route.Ranges(subnets, s.Subnets)
	}
	for n := range c.Sides {
		rules, err := r.markedRules(ctx, c.Sides[n].VPC.Place())
		if err != nil {
			return Rows{}, err
		}
		c.Sides[n].Rules = of(c, n, rules)
	}
	return Plan(c), nil
}

// of returns the rules of one side of a connection. Where both sides are in one place, a rule is of the side whose peer it names, else of the first.
func of(c Connected, n int, rules []firewall.Marked) []firewall.Marked {
	together := c.Sides[0].VPC.Place() == c.Sides[1].VPC.Place()
	return slices.DeleteFunc(slices.Clone(rules), func(r firewall.Marked) bool {
		second := r.Peer == Named(c.Sides[0].VPC)
		return r.Connection != c.ID || together && second != (n == 1)
	})
}

// pair returns the rows of the pair that a rule of a place names.
func (r *reader) pair(ctx context.Context, at event.Place, rule firewall.Marked) (Rows, error) {
	gateway, vpcs, _ := road.Pair(rule.Connection)
	peer, ok := Peer(rule.Peer)
	own := slices.IndexFunc(vpcs[:], func(v string) bool { return v != peer.ID })
	if !ok || !slices.Contains(vpcs[:], peer.ID) || peer.Region != at.Region {
		return Rows{Untold: []Untold{{Rules, fmt.Sprintf("%s of %s, of %s: it names another VPC", rule.ID, rule.Group, rule.Connection)}}}, nil
	}
	c := Connected{ID: rule.Connection, Kind: road.Transit, Target: gateway}
	c.Sides[own].VPC = workflow.VPC{Account: at.Account, Region: at.Region, ID: vpcs[own]}
	c.Sides[1-own].VPC = peer
	if first := c.Sides[0].VPC.Place(); own == 1 && first != at {
		theirs, err := r.markedRules(ctx, first)
		if err != nil || slices.ContainsFunc(theirs, func(r firewall.Marked) bool { return r.Connection == c.ID }) {
			return Rows{}, err // counted there
		}
	}
	for n := range c.Sides {
		s := &c.Sides[n]
		all, err := r.allAttachments(ctx, s.VPC.Place())
		if err != nil {
			return Rows{}, err
		}
		for _, a := range all {
			if aws.ToString(a.ResourceId) != s.VPC.ID || aws.ToString(a.TransitGatewayId) != gateway || !attachment.Live(workflow.Attachment{State: string(a.State)}) {
				continue
			}
			one, err := r.attached(ctx, s.VPC.Place(), a)
			if err != nil {
				return Rows{}, err
			}
			s.Attachment, s.Tags, s.Adopted = one.ID, one.Tags, one.Adopted()
		}
		if s.Rules, err = r.markedRules(ctx, s.VPC.Place()); err != nil {
			return Rows{}, err
		}
	}
	for n := range c.Sides {
		c.Sides[n].Rules = of(c, n, c.Sides[n].Rules)
	}
	return r.plan(ctx, c)
}

// attachment returns the rows of an attachment, in the place of its VPC.
func (r *reader) attachment(ctx context.Context, at event.Place, a types.TransitGatewayAttachment) (Rows, error) {
	one, err := r.attached(ctx, at, a)
	if err != nil {
		return Rows{}, err
	}
	if rows := PlanAttachment(one); rows.Entry == nil { // nothing more has to be known of it
		return rows, nil
	}
	if one.Propagated, err = r.propagated(ctx, event.Place{Account: one.Gateway.Account, Region: one.Gateway.Region}, one.ID); err != nil {
		return Rows{}, err
	}
	return PlanAttachment(one), nil
}

// propagated returns the route tables of a gateway to which an attachment propagates, as the gateway's owner sees it, sorted.
func (r *reader) propagated(ctx context.Context, owner event.Place, id string) ([]string, error) {
	var out []string
	pages := ec2.NewGetTransitGatewayAttachmentPropagationsPaginator(r.in(owner).EC2, &ec2.GetTransitGatewayAttachmentPropagationsInput{TransitGatewayAttachmentId: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the propagations of %s in %s, %s: %w", id, owner.Account, owner.Region, err)
		}
		for _, p := range page.TransitGatewayAttachmentPropagations {
			if p.State == types.TransitGatewayPropagationStateEnabled {
				out = append(out, aws.ToString(p.TransitGatewayRouteTableId))
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// attached reads what both accounts have of an attachment of a VPC in a place.
func (r *reader) attached(ctx context.Context, at event.Place, a types.TransitGatewayAttachment) (Attached, error) {
	owner := event.Place{Account: aws.ToString(a.TransitGatewayOwnerId), Region: at.Region}
	out := Attached{ID: aws.ToString(a.TransitGatewayAttachmentId), State: string(a.State), Tags: tag.Clean(tag.Attachment, tag.OfEC2(a.Tags)),
		Gateway: workflow.Gateway{ID: aws.ToString(a.TransitGatewayId), Account: owner.Account, Region: owner.Region}}
	vpc, tags, err := r.vpc(ctx, at, aws.ToString(a.ResourceId))
	if err != nil {
		return out, err
	}
	out.VPC, out.Asks = vpc, tag.Clean(tag.VPC, tags)[tag.Attach] != ""
	theirs, err := r.allAttachments(ctx, owner)
	for _, other := range theirs {
		if aws.ToString(other.TransitGatewayAttachmentId) == out.ID {
			out.Owner = tag.Clean(tag.Attachment, tag.OfEC2(other.Tags))
			if as := other.Association; as != nil && as.State == types.TransitGatewayAssociationStateAssociated {
				out.Associated = aws.ToString(as.TransitGatewayRouteTableId)
			}
		}
	}
	return out, err
}
