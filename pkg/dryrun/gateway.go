package dryrun

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// gateways are what was noted of transit gateways, and what was read of them and is needed for that.
type gateways struct {
	made       map[string]*attachment                         // attachments that are only noted, by id
	states     map[string]types.TransitGatewayAttachmentState // of others
	added      map[string][]string                            // subnets, by attachment
	table      map[string]string                              // with which an attachment is associated; "" with none any more
	propagated map[[2]string]bool                             // by attachment and table
	owners     map[string]types.TransitGateway                // that were read
	ranges     map[string][]netip.Prefix                      // of VPCs that were read
	vpcs       map[string]string                              // of attachments that were read
	gateway    map[string]string                              // the same
}

type attachment struct {
	place // of the VPC
	types.TransitGatewayVpcAttachment
}

func (g *gateways) begin() *gateways {
	if g.made == nil {
		*g = gateways{made: map[string]*attachment{}, states: map[string]types.TransitGatewayAttachmentState{}, added: map[string][]string{}, table: map[string]string{},
			propagated: map[[2]string]bool{}, owners: map[string]types.TransitGateway{}, ranges: map[string][]netip.Prefix{}, vpcs: map[string]string{}, gateway: map[string]string{}}
	}
	return g
}

// gateway are the writes to attachments and to a gateway's route tables.
var gateway = map[string]func(*World, call) (any, []Change){
	"ec2:CreateTransitGatewayVpcAttachment": answer(func(w *World, c call, in *ec2.CreateTransitGatewayVpcAttachmentInput) (*ec2.CreateTransitGatewayVpcAttachmentOutput, []Change) {
		g, id := w.gateways.begin(), w.newID("tgw-attach")
		of := g.owners[aws.ToString(in.TransitGatewayId)]
		state := types.TransitGatewayAttachmentStatePendingAcceptance
		if aws.ToString(of.OwnerId) == c.account || of.Options != nil && of.Options.AutoAcceptSharedAttachments == types.AutoAcceptSharedAttachmentsValueEnable {
			state = types.TransitGatewayAttachmentStateAvailable
		}
		a := types.TransitGatewayVpcAttachment{TransitGatewayAttachmentId: &id, TransitGatewayId: in.TransitGatewayId, VpcId: in.VpcId, VpcOwnerId: aws.String(c.account), SubnetIds: in.SubnetIds,
			State: state, CreationTime: aws.Time(time.Now()), Options: &types.TransitGatewayVpcAttachmentOptions{DnsSupport: types.DnsSupportValueEnable}}
		for _, t := range in.TagSpecifications {
			a.Tags = append(a.Tags, t.Tags...)
		}
		g.made[id] = &attachment{c.place, a}
		if state == types.TransitGatewayAttachmentStateAvailable {
			g.byDefault(id, of)
		}
		return &ec2.CreateTransitGatewayVpcAttachmentOutput{TransitGatewayVpcAttachment: &a},
			one(Adds, aws.ToString(in.VpcId), "attachment to %s with %s", aws.ToString(in.TransitGatewayId), strings.Join(in.SubnetIds, ", "))
	}),
	// The role that AWS attaches with, where an account has lost it.
	"iam:CreateServiceLinkedRole": plainly[iam.CreateServiceLinkedRoleInput, iam.CreateServiceLinkedRoleOutput](func(_ *World, _ call, in *iam.CreateServiceLinkedRoleInput) []Change {
		return one(Adds, aws.ToString(in.AWSServiceName), "service-linked role")
	}),
	"ec2:ModifyTransitGatewayVpcAttachment": answer(func(w *World, _ call, in *ec2.ModifyTransitGatewayVpcAttachmentInput) (*ec2.ModifyTransitGatewayVpcAttachmentOutput, []Change) {
		g, id := w.gateways.begin(), aws.ToString(in.TransitGatewayAttachmentId)
		g.added[id] = append(g.added[id], in.AddSubnetIds...)
		return &ec2.ModifyTransitGatewayVpcAttachmentOutput{TransitGatewayVpcAttachment: &types.TransitGatewayVpcAttachment{TransitGatewayAttachmentId: &id, State: types.TransitGatewayAttachmentStateModifying}},
			one(Changes, id, "with %s, too", strings.Join(in.AddSubnetIds, ", "))
	}),
	"ec2:AcceptTransitGatewayVpcAttachment": answer(func(w *World, _ call, in *ec2.AcceptTransitGatewayVpcAttachmentInput) (*ec2.AcceptTransitGatewayVpcAttachmentOutput, []Change) {
		id := w.becomes(in.TransitGatewayAttachmentId, types.TransitGatewayAttachmentStateAvailable)
		w.gateways.byDefault(id, w.gateways.owners[w.gateways.of(id)])
		return &ec2.AcceptTransitGatewayVpcAttachmentOutput{TransitGatewayVpcAttachment: &types.TransitGatewayVpcAttachment{TransitGatewayAttachmentId: &id, State: types.TransitGatewayAttachmentStatePending}},
			one(Changes, id, "accept the attachment")
	}),
	"ec2:RejectTransitGatewayVpcAttachment": plainly[ec2.RejectTransitGatewayVpcAttachmentInput, ec2.RejectTransitGatewayVpcAttachmentOutput](func(w *World, _ call, in *ec2.RejectTransitGatewayVpcAttachmentInput) []Change {
		return one(Takes, w.becomes(in.TransitGatewayAttachmentId, types.TransitGatewayAttachmentStateRejected), "reject the attachment")
	}),
	"ec2:DeleteTransitGatewayVpcAttachment": answer(func(w *World, _ call, in *ec2.DeleteTransitGatewayVpcAttachmentInput) (*ec2.DeleteTransitGatewayVpcAttachmentOutput, []Change) {
		id := w.becomes(in.TransitGatewayAttachmentId, types.TransitGatewayAttachmentStateDeleted)
		return &ec2.DeleteTransitGatewayVpcAttachmentOutput{TransitGatewayVpcAttachment: &types.TransitGatewayVpcAttachment{TransitGatewayAttachmentId: &id, State: types.TransitGatewayAttachmentStateDeleting}},
			one(Takes, id, "attachment")
	}),
	"ec2:AssociateTransitGatewayRouteTable": plainly[ec2.AssociateTransitGatewayRouteTableInput, ec2.AssociateTransitGatewayRouteTableOutput](func(w *World, _ call, in *ec2.AssociateTransitGatewayRouteTableInput) []Change {
		id, table := aws.ToString(in.TransitGatewayAttachmentId), aws.ToString(in.TransitGatewayRouteTableId)
		w.gateways.begin().table[id] = table
		return one(Adds, table, "association of %s", id)
	}),
	"ec2:DisassociateTransitGatewayRouteTable": plainly[ec2.DisassociateTransitGatewayRouteTableInput, ec2.DisassociateTransitGatewayRouteTableOutput](func(w *World, _ call, in *ec2.DisassociateTransitGatewayRouteTableInput) []Change {
		id := aws.ToString(in.TransitGatewayAttachmentId)
		w.gateways.begin().table[id] = ""
		return one(Takes, aws.ToString(in.TransitGatewayRouteTableId), "association of %s", id)
	}),
	"ec2:EnableTransitGatewayRouteTablePropagation": plainly[ec2.EnableTransitGatewayRouteTablePropagationInput, ec2.EnableTransitGatewayRouteTablePropagationOutput](func(w *World, _ call, in *ec2.EnableTransitGatewayRouteTablePropagationInput) []Change {
		id, table := aws.ToString(in.TransitGatewayAttachmentId), aws.ToString(in.TransitGatewayRouteTableId)
		w.gateways.begin().propagated[[2]string{id, table}] = true
		return one(Adds, table, "propagation of %s", id)
	}),
	"ec2:DisableTransitGatewayRouteTablePropagation": plainly[ec2.DisableTransitGatewayRouteTablePropagationInput, ec2.DisableTransitGatewayRouteTablePropagationOutput](func(w *World, _ call, in *ec2.DisableTransitGatewayRouteTablePropagationInput) []Change {
		id, table := aws.ToString(in.TransitGatewayAttachmentId), aws.ToString(in.TransitGatewayRouteTableId)
		w.gateways.begin().propagated[[2]string{id, table}] = false
		return one(Takes, table, "propagation of %s", id)
	}),
}

