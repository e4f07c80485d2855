package route_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestConcerned(t *testing.T) {
	to := []netip.Prefix{cidr("10.2.0.0/16")}
	database, quiet, wide := at("10.2.1.0/24", "eni-1", false), at("10.2.9.0/24", "eni-1", false), at("10.0.0.0/8", "eni-1", false)
	tables := []route.Table{{ID: "rtb-1", Routes: []route.Route{database, quiet, wide}}}
	if got := route.Concerned(tables, to, []netip.Prefix{cidr("10.2.1.0/25")})[0].Routes; !reflect.DeepEqual(got, []route.Route{database, wide}) {
		t.Errorf("concerned are %v", got)
	}
	if got := route.Concerned(tables, to, nil); !reflect.DeepEqual(got, tables) {
		t.Errorf("without goals, concerned are %v", got)
	}
}

// A step says of its routes only which are left to who takes them away, and which were not added.
func TestWhatAStepSaysOfItsRoutes(t *testing.T) {
	used := []route.Table{{ID: "rtb-1", Routes: []route.Route{at("10.2.0.0/16", ours, false)}}}
	side := workflow.Side{Consumer: true, Peer: workflow.VPC{CIDRs: []netip.Prefix{cidr("10.2.0.0/16")}}}
	if got := route.Result(side, used, nil, route.Changes{}); len(got.Hops) != 0 || len(got.Tables) != 1 {
		t.Errorf("%+v", got)
	}
	d := route.Desired{Table: "rtb-1", Destination: cidr("10.2.0.0/16"), Target: ours}
	left := map[route.Desired]ledger.Item{d: {State: ledger.Contested}}
	if got := route.Result(side, used, nil, route.Changes{Contested: left}).Hops; len(got) != 1 || got[0].OK || got[0].Hop != "route there rtb-1" || !strings.Contains(got[0].Detail, "10.2.0.0/16 through "+ours) {
		t.Errorf("%+v", got)
	}
	if got := route.Result(side, used, []route.Desired{d}, route.Changes{}).Hops; len(got) != 1 || got[0].OK || got[0].Hop != "route there rtb-1" || !strings.Contains(got[0].Detail, "drawbridge:reach=none") {
		t.Errorf("%+v", got)
	}
	for allowed, says := range map[bool]string{true: "leaves tgw-1", false: "would leave tgw-1"} {
		past := map[route.Desired]route.Past{d: {Route: at("10.0.0.0/8", "tgw-1", false), Allowed: allowed}}
		if got := route.Result(side, used, nil, route.Changes{Past: past}).Hops; len(got) != 1 || got[0].OK != allowed || got[0].Hop != "divert there rtb-1" || !strings.Contains(got[0].Detail, says) {
			t.Errorf("%+v", got)
		}
	}
}
