package route_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
)

func TestPlanRemoval(t *testing.T) {
	at := func(destination, target string, blackhole bool) route.Route {
		return route.Route{Destination: cidr(destination), Target: target, Blackhole: blackhole}
	}
	for name, c := range map[string]struct {
		routes []route.Route
		want   string
	}{
		"ours, dead with the peering":                    {[]route.Route{at("10.2.0.0/16", ours, true)}, "rtb-1 10.2.0.0/16"},
		"ours, still alive":                              {[]route.Route{at("10.2.0.0/16", ours, false)}, "rtb-1 10.2.0.0/16"},
		"ours to a second CIDR of the peer":              {[]route.Route{at("10.12.0.0/16", ours, true)}, "rtb-1 10.12.0.0/16"},
		"a foreign route with the same destination":      {[]route.Route{at("10.2.0.0/16", "nat-1", false)}, ""},
		"the same, dead":                                 {[]route.Route{at("10.2.0.0/16", "pcx-theirs", true)}, ""},
		"a default route to another gateway":             {[]route.Route{at("0.0.0.0/0", "igw-1", false)}, ""},
		"a default route through the peering":            {[]route.Route{at("0.0.0.0/0", ours, true)}, ""},
		"the owner's narrower route through the peering": {[]route.Route{at("10.2.5.0/24", ours, true)}, ""},
		"the owner's wider route through the peering":    {[]route.Route{at("10.0.0.0/8", ours, true)}, ""},
		"nothing": {nil, ""},
		"ours among others": {[]route.Route{at("10.1.0.0/16", route.Local, false), at("10.2.0.0/16", ours, true), at("10.2.5.0/24", "tgw-1", false)},
			"rtb-1 10.2.0.0/16"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range route.PlanRemoval([]route.Table{{ID: "rtb-1", Routes: c.routes}}, []netip.Prefix{cidr("10.2.0.0/16"), cidr("10.12.0.0/16")}, ours) {
				if d.Target != ours {
					t.Errorf("plans to remove %+v", d)
				}
				got = append(got, d.Table+" "+d.Destination.String())
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("removes %v, want %q", got, c.want)
			}
		})
	}
}

func TestWhatIsPlannedForRemovalIsOursAndAllOfIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]netip.Prefix{cidr("10.2.0.0/16"), cidr("10.2.5.0/24"), cidr("10.0.0.0/8"), cidr("10.12.0.0/16"), cidr("2001:db8::/56"), cidr("0.0.0.0/0")})
		target := rapid.SampledFrom([]string{ours, "pcx-theirs", "tgw-1", route.Local})
		var tables []route.Table
		for n := range rapid.IntRange(0, 4).Draw(t, "tables") {
			table := route.Table{ID: fmt.Sprintf("rtb-%d", n)}
			for _, p := range rapid.SliceOfDistinct(prefix, func(p netip.Prefix) netip.Prefix { return p }).Draw(t, "destinations") {
				table.Routes = append(table.Routes, route.Route{Destination: p, Target: target.Draw(t, "target"), Blackhole: rapid.Bool().Draw(t, "dead")})
			}
			tables = append(tables, table)
		}
		destinations := rapid.SliceOf(prefix).Draw(t, "ours")
		plan := route.PlanRemoval(tables, destinations, ours)
		slices.Reverse(tables)
		if again := route.PlanRemoval(tables, destinations, ours); !slices.Equal(plan, again) {
			t.Fatalf("order matters: %v and %v", plan, again)
		}
		wanted := 0
		for i, table := range tables {
			tables[i].Routes = slices.DeleteFunc(table.Routes, func(r route.Route) bool {
				mine := r.Target == ours && slices.Contains(destinations, r.Destination)
				if mine {
					wanted++
				}
				if planned := slices.Contains(plan, route.Desired{Table: table.ID, Destination: r.Destination, Target: ours}); planned != mine {
					t.Fatalf("%v in %s is planned: %v", r, table.ID, planned)
				}
				return mine
			})
		}
		if len(plan) != wanted {
			t.Fatalf("%d planned, %d are ours", len(plan), wanted)
		}
		if left := route.PlanRemoval(tables, destinations, ours); len(left) != 0 {
			t.Fatalf("planned again: %v", left)
		}
	})
}

func (f *tablesOfEC2) DeleteRoute(_ context.Context, in *ec2.DeleteRouteInput, _ ...func(*ec2.Options)) (*ec2.DeleteRouteOutput, error) {
	if err := f.hook("DeleteRoute"); err != nil {
		return nil, err
	}
	if f.find(*in.RouteTableId, *in.DestinationCidrBlock) == nil {
		return nil, &smithy.GenericAPIError{Code: "InvalidRoute.NotFound"}
	}
	for n, table := range f.tables {
		if *table.RouteTableId == *in.RouteTableId {
			f.tables[n].Routes = slices.DeleteFunc(table.Routes, func(r types.Route) bool { return aws.ToString(r.DestinationCidrBlock) == *in.DestinationCidrBlock })
		}
	}
	return &ec2.DeleteRouteOutput{}, nil
}