// showVPCs shows the tags of VPCs as they would be, and keeps their ranges.
func showVPCs(w *World, c call, out any) {
	in, got := c.in.(*ec2.DescribeVpcsInput), out.(*ec2.DescribeVpcsOutput)
	by := slices.DeleteFunc(slices.Clone(in.Filters), func(f types.Filter) bool { return !strings.HasPrefix(aws.ToString(f.Name), "tag") })
	got.Vpcs = slices.Clone(got.Vpcs)
	for n := range got.Vpcs {
		v := &got.Vpcs[n]
		v.Tags = w.tagsOf(c.account, aws.ToString(v.VpcId), v.Tags)
		var all []netip.Prefix
		for _, c := range v.CidrBlockAssociationSet {
			if p, err := netip.ParsePrefix(aws.ToString(c.CidrBlock)); err == nil {
				all = append(all, p.Masked())
			}
		}
		w.gateways.begin().ranges[aws.ToString(v.VpcId)] = all
	}
	got.Vpcs = slices.DeleteFunc(got.Vpcs, func(v types.Vpc) bool { return !matches(by, nil, v.Tags) })
}

// of returns the gateway of an attachment.
func (g *gateways) of(id string) string {
	if a := g.made[id]; a != nil {
		return aws.ToString(a.TransitGatewayId)
	}
	return g.gateway[id]
}

