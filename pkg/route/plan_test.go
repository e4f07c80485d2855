package route_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
)

const ours = "pcx-0123456789abcdef0"

func cidr(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestPlan(t *testing.T) {
	want := []route.Desired{{Table: "rtb-1", Destination: cidr("10.2.0.0/16"), Target: ours}}
	local := route.Route{Destination: cidr("10.1.0.0/16"), Target: route.Local}
	for name, c := range map[string]struct {
		routes   []route.Route
		want     route.Changes
		conflict string // what the error must name
	}{
		"a missing route is created":                        {[]route.Route{local}, route.Changes{Create: want}, ""},
		"our live route is left alone":                      {[]route.Route{{cidr("10.2.0.0/16"), ours, false}}, route.Changes{}, ""},
		"our route comes alive with its peering":            {[]route.Route{{cidr("10.2.0.0/16"), ours, true}}, route.Changes{}, ""},
		"a blackhole is replaced":                           {[]route.Route{{cidr("10.2.0.0/16"), "pcx-old", true}}, route.Changes{Replace: want}, ""},
		"a live route elsewhere is refused":                 {[]route.Route{{cidr("10.2.0.0/16"), "pcx-other", false}}, route.Changes{}, "pcx-other"},
		"a live wider route elsewhere is refused":           {[]route.Route{{cidr("10.0.0.0/8"), "tgw-1", false}}, route.Changes{}, "10.0.0.0/8"},
		"a live narrower route elsewhere is refused":        {[]route.Route{{cidr("10.2.3.0/24"), "vgw-1", false}}, route.Changes{}, "10.2.3.0/24"},
		"a blackhole beside a live narrower one is refused": {[]route.Route{{cidr("10.2.0.0/16"), "pcx-old", true}, {cidr("10.2.3.0/24"), "vgw-1", false}}, route.Changes{}, "vgw-1"},
		"a dead wider route is not in the way":              {[]route.Route{{cidr("10.0.0.0/8"), "tgw-1", true}}, route.Changes{Create: want}, ""},
		"a default route is not in the way":                 {[]route.Route{{cidr("0.0.0.0/0"), "igw-1", false}}, route.Changes{Create: want}, ""},
		"the owner's narrower route through us stays":       {[]route.Route{{cidr("10.2.3.0/24"), ours, false}}, route.Changes{Create: want}, ""},
		"a route within the VPC is refused":                 {[]route.Route{{cidr("10.2.0.0/16"), route.Local, false}}, route.Changes{}, "local"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := route.Plan(want, []route.Table{{ID: "rtb-1", Routes: c.routes}})
			if c.conflict != "" {
				if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), c.conflict) || !strings.Contains(err.Error(), "rtb-1") || !strings.Contains(err.Error(), "remedy") {
					t.Fatalf("error = %v, want a conflict that names rtb-1, %s and the remedy", err, c.conflict)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("Plan = %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestInUse(t *testing.T) {
	main := route.Table{ID: "rtb-main", Main: true}
	own := route.Table{ID: "rtb-a", Subnets: []string{"subnet-a"}}
	unused := route.Table{ID: "rtb-b"}
	for name, c := range map[string]struct {
		subnets []string
		want    []string
	}{
		"the main table is left out when every subnet has its own": {[]string{"subnet-a"}, []string{"rtb-a"}},
		"the main table serves a subnet without one":               {[]string{"subnet-a", "subnet-b"}, []string{"rtb-a", "rtb-main"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, used := range route.InUse([]route.Table{main, unused, own}, c.subnets) {
				got = append(got, used.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("InUse = %v, want %v", got, c.want)
			}
		})
	}
}

func TestHostRoutes(t *testing.T) {
	got := route.HostRoutes(route.Table{Routes: []route.Route{
		{cidr("10.9.0.0/16"), "tgw-1", false}, {cidr("10.2.0.0/16"), ours, false}, {cidr("10.3.0.0/16"), "pcx-dead", true},
		{cidr("10.1.0.0/16"), route.Local, false}, {cidr("0.0.0.0/0"), "tgw-1", false}, {cidr("10.4.0.0/16"), "nat-1", false}, {cidr("2001:db8::/32"), ours, false},
	}})
	if fmt.Sprint(got) != "[10.2.0.0/16 10.9.0.0/16 2001:db8::/32]" {
		t.Errorf("HostRoutes = %v, want the active routes to peerings and gateways, without default routes", got)
	}
}

// tables draws route tables with live, dead, own and foreign routes in a small address space, so that they collide.
func tables(t *rapid.T) []route.Table {
	var out []route.Table
	for n := range rapid.IntRange(1, 3).Draw(t, "tables") {
		table := route.Table{ID: fmt.Sprintf("rtb-%d", n)}
		seen := map[netip.Prefix]bool{}
		for range rapid.IntRange(0, 5).Draw(t, "routes") {
			p := prefix(t)
			if !seen[p] {
				seen[p] = true
				table.Routes = append(table.Routes, route.Route{Destination: p, Target: rapid.SampledFrom([]string{ours, "pcx-b", "tgw-c", route.Local}).Draw(t, "target"), Blackhole: rapid.Bool().Draw(t, "dead")})
			}
		}
		out = append(out, table)
	}
	return out
}

func prefix(t *rapid.T) netip.Prefix {
	bits := rapid.SampledFrom([]int{0, 8, 14, 15, 16, 24}).Draw(t, "bits")
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 7).Draw(t, "second")), byte(rapid.IntRange(0, 1).Draw(t, "third")), 0}), bits).Masked()
}

