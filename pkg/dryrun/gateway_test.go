package dryrun

import (
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// AWS propagates no second route to addresses to which one is propagated; a static one keeps none out.
func TestTaken(t *testing.T) {
	route := func(cidr string, kind types.TransitGatewayRouteType) []types.TransitGatewayRoute {
		return []types.TransitGatewayRoute{{DestinationCidrBlock: aws.String(cidr), Type: kind}}
	}
	for name, c := range map[string]struct {
		there []types.TransitGatewayRoute
		want  bool
	}{
		"nothing":          {nil, false},
		"the same":         {route("10.2.0.0/16", types.TransitGatewayRouteTypePropagated), true},
		"some of it":       {route("10.2.3.0/24", types.TransitGatewayRouteTypePropagated), true},
		"beside it":        {route("10.3.0.0/16", types.TransitGatewayRouteTypePropagated), false},
		"the same, static": {route("10.2.0.0/16", types.TransitGatewayRouteTypeStatic), false},
	} {
		if got := taken(c.there, netip.MustParsePrefix("10.2.0.0/16")); got != c.want {
			t.Errorf("%s: taken = %v, want %v", name, got, c.want)
		}
	}
}
