package route_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

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

// What is said of a table that a step leaves behind is where the table leads the addresses that are to be reached.
func TestTheVerdictIsWhereATableLeads(t *testing.T) {
	whole := at("10.2.0.0/16", ours, false)
	for name, c := range map[string]struct {
		routes []route.Route
		goals  string
		beside []string
		mark   string
		says   string
	}{
		"all of it to the target":                      {routes: []route.Route{whole}, mark: "✓", says: "10.2.0.0/16 through " + ours},
		"a part into a blackhole":                      {routes: []route.Route{whole, at("10.2.3.0/24", "eni-1", true)}, mark: "✗", says: "10.2.3.0/24 is led into the blackhole"},
		"a part where no database is into a blackhole": {routes: []route.Route{whole, at("10.2.3.0/24", "eni-1", true)}, goals: "10.2.1.0/24", mark: "✓"},
		"a part to an appliance":                       {routes: []route.Route{whole, at("10.2.3.0/24", "eni-1", false)}, mark: "?", says: "nobody here knows"},
		"through a peering that serves":                {routes: []route.Route{at("10.2.0.0/16", "pcx-beside", false)}, beside: []string{"pcx-beside"}, mark: "✓", says: "already connected, 10.2.0.0/16 through pcx-beside"},
		"through one that serves a part":               {routes: []route.Route{at("10.2.0.0/17", "pcx-beside", false)}, beside: []string{"pcx-beside"}, mark: "✗", says: "10.2.128.0/17 has no route"},
		"the part in which the databases are":          {routes: []route.Route{at("10.2.0.0/17", "pcx-beside", false)}, beside: []string{"pcx-beside"}, goals: "10.2.1.0/24", mark: "✓"},
		"a propagated route beside it":                 {routes: []route.Route{whole, {Destination: cidr("10.2.0.0/16"), Target: "vgw-1", Propagated: true}}, mark: "✓"},
		"the default route alone":                      {routes: []route.Route{at("0.0.0.0/0", "nat-1", false)}, mark: "✗", says: "goes to nat-1 by the default route"},
		"two lists with the same entry": {routes: []route.Route{listed(at("10.2.0.0/16", ours, false), "pl-1"), listed(at("10.2.0.0/16", "eni-1", false), "pl-2")},
			mark: "?", says: "AWS chooses"},
	} {
		t.Run(name, func(t *testing.T) {
			side := workflow.Side{Consumer: true, Peer: workflow.VPC{CIDRs: []netip.Prefix{cidr("10.2.0.0/16")}}, Beside: c.beside}
			if c.goals != "" {
				side.Aims = []netip.Prefix{cidr(c.goals)}
			}
			tables := []route.Table{{ID: "rtb-1", Routes: c.routes}}
			hops := route.Result(side, tables, everywhere(tables, ours, side.Peer.CIDRs...), nil, nil).Hops
			if len(hops) != 1 || hops[0].Mark() != c.mark || !strings.Contains(hops[0].Detail, c.says) || hops[0].Hop != "route there rtb-1" {
				t.Errorf("%+v, want %s with %q", hops, c.mark, c.says)
			}
		})
	}
}