// byDefault puts an attachment into the route tables that its gateway has for every one, as AWS does once it is available.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-route-tables.html
func (g *gateways) byDefault(id string, of types.TransitGateway) {
	o := of.Options
	if o == nil {
		return
	}
	if o.DefaultRouteTableAssociation == types.DefaultRouteTableAssociationValueEnable {
		g.table[id] = aws.ToString(o.AssociationDefaultRouteTableId)
	}
	if o.DefaultRouteTablePropagation == types.DefaultRouteTablePropagationValueEnable {
		g.propagated[[2]string{id, aws.ToString(o.PropagationDefaultRouteTableId)}] = true
	}
}

// becomes notes a state of an attachment, and returns its id.
func (w *World) becomes(id *string, state types.TransitGatewayAttachmentState) string {
	g := w.gateways.begin()
	if a := g.made[aws.ToString(id)]; a != nil {
		a.State = state
	}
	g.states[aws.ToString(id)] = state
	return aws.ToString(id)
}

func init() {
	shown["ec2:DescribeVpcs"] = showVPCs
	shown["ec2:DescribeTransitGatewayVpcAttachments"] = showVPCAttachments
	shown["ec2:DescribeTransitGatewayAttachments"] = showAttachments
	noted["ec2:GetTransitGatewayAttachmentPropagations"] = func(w *World, c call) func() (any, error) {
		id := aws.ToString(c.in.(*ec2.GetTransitGatewayAttachmentPropagationsInput).TransitGatewayAttachmentId)
		if w.gateways.made[id] == nil {
			return nil
		}
		out := &ec2.GetTransitGatewayAttachmentPropagationsOutput{}
		showPropagations(w, c, out)
		return func() (any, error) { return out, nil }
	}
	shown["ec2:GetTransitGatewayAttachmentPropagations"] = showPropagations
	shown["ec2:SearchTransitGatewayRoutes"] = showGatewayRoutes
}

// seen returns the attachments that are only noted and are shown to an account: the VPC's, and the gateway's owner's.
func (g *gateways) seen(c call) (out []*attachment) {
	for _, a := range g.made {
		if a.region == c.region && (a.account == c.account || aws.ToString(g.owners[aws.ToString(a.TransitGatewayId)].OwnerId) == c.account) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *attachment) int {
		return strings.Compare(*a.TransitGatewayAttachmentId, *b.TransitGatewayAttachmentId)
	})
	return out
}

func (a *attachment) fields() map[string]string {
	return map[string]string{"vpc-id": aws.ToString(a.VpcId), "resource-id": aws.ToString(a.VpcId), "resource-type": "vpc", "resource-owner-id": aws.ToString(a.VpcOwnerId),
		"transit-gateway-id": aws.ToString(a.TransitGatewayId), "state": string(a.State), "transit-gateway-attachment-id": aws.ToString(a.TransitGatewayAttachmentId)}
}

