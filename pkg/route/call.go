package route

import (
	"net/netip"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// absent reports whether EC2 says that there is no such route: "InvalidParameterValue: There is no route defined for '…' in the route
// table", documented as InvalidRoute.NotFound.
func absent(err error) bool {
	return fault.HasCode(err, "InvalidRoute.NotFound", "InvalidRouteTableID.NotFound") ||
		fault.HasCode(err, "InvalidParameterValue") && strings.Contains(err.Error(), "no route")
}

// remedied adds what to do to the errors that only a person can mend.
func remedied(err error) error {
	if fault.HasCode(err, "RouteLimitExceeded") {
		return fault.NewConflict(err.Error(), "raise the quota \"Routes per route table\" or summarise routes")
	}
	return err
}

// through names a target in the one field that EC2 takes it in; EC2 refuses a route that has none.
func through(target string) (peering, gateway *string) {
	switch road.CarrierOf(target) {
	case road.ByPeering:
		return &target, nil
	case road.ByGateway:
		return nil, &target
	case road.ByNothing:
	}
	return nil, nil
}

func destinationOf(p netip.Prefix) (v4, v6 *string) {
	text := p.String()
	if p.Addr().Is4() {
		return &text, nil
	}
	return nil, &text
}
