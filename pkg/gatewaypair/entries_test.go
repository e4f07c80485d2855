package gatewaypair

import (
	"context"
	"net/netip"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// searched is a route table of a gateway. If it has more routes than one answer shows, only a search by CIDR shows the others.
type searched struct {
	EC2
	all, more []types.TransitGatewayRoute
}

func (s searched) SearchTransitGatewayRoutes(_ context.Context, in *ec2.SearchTransitGatewayRoutesInput, _ ...func(*ec2.Options)) (*ec2.SearchTransitGatewayRoutesOutput, error) {
	narrow := slices.ContainsFunc(in.Filters, func(f types.Filter) bool { return aws.ToString(f.Name) != "state" })
	if narrow {
		return &ec2.SearchTransitGatewayRoutesOutput{Routes: slices.Concat(s.all, s.more)}, nil
	}
	return &ec2.SearchTransitGatewayRoutesOutput{Routes: s.all, AdditionalRoutesAvailable: aws.Bool(len(s.more) > 0)}, nil
}

func TestEntriesSayWhereARouteLeadsAndWhoMadeIt(t *testing.T) {
	to := func(cidr, attachment string, kind types.TransitGatewayAttachmentResourceType, made types.TransitGatewayRouteType) types.TransitGatewayRoute {
		return types.TransitGatewayRoute{DestinationCidrBlock: &cidr, Type: made, State: types.TransitGatewayRouteStateActive,
			TransitGatewayAttachments: []types.TransitGatewayRouteAttachment{{TransitGatewayAttachmentId: &attachment, ResourceType: kind}}}
	}
	dead := types.TransitGatewayRoute{DestinationCidrBlock: aws.String("10.2.3.0/24"), Type: types.TransitGatewayRouteTypeStatic, State: types.TransitGatewayRouteStateBlackhole}
	table := searched{
		all: []types.TransitGatewayRoute{dead, to("10.9.0.0/16", "tgw-attach-far", types.TransitGatewayAttachmentResourceTypeVpc, types.TransitGatewayRouteTypePropagated),
			to("10.2.0.0/16", "tgw-attach-b", types.TransitGatewayAttachmentResourceTypeVpc, types.TransitGatewayRouteTypePropagated)},
		more: []types.TransitGatewayRoute{to("0.0.0.0/0", "tgw-attach-vpn", types.TransitGatewayAttachmentResourceTypeVpn, types.TransitGatewayRouteTypeStatic)},
	}
	got, err := entries(t.Context(), table, "tgw-rtb-1", []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")})
	want := []Entry{
		{Destination: netip.MustParsePrefix("0.0.0.0/0"), Attachment: "tgw-attach-vpn", Static: true, Outside: true},
		{Destination: netip.MustParsePrefix("10.2.0.0/16"), Attachment: "tgw-attach-b"},
		{Destination: netip.MustParsePrefix("10.2.3.0/24"), Blackhole: true, Static: true},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}