func showVPCAttachments(w *World, c call, out any) {
	in, got, g := c.in.(*ec2.DescribeTransitGatewayVpcAttachmentsInput), out.(*ec2.DescribeTransitGatewayVpcAttachmentsOutput), w.gateways.begin()
	var shown []types.TransitGatewayVpcAttachment
	for _, a := range got.TransitGatewayVpcAttachments {
		id := aws.ToString(a.TransitGatewayAttachmentId)
		g.vpcs[id], g.gateway[id] = aws.ToString(a.VpcId), aws.ToString(a.TransitGatewayId)
		if state, ok := g.states[id]; ok {
			a.State = state
		}
		a.SubnetIds = append(slices.Clip(a.SubnetIds), g.added[id]...)
		a.Tags = w.tagsOf(c.account, id, a.Tags)
		if still := matches(stateOf(in.Filters), map[string]string{"state": string(a.State)}, nil); still {
			shown = append(shown, a)
		}
	}
	got.TransitGatewayVpcAttachments = shown
	if aws.ToString(got.NextToken) != "" {
		return
	}
	for _, a := range g.seen(c) {
		one := a.TransitGatewayVpcAttachment
		if one.Tags = w.tagsOf(c.account, *one.TransitGatewayAttachmentId, one.Tags); a.account != c.account {
			one.Tags = w.tagsOf(c.account, *one.TransitGatewayAttachmentId, nil) // each account has tags of its own
		}
		if matches(in.Filters, a.fields(), one.Tags) {
			got.TransitGatewayVpcAttachments = append(got.TransitGatewayVpcAttachments, one)
		}
	}
}

// stateOf returns the filters for a state: what AWS showed by one may have another by now.
func stateOf(filters []types.Filter) []types.Filter {
	return slices.DeleteFunc(slices.Clone(filters), func(f types.Filter) bool { return aws.ToString(f.Name) != "state" })
}

func showAttachments(w *World, c call, out any) {
	in, got, g := c.in.(*ec2.DescribeTransitGatewayAttachmentsInput), out.(*ec2.DescribeTransitGatewayAttachmentsOutput), w.gateways.begin()
	associated := func(id string, was *types.TransitGatewayAttachmentAssociation) *types.TransitGatewayAttachmentAssociation {
		table, ok := g.table[id]
		switch {
		case !ok:
			return was
		case table == "":
			return nil
		}
		return &types.TransitGatewayAttachmentAssociation{TransitGatewayRouteTableId: &table, State: types.TransitGatewayAssociationStateAssociated}
	}
	for n := range got.TransitGatewayAttachments {
		a := &got.TransitGatewayAttachments[n]
		id := aws.ToString(a.TransitGatewayAttachmentId)
		g.vpcs[id], g.gateway[id] = aws.ToString(a.ResourceId), aws.ToString(a.TransitGatewayId)
		if state, ok := g.states[id]; ok {
			a.State = state
		}
		a.Association, a.Tags = associated(id, a.Association), w.tagsOf(c.account, id, a.Tags)
	}
	if aws.ToString(got.NextToken) != "" {
		return
	}
	for _, a := range g.seen(c) {
		id := *a.TransitGatewayAttachmentId
		var tags []types.Tag
		if a.account == c.account {
			tags = a.Tags
		}
		tags = w.tagsOf(c.account, id, tags)
		if matches(in.Filters, a.fields(), tags) && (len(in.TransitGatewayAttachmentIds) == 0 || slices.Contains(in.TransitGatewayAttachmentIds, id)) {
			of := g.owners[aws.ToString(a.TransitGatewayId)]
			got.TransitGatewayAttachments = append(got.TransitGatewayAttachments, types.TransitGatewayAttachment{TransitGatewayAttachmentId: &id, TransitGatewayId: a.TransitGatewayId,
				ResourceId: a.VpcId, ResourceOwnerId: a.VpcOwnerId, ResourceType: types.TransitGatewayAttachmentResourceTypeVpc, TransitGatewayOwnerId: of.OwnerId,
				State: a.State, CreationTime: a.CreationTime, Association: associated(id, nil), Tags: tags})
		}
	}
}

