package endpoint_test

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

const api, ui = "com.amazonaws.eu-west-1.sagemaker.api", "aws.sagemaker.eu-west-1.notebook"

func cidr(s string) netip.Prefix { return netip.MustParsePrefix(s) }

var want = endpoint.Want{Owner: "private-notebooks-vpc-1", Kind: "private-notebooks", Account: "111111111111", Region: "eu-west-1", By: "x", VPC: "vpc-1", Services: []string{api, ui}, Callers: []netip.Prefix{cidr("192.168.0.0/16")}}

// bare is a VPC with two zones and nothing else.
func bare() endpoint.Network {
	zones := []string{"eu-west-1a", "eu-west-1b"}
	return endpoint.Network{VPC: "vpc-1", CIDRs: []netip.Prefix{cidr("10.60.0.0/16")}, DNSSupport: true, DNSHostnames: true,
		Subnets: []endpoint.Subnet{
			{ID: "subnet-b", Zone: "eu-west-1b", CIDR: cidr("10.60.1.0/24"), Free: 200},
			{ID: "subnet-a2", Zone: "eu-west-1a", CIDR: cidr("10.60.2.0/24"), Free: 200},
			{ID: "subnet-a", Zone: "eu-west-1a", CIDR: cidr("10.60.0.0/24"), Free: 200},
			{ID: "subnet-local", Zone: "eu-west-1-wl1", CIDR: cidr("10.60.3.0/24"), Free: 200},
		},
		Offers: []endpoint.Offer{{Service: api, Zones: zones}, {Service: ui, Zones: zones}}}
}

// built is what Drawbridge makes of bare.
func built() endpoint.Network {
	n := bare()
	n.Group = "sg-ours"
	n.Rules = []endpoint.Rule{
		{ID: "sgr-1", Group: "sg-ours", From: 443, To: 443, CIDR: cidr("10.60.0.0/16"), Owner: want.Owner},
		{ID: "sgr-2", Group: "sg-ours", From: 443, To: 443, CIDR: cidr("192.168.0.0/16"), Owner: want.Owner}}
	n.Endpoints = []endpoint.Endpoint{of("vpce-api", api, want.Owner), of("vpce-ui", ui, want.Owner)}
	return n
}

func of(id, service, owner string) endpoint.Endpoint {
	group := "sg-ours"
	if owner == "" {
		group = "sg-theirs"
	}
	return endpoint.Endpoint{ID: id, Service: service, State: "available", PrivateDNS: true, Subnets: []string{"subnet-a", "subnet-b"}, Groups: []string{group}, Owner: owner}
}