func desired(t *rapid.T, in []route.Table) []route.Desired {
	var to []netip.Prefix
	for range rapid.IntRange(1, 3).Draw(t, "destinations") {
		p := prefix(t)
		if p.Bits() > 0 && !slices.ContainsFunc(to, p.Overlaps) {
			to = append(to, p)
		}
	}
	return route.Wanted(in, to, ours)
}

// play applies changes to tables as EC2 would: create never overwrites, replace needs something to replace.
func play(t *rapid.T, in []route.Table, c route.Changes) []route.Table {
	var out []route.Table
	for _, table := range in {
		table.Routes = slices.Clone(table.Routes)
		for _, d := range c.Create {
			if d.Table == table.ID {
				if slices.ContainsFunc(table.Routes, func(r route.Route) bool { return r.Destination == d.Destination }) {
					t.Fatalf("creating %v, which exists", d)
				}
				table.Routes = append(table.Routes, route.Route{Destination: d.Destination, Target: d.Target})
			}
		}
		for _, d := range c.Replace {
			if d.Table != table.ID {
				continue
			}
			at := slices.IndexFunc(table.Routes, func(r route.Route) bool { return r.Destination == d.Destination })
			if at < 0 || !table.Routes[at].Blackhole {
				t.Fatalf("replacing %v, which is absent or alive", d)
			}
			table.Routes[at] = route.Route{Destination: d.Destination, Target: d.Target}
		}
		out = append(out, table)
	}
	return out
}

func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := tables(t)
		want := desired(t, before)
		changes, err := route.Plan(want, before)
		shuffled := rapid.Permutation(want).Draw(t, "order")
		again, errAgain := route.Plan(shuffled, before)
		if !reflect.DeepEqual(changes, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Fatalf("the order of the input matters: %v, %v against %v, %v", changes, err, again, errAgain)
		}
		if err != nil {
			if !changes.Empty() {
				t.Fatalf("a conflict with changes: %v", changes)
			}
			return
		}
		after := play(t, before, changes)
		if rest, err := route.Plan(want, after); err != nil || !rest.Empty() {
			t.Fatalf("after the plan there is still %v, %v to do", rest, err)
		}
		for n, table := range before {
			for _, r := range table.Routes {
				if !r.Blackhole && !slices.Contains(after[n].Routes, r) {
					t.Fatalf("the live route %v of %s was changed", r, table.ID)
				}
			}
		}
	})
}

func ExamplePlan() {
	tables := []route.Table{{ID: "rtb-1"}, {ID: "rtb-2", Routes: []route.Route{{Destination: cidr("10.2.0.0/16"), Target: "pcx-old", Blackhole: true}}}}
	changes, err := route.Plan(route.Wanted(tables, []netip.Prefix{cidr("10.2.0.0/16")}, "pcx-new"), tables)
	fmt.Println(changes.Create, changes.Replace, err)
	// Output: [{rtb-1 10.2.0.0/16 pcx-new}] [{rtb-2 10.2.0.0/16 pcx-new}] <nil>
}

func BenchmarkPlan(b *testing.B) {
	var in []route.Table
	for n := range 200 {
		table := route.Table{ID: fmt.Sprintf("rtb-%d", n)}
		for m := range 100 {
			table.Routes = append(table.Routes, route.Route{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(m), 0}), 24), Target: "tgw-1"})
		}
		in = append(in, table)
	}
	want := route.Wanted(in, []netip.Prefix{cidr("10.2.0.0/16"), cidr("10.3.0.0/16")}, ours)
	for b.Loop() {
		if _, err := route.Plan(want, in); err != nil {
			b.Fatal(err)
		}
	}
}
