package network_test

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

func TestSplit(t *testing.T) {
	ours := to("10.2.0.0/16", "pcx-1")
	list := network.Route{Destination: cidr("10.2.0.0/16"), Target: "eni-1", List: "pl-1"}
	propagated := network.Route{Destination: cidr("10.2.0.0/16"), Target: "vgw-1", Propagated: true}
	narrow := network.Route{Destination: cidr("10.2.128.0/17"), Target: "vgw-1", Propagated: true}
	led := func(r network.Route, parts ...string) network.Part {
		return network.Part{CIDRs: cidrs(parts...), Lead: network.Lead{Answer: network.Yes, Route: r}}
	}
	for name, c := range map[string]struct {
		routes []network.Route
		unread []network.List
		want   []network.Part
	}{
		"nothing": {nil, nil, []network.Part{{CIDRs: cidrs("10.2.0.0/16"), Lead: network.Lead{Answer: network.No}}}},
		"a static route before a list and a propagated one": {[]network.Route{propagated, list, ours}, nil, []network.Part{led(ours, "10.2.0.0/16")}},
		"a list before a propagated route":                  {[]network.Route{propagated, list}, nil, []network.Part{led(list, "10.2.0.0/16")}},
		"what is longer, be it propagated":                  {[]network.Route{ours, narrow}, nil, []network.Part{led(ours, "10.2.0.0/17"), led(narrow, "10.2.128.0/17")}},
		"what stays in the VPC, whatever is propagated": {[]network.Route{to("10.2.0.0/17", "local"), {Destination: cidr("10.2.0.0/18"), Target: "vgw-1", Propagated: true}, propagated, to("10.2.64.0/18", "eni-1")}, nil,
			[]network.Part{led(to("10.2.0.0/17", "local"), "10.2.0.0/18"), led(to("10.2.64.0/18", "eni-1"), "10.2.64.0/18"), led(propagated, "10.2.128.0/17")}},
		"a blackhole is a route":   {[]network.Route{to("0.0.0.0/0", "nat-1"), {Destination: cidr("10.0.0.0/8"), Target: "tgw-1", Blackhole: true}}, nil, []network.Part{led(network.Route{Destination: cidr("10.0.0.0/8"), Target: "tgw-1", Blackhole: true}, "10.2.0.0/16")}},
		"the other family is none": {[]network.Route{to("::/0", "igw-1")}, nil, []network.Part{{CIDRs: cidrs("10.2.0.0/16"), Lead: network.Lead{Answer: network.No}}}},
		"two lists with one entry": {[]network.Route{list, {Destination: cidr("10.2.0.0/16"), Target: "pcx-1", List: "pl-2"}}, nil,
			[]network.Part{{CIDRs: cidrs("10.2.0.0/16"), Lead: network.Lead{Route: list, Among: network.Route{Destination: cidr("10.2.0.0/16"), Target: "pcx-1", List: "pl-2"}}}}},
		"two lists that lead to the same": {[]network.Route{list, {Destination: cidr("10.2.0.0/16"), Target: "eni-1", List: "pl-2"}}, nil, []network.Part{led(list, "10.2.0.0/16")}},
		"a list that cannot be read": {[]network.Route{ours}, []network.List{{ID: "pl-3", Target: "eni-1"}},
			[]network.Part{{CIDRs: cidrs("10.2.0.0/16"), Lead: network.Lead{Route: ours, Unread: network.List{ID: "pl-3", Target: "eni-1"}}}}},
		"one that leads where the route does": {[]network.Route{ours}, []network.List{{ID: "pl-3", Target: "pcx-1"}}, []network.Part{led(ours, "10.2.0.0/16")}},
		"one that does, and is dead": {[]network.Route{ours}, []network.List{{ID: "pl-3", Target: "pcx-1", Blackhole: true}},
			[]network.Part{{CIDRs: cidrs("10.2.0.0/16"), Lead: network.Lead{Route: ours, Unread: network.List{ID: "pl-3", Target: "pcx-1", Blackhole: true}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (network.Table{Routes: c.routes, Unread: c.unread}).Split(cidrs("10.2.0.0/16")); !reflect.DeepEqual(got, c.want) {
				t.Errorf("split into\n%+v, want\n%+v", got, c.want)
			}
		})
	}
}

// Every address is in exactly one part, which leads it as the first of the longest routes does.
func TestSplitIsWhatEachAddressMeets(t *testing.T) {
	prefix := rapid.Custom(func(t *rapid.T) netip.Prefix {
		bits := rapid.IntRange(27, 32).Draw(t, "bits")
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(0, 15).Draw(t, "host"))}), bits).Masked()
	})
	rapid.Check(t, func(t *rapid.T) {
		var table network.Table
		for range rapid.IntRange(0, 6).Draw(t, "routes") {
			r := network.Route{Destination: prefix.Draw(t, "to"), Target: rapid.SampledFrom([]string{"pcx-1", "tgw-1", "eni-1", "local"}).Draw(t, "target"), Blackhole: rapid.Bool().Draw(t, "blackhole")}
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				r.Propagated = true
			case 1:
				r.List = "pl-1"
			}
			table.Routes = append(table.Routes, r)
		}
		asked := rapid.SliceOfN(prefix, 1, 3).Draw(t, "asked")
		parts := table.Split(asked)
		for host := range 32 {
			a := netip.AddrFrom4([4]byte{10, 0, 0, byte(host)})
			var in []network.Part
			for _, p := range parts {
				if contains(p.CIDRs, a) {
					in = append(in, p)
				}
			}
			if !contains(asked, a) {
				if len(in) > 0 {
					t.Fatalf("%s was not asked for: %+v", a, in)
				}
				continue
			}
			if len(in) != 1 || !reflect.DeepEqual(in[0].Lead, table.Lookup(a)) {
				t.Fatalf("%s is in %+v, and its lead is %+v", a, in, table.Lookup(a))
			}
			routes := best(table, a)
			ends := map[network.Route]bool{}
			for _, r := range routes {
				ends[network.Route{Target: r.Target, Blackhole: r.Blackhole}] = true
			}
			want := network.Yes
			switch {
			case len(routes) == 0:
				want = network.No
			case len(ends) > 1:
				want = network.Unknown
			}
			if l := in[0].Lead; l.Answer != want || len(routes) > 0 && !slices.ContainsFunc(routes, func(r network.Route) bool { return r.Target == l.Route.Target && r.Destination == l.Route.Destination }) {
				t.Fatalf("%s: %+v, and the routes that count are %+v", a, l, routes)
			}
		}
	})
}

func TestKinds(t *testing.T) {
	for target, want := range map[string]network.Kind{
		"local": network.Local, "pcx-1": network.PeeringTarget, "tgw-1": network.GatewayTarget, "nat-1": network.NAT, "igw-1": network.Internet,
		"eigw-1": network.EgressOnly, "vgw-1": network.PrivateGateway, "eni-1": network.Interface, "i-1": network.Interface, "vpce-1": network.Endpoint,
		"lgw-1": network.LocalGateway, "cagw-1": network.CarrierGateway, "arn:aws:networkmanager::111111111111:core-network/core-network-1": network.CoreNetwork,
		"arn:aws:odb:us-east-1:111111111111:odb-network/odbnet_1": network.DatabaseNetwork, "": network.Nowhere, "xyz-1": network.Strange,
	} {
		if got := network.KindOf(target); got != want {
			t.Errorf("%q is %s, want %s", target, got, want)
		}
	}
}
