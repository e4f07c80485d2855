package why

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// words reads the tags that keep Drawbridge out of a path: of both VPCs, the subnets of both ends, their route tables and their security groups, and of what connects
// them, in the accounts of both sides. What cannot be read says nothing, and is noted.
func (f *Finder) words(ctx context.Context, c found, d located, carriers []Carrier) []Word {
	out := append([]Word{}, c.words...)
	sides := []struct {
		at              event.Place
		vpc             string
		subnets, groups []string
	}{{c.at, c.client.VPC, c.client.Subnets, c.client.Groups}, {d.at, d.database.VPC, d.database.Subnets, d.database.Groups}}
	for n, s := range sides {
		if n == 1 && (d.blind || s.vpc == c.client.VPC) {
			continue
		}
		cfg, err := f.Enter(s.at)
		if err == nil {
			r := tagged{ec2.NewFromConfig(cfg), s.at}
			var more []Word
			if more, err = r.words(ctx, s.vpc, s.subnets, carriers, n == 1 || accepts(carriers, s.vpc)); err == nil {
				out = append(out, more...)
				more, err = r.groups(ctx, s.groups)
				out = append(out, more...)
			}
		}
		if err != nil {
			f.note(fmt.Sprintf("tags in account %s, %s", s.at.Account, s.at.Region), err)
		}
	}
	return out
}

// accepts reports whether a peering was requested of a VPC.
func accepts(carriers []Carrier, vpc string) bool {
	for _, c := range carriers {
		if c.AcceptVPC == vpc {
			return true
		}
	}
	return false
}

// tagged reads tags in one place.
type tagged struct {
	api *ec2.Client
	at  event.Place
}

func (r tagged) of(kind tag.Kind, id *string, tags []types.Tag) []Word {
	return WordsOf(deed.Thing{Kind: kind, ID: aws.ToString(id), Account: r.at.Account, Region: r.at.Region}, "", tag.OfEC2(tags))
}

// words reads what one side says. asked says that it is the side that connections are requested of.
func (r tagged) words(ctx context.Context, vpc string, subnets []string, carriers []Carrier, asked bool) ([]Word, error) {
	var out []Word
	if asked {
		got, err := r.api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{vpc}})
		if err != nil {
			return nil, err
		}
		for _, v := range got.Vpcs {
			out = append(out, r.of(tag.VPC, v.VpcId, v.Tags)...)
		}
	}
	got, err := r.api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: subnets})
	if err != nil {
		return nil, err
	}
	for _, s := range got.Subnets {
		out = append(out, r.of(tag.Subnet, s.SubnetId, s.Tags)...)
	}
	tables, err := r.tables(ctx, vpc, subnets)
	if err != nil {
		return nil, err
	}
	out = append(out, tables...)
	for _, c := range carriers {
		more, err := r.carrier(ctx, c.ID, vpc)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// tables reads the tags of the route tables that subnets use.
func (r tagged) tables(ctx context.Context, vpc string, subnets []string) ([]Word, error) {
	got, err := r.api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}})
	if err != nil {
		return nil, err
	}
	using := map[string]string{} // table by subnet
	home := ""
	for _, t := range got.RouteTables {
		for _, a := range t.Associations {
			if aws.ToBool(a.Main) {
				home = aws.ToString(t.RouteTableId)
			}
			using[aws.ToString(a.SubnetId)] = aws.ToString(t.RouteTableId)
		}
	}
	uses := map[string]bool{}
	for _, s := range subnets {
		if t, ok := using[s]; ok {
			uses[t] = true
		} else {
			uses[home] = true
		}
	}
	var out []Word
	for _, t := range got.RouteTables {
		if uses[aws.ToString(t.RouteTableId)] {
			out = append(out, r.of(tag.RouteTable, t.RouteTableId, t.Tags)...)
		}
	}
	return out, nil
}

// groups reads the tags of the security groups of one end, of which one that is not kept out serves: only where all are, they say something, and the first for all.
func (r tagged) groups(ctx context.Context, ids []string) ([]Word, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	got, err := r.api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("group-id"), Values: ids}}})
	if err != nil {
		return nil, err
	}
	var out []Word
	for _, g := range got.SecurityGroups {
		words := r.of(tag.Group, g.GroupId, g.Tags)
		if len(words) == 0 {
			return nil, nil
		}
		out = append(out, words...)
	}
	slices.SortFunc(out, func(a, b Word) int { return strings.Compare(a.Thing.ID, b.Thing.ID) })
	return out[:min(1, len(out))], nil
}

// carrier reads the tags of a peering, or of a VPC's attachment to a gateway and, for its owner, of the gateway.
func (r tagged) carrier(ctx context.Context, id, vpc string) ([]Word, error) {
	var out []Word
	switch road.CarrierOf(id) {
	case road.ByPeering:
		got, err := r.api.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{id}})
		if err != nil {
			return nil, err
		}
		for _, p := range got.VpcPeeringConnections {
			out = append(out, r.of(tag.Peering, p.VpcPeeringConnectionId, p.Tags)...)
		}
		return out, nil
	case road.ByNothing:
		return nil, nil
	case road.ByGateway:
	}
	got, err := r.api.DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{Filters: []types.Filter{
		{Name: aws.String("vpc-id"), Values: []string{vpc}}, {Name: aws.String("transit-gateway-id"), Values: []string{id}}, {Name: aws.String("state"), Values: []string{"available", "modifying", "pendingAcceptance"}}}})
	if err != nil {
		return nil, err
	}
	for _, a := range got.TransitGatewayVpcAttachments {
		out = append(out, r.of(tag.Attachment, a.TransitGatewayAttachmentId, a.Tags)...)
	}
	gateways, err := r.api.DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{TransitGatewayIds: []string{id}})
	if err != nil {
		return nil, err
	}
	for _, g := range gateways.TransitGateways {
		out = append(out, r.of(tag.Gateway, g.TransitGatewayId, g.Tags)...)
	}
	return out, nil
}
