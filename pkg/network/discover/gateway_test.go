package discover_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
)

// routes is a gateway's route table.
type routes []types.TransitGatewayRoute

func (r routes) SearchTransitGatewayRoutes(context.Context, *ec2.SearchTransitGatewayRoutesInput, ...func(*ec2.Options)) (*ec2.SearchTransitGatewayRoutesOutput, error) {
	return &ec2.SearchTransitGatewayRoutesOutput{Routes: r}, nil
}

// A gateway's table has its order, too: a static route, then one of a prefix list, then a propagated one.
// https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html#tgw-route-evaluation-overview
func TestTheRoutesOfAGatewayAreTakenInTheirOrder(t *testing.T) {
	route := func(to string, kind types.TransitGatewayRouteType, list *string) types.TransitGatewayRoute {
		return types.TransitGatewayRoute{DestinationCidrBlock: aws.String("10.2.0.0/16"), Type: kind, PrefixListId: list, State: types.TransitGatewayRouteStateActive,
			TransitGatewayAttachments: []types.TransitGatewayRouteAttachment{{TransitGatewayAttachmentId: &to, ResourceId: aws.String("vpc-1"), ResourceType: types.TransitGatewayAttachmentResourceTypeVpc}}}
	}
	propagated := route("tgw-attach-9", types.TransitGatewayRouteTypePropagated, nil)
	list := route("tgw-attach-8", types.TransitGatewayRouteTypeStatic, aws.String("pl-1"))
	static := route("tgw-attach-7", types.TransitGatewayRouteTypeStatic, nil)
	for want, all := range map[string]routes{"tgw-attach-7": {propagated, list, static}, "tgw-attach-8": {propagated, list}, "tgw-attach-9": {propagated}} {
		led, err := discover.Routes(t.Context(), all, "tgw-rtb-1", []netip.Prefix{netip.MustParsePrefix("10.2.0.0/24")})
		if err != nil {
			t.Fatal(err)
		}
		var table network.Table
		for _, l := range led {
			table.Routes = append(table.Routes, l.Route)
		}
		if got := table.Lookup(netip.MustParseAddr("10.2.0.7")); got.Answer != network.Yes || got.Route.Target != want {
			t.Errorf("%d routes lead to %s (%s), want %s", len(all), got.Route.Target, got.Answer.Mark(), want)
		}
	}
}