func TestPlan(t *testing.T) {
	everywhere := []string{"subnet-a", "subnet-b"}
	for name, c := range map[string]struct {
		change func(*endpoint.Network)
		want   endpoint.Changes
		start  func() endpoint.Network
	}{
		"a bare VPC gets both endpoints, one subnet a zone": {start: bare, want: endpoint.Changes{MakeGroup: true,
			Admit:  []netip.Prefix{cidr("10.60.0.0/16"), cidr("192.168.0.0/16")},
			Create: []endpoint.Creation{{Service: ui, Subnets: everywhere}, {Service: api, Subnets: everywhere}}}},
		"what stands is left alone": {start: built},
		"somebody else's endpoints are used, and need no group of ours": {start: bare,
			change: func(n *endpoint.Network) {
				n.Endpoints = []endpoint.Endpoint{of("vpce-1", api, ""), of("vpce-2", ui, "")}
			}},
		"an owner's endpoint is used even if it lacks private DNS": {start: bare,
			change: func(n *endpoint.Network) {
				n.Endpoints = []endpoint.Endpoint{of("vpce-1", api, ""), of("vpce-2", ui, "")}
				n.Endpoints[0].PrivateDNS = false
			}},
		"another purpose's endpoint is somebody else's": {start: bare,
			change: func(n *endpoint.Network) {
				n.Endpoints = []endpoint.Endpoint{of("vpce-1", api, "data-api-vpc-1"), of("vpce-2", ui, "")}
			}},
		"one of two is missing": {start: built,
			change: func(n *endpoint.Network) { n.Endpoints = n.Endpoints[:1] },
			want:   endpoint.Changes{Create: []endpoint.Creation{{Service: ui, Subnets: everywhere}}}},
		"ours that is pending is waited for": {start: built,
			change: func(n *endpoint.Network) { n.Endpoints[0].State = "pending" },
			want:   endpoint.Changes{Wait: []string{"vpce-api of " + api + " is pending"}}},
		"ours that is being deleted is waited for": {start: built,
			change: func(n *endpoint.Network) { n.Endpoints[0].State = "deleting" },
			want:   endpoint.Changes{Wait: []string{"vpce-api of " + api + " is deleting"}}},
		"ours that failed is replaced": {start: built,
			change: func(n *endpoint.Network) { n.Endpoints[0].State = "failed" },
			want: endpoint.Changes{Delete: []endpoint.Endpoint{{ID: "vpce-api", Service: api, State: "failed", PrivateDNS: true,
				Subnets: everywhere, Groups: []string{"sg-ours"}, Owner: want.Owner}}}},
		"somebody else's that failed is not touched, and does not serve": {start: built,
			change: func(n *endpoint.Network) { n.Endpoints[0].State, n.Endpoints[0].Owner = "failed", "" },
			want:   endpoint.Changes{Create: []endpoint.Creation{{Service: api, Subnets: everywhere}}}},
		"a new zone is served too": {start: built,
			change: func(n *endpoint.Network) { n.Endpoints[1].Subnets = []string{"subnet-a2"} },
			want:   endpoint.Changes{Extend: []endpoint.Extension{{Endpoint: "vpce-ui", Service: ui, Subnets: []string{"subnet-b"}}}}},
		"a new range is admitted": {start: built,
			change: func(n *endpoint.Network) { n.CIDRs = append(n.CIDRs, cidr("10.61.0.0/16")) },
			want:   endpoint.Changes{Admit: []netip.Prefix{cidr("10.61.0.0/16")}}},
		"a range that nobody names any more is revoked, if ours": {start: built,
			change: func(n *endpoint.Network) {
				n.Rules = append(n.Rules, endpoint.Rule{ID: "sgr-3", Group: "sg-ours", From: 443, To: 443, CIDR: cidr("172.20.0.0/16"), Owner: want.Owner},
					endpoint.Rule{ID: "sgr-4", Group: "sg-ours", From: 443, To: 443, CIDR: cidr("172.21.0.0/16")},
					endpoint.Rule{ID: "sgr-5", Group: "sg-theirs", From: 443, To: 443, CIDR: cidr("172.22.0.0/16"), Owner: want.Owner})
			},
			want: endpoint.Changes{Revoke: []endpoint.Rule{{ID: "sgr-3", Group: "sg-ours", From: 443, To: 443, CIDR: cidr("172.20.0.0/16"), Owner: want.Owner}}}},
		"a full subnet is passed over": {start: bare,
			change: func(n *endpoint.Network) {
				n.Subnets[2].Free = 0
				n.Endpoints = []endpoint.Endpoint{of("vpce-1", api, "")}
			},
			want: endpoint.Changes{MakeGroup: true, Admit: []netip.Prefix{cidr("10.60.0.0/16"), cidr("192.168.0.0/16")},
				Create: []endpoint.Creation{{Service: ui, Subnets: []string{"subnet-a2", "subnet-b"}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			have := c.start()
			if c.change != nil {
				c.change(&have)
			}
			got, err := endpoint.Plan(want, have)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("Plan\n= %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestWhatStandsInTheWayIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*endpoint.Network)
		names  string
	}{
		"DNS support is off":                 {func(n *endpoint.Network) { n.DNSSupport = false }, "enableDnsSupport is false"},
		"DNS hostnames are off":              {func(n *endpoint.Network) { n.DNSHostnames = false }, "enableDnsHostnames is false"},
		"AWS does not have the service here": {func(n *endpoint.Network) { n.Offers = n.Offers[:1] }, ui},
		"no zone of the VPC has the service": {func(n *endpoint.Network) { n.Offers[0].Zones = []string{"eu-west-1c"} }, api},
	} {
		t.Run(name, func(t *testing.T) {
			have := bare()
			c.change(&have)
			_, err := endpoint.Plan(want, have)
			if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), c.names) {
				t.Errorf("Plan: %v, want a conflict that names %q", err, c.names)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	shut := []network.ACL{{ID: "acl-1", Subnets: []string{"subnet-a"}}}
	all := []network.Entry{{Number: 1, Allow: true, CIDR: cidr("0.0.0.0/0"), Ports: network.AllPorts}}
	linux := []network.ACL{{ID: "acl-1", Subnets: []string{"subnet-a"}, Ingress: all, Egress: []network.Entry{{Number: 1, Allow: true, CIDR: cidr("0.0.0.0/0"), Ports: network.Ports{From: 32768, To: 65535}}}}}
	for name, c := range map[string]struct {
		change  func(*endpoint.Network)
		acls    []network.ACL
		says    string // empty: all is well
		unknown bool
	}{
		"what Drawbridge makes is well": {change: func(*endpoint.Network) {}},
		"private DNS of an owner's is off": {change: func(n *endpoint.Network) {
			n.Endpoints[0] = of("vpce-1", api, "")
			n.Endpoints[0].PrivateDNS = false
		}, says: "private DNS is off"},
		"the owner's group is closed": {change: func(n *endpoint.Network) { n.Endpoints[0].Groups = []string{"sg-theirs"} },
			says: "admits HTTPS from 10.60.0.0/16, 192.168.0.0/16: add the rule"},
		"the group lets strangers in": {change: func(n *endpoint.Network) {
			n.Rules = append(n.Rules, endpoint.Rule{ID: "sgr-9", Group: "sg-ours", From: 0, To: 65535, CIDR: cidr("0.0.0.0/0")})
		}, says: "also admit HTTPS from 0.0.0.0/0"},
		"a network ACL is in the way":       {change: func(*endpoint.Network) {}, acls: shut, says: "network ACL acl-1 lacks"},
		"a network ACL answers Linux alone": {change: func(*endpoint.Network) {}, acls: linux, says: "Lambda functions and what does not run Linux may not be", unknown: true},
		"nothing is there":                  {change: func(n *endpoint.Network) { n.Endpoints = n.Endpoints[1:] }, says: "has none"},
	} {
		t.Run(name, func(t *testing.T) {
			have := built()
			c.change(&have)
			hops := endpoint.Judge(want, have, c.acls)
			if len(hops) != len(want.Services) {
				t.Fatalf("%d hops for %d services", len(hops), len(want.Services))
			}
			for _, h := range hops {
				if c.says == "" && !h.OK {
					t.Errorf("%s: %s", h.Hop, h.Detail)
				}
				if c.says != "" && strings.HasSuffix(h.Hop, api) && (h.OK || h.Unknown != c.unknown || !strings.Contains(h.Detail, c.says)) {
					t.Errorf("%s: %t %s, want one that says %q", h.Hop, h.OK, h.Detail, c.says)
				}
			}
		})
	}
}

func TestSourcesAreSortedAndOnlyTheWidest(t *testing.T) {
	got := endpoint.Sources([]netip.Prefix{cidr("10.60.0.0/16"), cidr("fd00::/64")}, []netip.Prefix{cidr("10.60.4.0/24"), cidr("10.1.0.0/16"), cidr("10.1.0.0/16")})
	if want := []netip.Prefix{cidr("10.1.0.0/16"), cidr("10.60.0.0/16")}; !slices.Equal(got, want) {
		t.Errorf("Sources = %v, want %v", got, want)
	}
}

// Whatever the order in which AWS lists things, the plan is the same; and it never names what is not ours.
func TestThePlanIsStableAndTouchesOnlyWhatIsOurs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		have := bare()
		states := []string{"available", "pending", "failed", "deleting", "deleted", "rejected"}
		for i := range rapid.IntRange(0, 5).Draw(t, "endpoints") {
			e := of("vpce-"+string(rune('a'+i)), rapid.SampledFrom([]string{api, ui}).Draw(t, "service"), rapid.SampledFrom([]string{want.Owner, "", "data-api-vpc-1"}).Draw(t, "owner"))
			e.State, e.PrivateDNS = rapid.SampledFrom(states).Draw(t, "state"), rapid.Bool().Draw(t, "dns")
			have.Endpoints = append(have.Endpoints, e)
		}
		plan, err := endpoint.Plan(want, have)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range plan.Delete {
			if e.Owner != want.Owner || e.State == "available" {
				t.Fatalf("the plan deletes %+v", e)
			}
		}
		for _, x := range plan.Extend {
			if i := slices.IndexFunc(have.Endpoints, func(e endpoint.Endpoint) bool { return e.ID == x.Endpoint }); have.Endpoints[i].Owner != want.Owner {
				t.Fatalf("the plan extends %+v", have.Endpoints[i])
			}
		}
		for _, c := range plan.Create {
			for _, e := range have.Endpoints {
				if e.Service == c.Service && slices.Contains([]string{"available", "pending"}, e.State) {
					t.Fatalf("the plan doubles %+v", e)
				}
			}
		}
		slices.Reverse(have.Endpoints)
		slices.Reverse(have.Subnets)
		again, err := endpoint.Plan(want, have)
		if err != nil || !reflect.DeepEqual(plan.Create, again.Create) || !reflect.DeepEqual(plan.Delete, again.Delete) {
			t.Fatalf("%v: %+v, then %+v", err, plan, again)
		}
	})
}