// connected is [world] after Add.
func connected(t *testing.T) (*tablesOfEC2, func() (string, error)) {
	t.Helper()
	fake, side := world()
	if _, err := route.Add(context.Background(), fake, peering, side); err != nil {
		t.Fatal(err)
	}
	fake.calls = nil
	return fake, func() (string, error) {
		out, err := route.Remove(context.Background(), fake, peering, side)
		var told []string
		for _, h := range out.Hops {
			told = append(told, h.Hop+": "+h.Detail)
		}
		return strings.Join(told, "; "), err
	}
}

func TestRemoveTakesBackWhatAddAdded(t *testing.T) {
	fake, remove := connected(t)
	for range 2 {
		if _, err := remove(); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range fake.tables {
		if len(table.Routes) != 0 {
			t.Errorf("%s has %v", *table.RouteTableId, table.Routes)
		}
	}
	if n := strings.Count(strings.Join(fake.calls, " "), "DeleteRoute"); n != 2 {
		t.Errorf("%d routes deleted, want the two, once", n)
	}
}

// The neighbours delete whatever has their destination by then.
func TestARouteReplacedByItsOwnerMeanwhileStays(t *testing.T) {
	for name, when := range map[string]string{"before the removal": "", "after the first look": "DeleteRoute"} {
		t.Run(name, func(t *testing.T) {
			fake, remove := connected(t)
			replace := func() {
				r := fake.find("rtb-2", "10.2.0.0/16")
				r.VpcPeeringConnectionId, r.NatGatewayId = nil, aws.String("nat-1")
			}
			if when == "" {
				replace()
			} else {
				fake.before = func(f *tablesOfEC2, call string) {
					if call == when && f.find("rtb-1", "10.2.0.0/16") != nil {
						replace()
					}
				}
			}
			if _, err := remove(); err != nil {
				t.Fatal(err)
			}
			if fake.find("rtb-1", "10.2.0.0/16") != nil || fake.find("rtb-2", "10.2.0.0/16") == nil {
				t.Error("ours must be gone, and theirs there")
			}
		})
	}
}

func TestRoutesThatDrawbridgeDoesNotAddStay(t *testing.T) {
	fake, remove := connected(t)
	fake.put("rtb-1", "10.2.5.0/24", ours)
	fake.tables[0].Routes = append(fake.tables[0].Routes, types.Route{DestinationPrefixListId: aws.String("pl-1"), VpcPeeringConnectionId: aws.String(ours)})
	told, err := remove()
	if err != nil || fake.find("rtb-1", "10.2.5.0/24") == nil || len(fake.tables[0].Routes) != 2 {
		t.Errorf("%v, %v", fake.tables[0].Routes, err)
	}
	if !strings.Contains(told, "10.2.5.0/24 through "+ours+" stays") {
		t.Errorf("told %q", told)
	}
}

func TestWithoutKnownDestinationsNothingIsRemoved(t *testing.T) {
	fake, side := world()
	fake.put("rtb-1", "10.2.0.0/16", ours)
	side.Peer.CIDRs = nil
	out, err := route.Remove(context.Background(), fake, peering, side)
	if err != nil || fake.find("rtb-1", "10.2.0.0/16") == nil || len(out.Hops) != 1 || out.Hops[0].OK {
		t.Errorf("%+v, %v, want one hop that is not ok", out.Hops, err)
	}
	if len(out.Destinations) != 1 {
		t.Errorf("destinations %v, want those of the routes: host routes to them are dead", out.Destinations)
	}
}

func TestADeletionThatFailsIsOfItsKind(t *testing.T) {
	for code, want := range map[string]fault.Kind{"RequestLimitExceeded": fault.Transient, "UnauthorizedOperation": fault.Refused} {
		fake, remove := connected(t)
		fake.failing["DeleteRoute"] = &smithy.GenericAPIError{Code: code}
		if _, err := remove(); fault.Of(err) != want || !strings.Contains(err.Error(), "rtb-1") {
			t.Errorf("%s: %v, want %s that names rtb-1", code, err, want)
		}
	}
}

func ExamplePlanRemoval() {
	tables := []route.Table{{ID: "rtb-1", Routes: []route.Route{
		{Destination: netip.MustParsePrefix("10.2.0.0/16"), Target: "pcx-1", Blackhole: true},
		{Destination: netip.MustParsePrefix("10.2.5.0/24"), Target: "pcx-1", Blackhole: true}, // its owner's
	}}}
	for _, d := range route.PlanRemoval(tables, []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}, "pcx-1") {
		fmt.Println(d.Table, d.Destination)
	}
	// Output: rtb-1 10.2.0.0/16
}