func showPropagations(w *World, c call, out any) {
	id, got := aws.ToString(c.in.(*ec2.GetTransitGatewayAttachmentPropagationsInput).TransitGatewayAttachmentId), out.(*ec2.GetTransitGatewayAttachmentPropagationsOutput)
	got.TransitGatewayAttachmentPropagations = slices.DeleteFunc(slices.Clone(got.TransitGatewayAttachmentPropagations), func(p types.TransitGatewayAttachmentPropagation) bool {
		_, noted := w.gateways.propagated[[2]string{id, aws.ToString(p.TransitGatewayRouteTableId)}]
		return noted
	})
	for of, on := range w.gateways.propagated {
		if of[0] == id && on {
			got.TransitGatewayAttachmentPropagations = append(got.TransitGatewayAttachmentPropagations,
				types.TransitGatewayAttachmentPropagation{TransitGatewayRouteTableId: &of[1], State: types.TransitGatewayPropagationStateEnabled})
		}
	}
}

// showGatewayRoutes adds to a search in a gateway's table what attachments propagate there by now, and takes out what they do no more.
func showGatewayRoutes(w *World, c call, out any) {
	in, got, g := c.in.(*ec2.SearchTransitGatewayRoutesInput), out.(*ec2.SearchTransitGatewayRoutesOutput), w.gateways.begin()
	table := aws.ToString(in.TransitGatewayRouteTableId)
	for of, on := range g.propagated {
		if of[1] != table {
			continue
		}
		got.Routes = slices.DeleteFunc(slices.Clone(got.Routes), func(r types.TransitGatewayRoute) bool {
			return r.Type == types.TransitGatewayRouteTypePropagated && len(r.TransitGatewayAttachments) == 1 && aws.ToString(r.TransitGatewayAttachments[0].TransitGatewayAttachmentId) == of[0]
		})
		vpc := g.vpcs[of[0]]
		if a := g.made[of[0]]; a != nil {
			vpc = aws.ToString(a.VpcId)
		}
		if !on {
			continue
		}
		for _, p := range g.ranges[vpc] {
			if searched(in.Filters, p) && !taken(got.Routes, p) {
				got.Routes = append(got.Routes, types.TransitGatewayRoute{DestinationCidrBlock: aws.String(p.String()), State: types.TransitGatewayRouteStateActive, Type: types.TransitGatewayRouteTypePropagated,
					TransitGatewayAttachments: []types.TransitGatewayRouteAttachment{{TransitGatewayAttachmentId: &of[0], ResourceId: &vpc, ResourceType: types.TransitGatewayAttachmentResourceTypeVpc}}})
			}
		}
	}
}

// taken reports whether one of the routes that were found is propagated to addresses of a prefix: then AWS propagates no second one, and says nothing. A route
// that the search does not ask for is not seen here.
// https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html#tgw-route-propagation-overview
func taken(routes []types.TransitGatewayRoute, p netip.Prefix) bool {
	return slices.ContainsFunc(routes, func(r types.TransitGatewayRoute) bool {
		of, err := netip.ParsePrefix(aws.ToString(r.DestinationCidrBlock))
		return err == nil && r.Type == types.TransitGatewayRouteTypePropagated && of.Overlaps(p)
	})
}

// searched reports whether a propagated route to a prefix is what filters search for.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SearchTransitGatewayRoutes.html
func searched(filters []types.Filter, p netip.Prefix) bool {
	return !slices.ContainsFunc(filters, func(f types.Filter) bool {
		name := aws.ToString(f.Name)
		match, isMatch := strings.CutPrefix(name, "route-search.")
		switch {
		case name == "type":
			return !slices.Contains(f.Values, string(types.TransitGatewayRouteTypePropagated))
		case name == "state":
			return !slices.Contains(f.Values, string(types.TransitGatewayRouteStateActive))
		case !isMatch:
			return true
		}
		return !slices.ContainsFunc(f.Values, func(text string) bool {
			of, err := netip.ParsePrefix(text)
			switch {
			case err != nil:
				return false
			case match == "exact-match":
				return of.Masked() == p
			case match == "supernet-of-match":
				return p.Contains(of.Addr()) && p.Bits() <= of.Bits()
			case match == "subnet-of-match":
				return of.Contains(p.Addr()) && of.Bits() <= p.Bits()
			}
			return of.Contains(p.Addr())
		})
	})
}
