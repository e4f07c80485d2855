package route_test

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const ours = "pcx-0123456789abcdef0"

func cidr(s string) netip.Prefix { return netip.MustParsePrefix(s) }

const id = ours // of the connection: a peering's is its target

func at(destination, target string, dead bool) route.Route {
	return route.Route{Destination: cidr(destination), Target: target, Blackhole: dead}
}

func listed(r route.Route, list string) route.Route {
	r.List = list
	return r
}

// item is what the ledger says of the route to 10.2.0.0/16 in rtb-1.
func item(left string, state ledger.State, needed ...string) ledger.Item {
	return ledger.Item{Account: "111111111111", Region: "us-east-1", Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16", State: state, Left: left, Needed: needed}
}

func TestPlan(t *testing.T) {
	want := []route.Desired{{Table: "rtb-1", Destination: cidr("10.2.0.0/16"), Target: ours}}
	dead := func(was string) []route.Dead { return []route.Dead{{Desired: want[0], Was: was}} }
	past := func(destination, target string, list ...string) map[route.Desired]route.Past {
		return map[route.Desired]route.Past{want[0]: {Route: listed(at(destination, target, false), strings.Join(list, "")), Allowed: true}}
	}
	local, other := at("10.1.0.0/16", route.Local, false), "tgw-1:vpc-1:vpc-2"
	for name, c := range map[string]struct {
		routes   []route.Route
		item     *ledger.Item
		want     route.Changes
		conflict string // what the error must name
		asks     string // what the one question must say
	}{
		"a missing route is created":                          {routes: []route.Route{local}, want: route.Changes{Create: want}},
		"a live route of the owner's to our target is left":   {routes: []route.Route{at("10.2.0.0/16", ours, false)}},
		"our live route is left alone":                        {routes: []route.Route{at("10.2.0.0/16", ours, false)}, item: new(item(ours, ledger.Confirmed, id))},
		"our route comes alive with its peering":              {routes: []route.Route{at("10.2.0.0/16", ours, true)}},
		"a route of another connection's is shared":           {routes: []route.Route{at("10.2.0.0/16", ours, false)}, item: new(item(ours, ledger.Confirmed, "pcx-b")), want: route.Changes{Share: want}},
		"one whose answer was lost is confirmed":              {routes: []route.Route{at("10.2.0.0/16", ours, false)}, item: new(item(ours, ledger.Intended, id)), want: route.Changes{Share: want}},
		"an owner who was faster keeps the route":             {routes: []route.Route{at("10.2.0.0/16", ours, false)}, item: new(item(ours, ledger.Wanted, id)), want: route.Changes{Drop: want}},
		"ours that was taken away is created again":           {routes: []route.Route{local}, item: new(item(ours, ledger.Confirmed, id)), want: route.Changes{Create: want}},
		"contested, and its owner put it there":               {routes: []route.Route{at("10.2.0.0/16", ours, false)}, item: new(item(ours, ledger.Contested, id)), want: route.Changes{Drop: want}},
		"ours that was taken away twice is left":              {routes: []route.Route{local}, item: new(item(ours, ledger.Contested, id)), want: route.Changes{Contested: map[route.Desired]ledger.Item{want[0]: item(ours, ledger.Contested, id)}}},
		"a peering that serves as well is only noted":         {routes: []route.Route{at("10.2.0.0/16", "pcx-beside", false)}, want: route.Changes{Want: want, Reached: map[route.Desired]route.Route{want[0]: at("10.2.0.0/16", "pcx-beside", false)}}},
		"a dead one does not serve":                           {routes: []route.Route{at("10.2.0.0/16", "pcx-beside", true)}, want: route.Changes{Replace: dead("pcx-beside")}},
		"a blackhole is replaced":                             {routes: []route.Route{at("10.2.0.0/16", "pcx-old", true)}, want: route.Changes{Replace: dead("pcx-old")}},
		"a live route elsewhere is refused":                   {routes: []route.Route{at("10.2.0.0/16", "pcx-other", false)}, conflict: "pcx-other"},
		"one that is there since we meant to is not ours":     {routes: []route.Route{at("10.2.0.0/16", "pcx-other", false)}, item: new(item(ours, ledger.Intended, id)), want: route.Changes{Drop: want}, conflict: "pcx-other"},
		"another connection's elsewhere is refused":           {routes: []route.Route{at("10.2.0.0/16", "tgw-1", false)}, item: new(item("tgw-1", ledger.Confirmed, other)), conflict: "tgw-1"},
		"a live wider route elsewhere is asked about":         {routes: []route.Route{at("10.0.0.0/8", "tgw-1", false)}, asks: "10.2.0.0/16 would leave tgw-1 (10.0.0.0/8) in rtb-1 and go through " + ours + ", past whatever inspects it"},
		"a wider entry of a list, too":                        {routes: []route.Route{listed(at("10.0.0.0/8", "eni-1", false), "pl-corp")}, asks: "10.2.0.0/16 would leave eni-1 (10.0.0.0/8 of prefix list pl-corp) in rtb-1 and go through " + ours + ", past whatever inspects it"},
		"what was intended there was not made":                {routes: []route.Route{at("10.0.0.0/8", "tgw-1", false)}, item: new(item(ours, ledger.Intended, id)), want: route.Changes{Drop: want}, asks: "10.2.0.0/16 would leave tgw-1 (10.0.0.0/8) in rtb-1 and go through " + ours + ", past whatever inspects it"},
		"of several the narrowest is left":                    {routes: []route.Route{at("10.0.0.0/8", "tgw-1", false), at("10.2.0.0/15", "tgw-9", false)}, want: route.Changes{Create: want, Past: past("10.2.0.0/15", "tgw-9")}},
		"what the owner leads to us already leaves nothing":   {routes: []route.Route{at("10.0.0.0/8", "tgw-1", false), at("10.2.0.0/15", ours, false)}},
		"a wider route that may be left":                      {routes: []route.Route{at("10.0.0.0/8", "tgw-9", false)}, want: route.Changes{Create: want, Past: past("10.0.0.0/8", "tgw-9")}},
		"what a policy forbids says so":                       {routes: []route.Route{at("10.0.0.0/8", "tgw-8", false)}, asks: "10.2.0.0/16 would leave tgw-8 (10.0.0.0/8) in rtb-1 and go through " + ours + ", past whatever inspects it, which policy no forbids"},
		"a route just as wide is never left, whatever may be": {routes: []route.Route{at("10.2.0.0/16", "tgw-9", false)}, conflict: "tgw-9"},
		"nor a narrower one":                                  {routes: []route.Route{at("10.2.3.0/24", "tgw-9", false)}, conflict: "tgw-9"},
		"a list just as wide may be":                          {routes: []route.Route{listed(at("10.2.0.0/16", "tgw-9", false), "pl-corp")}, want: route.Changes{Create: want, Past: past("10.2.0.0/16", "tgw-9", "pl-corp")}},
		"and what was added in front of it stays": {routes: []route.Route{at("10.2.0.0/16", ours, false), listed(at("10.2.0.0/16", "tgw-9", false), "pl-corp")}, item: new(item(ours, ledger.Confirmed, id)),
			want: route.Changes{Past: past("10.2.0.0/16", "tgw-9", "pl-corp")}},
		"a propagated one just as wide is asked about":                    {routes: []route.Route{{Destination: cidr("10.2.0.0/16"), Target: "vgw-1", Propagated: true}}, asks: "10.2.0.0/16 would leave vgw-1 (10.2.0.0/16) in rtb-1 and go through " + ours + ", past whatever inspects it"},
		"a default route to a gateway is asked about":                     {routes: []route.Route{at("0.0.0.0/0", "tgw-1", false)}, asks: "10.2.0.0/16 would leave tgw-1 (0.0.0.0/0) in rtb-1 and go through " + ours + ", past whatever inspects it"},
		"one to a firewall's endpoint, too":                               {routes: []route.Route{at("0.0.0.0/0", "vpce-1", false)}, asks: "10.2.0.0/16 would leave vpce-1 (0.0.0.0/0) in rtb-1 and go through " + ours + ", past whatever inspects it"},
		"one to a NAT gateway is not":                                     {routes: []route.Route{at("0.0.0.0/0", "nat-1", false)}, want: route.Changes{Create: want}},
		"ours that stood before a wider one came":                         {routes: []route.Route{at("10.2.0.0/16", ours, false), at("10.0.0.0/8", "tgw-1", false)}, item: new(item(ours, ledger.Confirmed, id))},
		"a live narrower route elsewhere is refused":                      {routes: []route.Route{at("10.2.3.0/24", "vgw-1", false)}, conflict: "10.2.3.0/24"},
		"a blackhole beside a live narrower one is refused":               {routes: []route.Route{at("10.2.0.0/16", "pcx-old", true), at("10.2.3.0/24", "vgw-1", false)}, conflict: "vgw-1"},
		"a dead wider route is not in the way":                            {routes: []route.Route{at("10.0.0.0/8", "tgw-1", true)}, want: route.Changes{Create: want}},
		"a default route is not in the way":                               {routes: []route.Route{at("0.0.0.0/0", "igw-1", false)}, want: route.Changes{Create: want}},
		"the owner's narrower route through us stays":                     {routes: []route.Route{at("10.2.3.0/24", ours, false)}, want: route.Changes{Create: want}},
		"a route within the VPC is refused":                               {routes: []route.Route{at("10.2.0.0/16", route.Local, false)}, conflict: "local"},
		"an entry of a list elsewhere is asked about":                     {routes: []route.Route{listed(at("10.2.0.0/16", "eni-1", false), "pl-corp")}, asks: "10.2.0.0/16 would leave eni-1 (10.2.0.0/16 of prefix list pl-corp) in rtb-1 and go through " + ours + ", past whatever inspects it"},
		"a narrower entry of a list elsewhere is refused":                 {routes: []route.Route{listed(at("10.2.3.0/24", "eni-1", false), "pl-corp")}, conflict: "eni-1"},
		"a route that the owner replaced by such an entry is the owner's": {routes: []route.Route{listed(at("10.2.0.0/16", ours, false), "pl-corp")}, item: new(item(ours, ledger.Confirmed, id)), want: route.Changes{Drop: want}},
		"by two entries that cover it together, too": {routes: []route.Route{listed(at("10.2.0.0/17", ours, false), "pl-corp"), listed(at("10.2.128.0/17", ours, false), "pl-corp")},
			item: new(item(ours, ledger.Contested, id)), want: route.Changes{Drop: want}},
		"or by one that is wider":                    {routes: []route.Route{listed(at("10.0.0.0/8", ours, false), "pl-corp")}},
		"entries that cover half of it do not serve": {routes: []route.Route{listed(at("10.2.0.0/17", ours, false), "pl-corp")}, want: route.Changes{Create: want}},
		"a route of ours is not shared by an entry":  {routes: []route.Route{listed(at("10.2.0.0/16", ours, false), "pl-corp")}, item: new(item(ours, ledger.Confirmed, "pcx-b"))},
		"a replaced route whose list leads elsewhere is asked about": {routes: []route.Route{listed(at("10.2.0.0/16", "eni-1", false), "pl-corp")}, item: new(item(ours, ledger.Confirmed, id)),
			asks: "10.2.0.0/16 would leave eni-1 (10.2.0.0/16 of prefix list pl-corp) in rtb-1 and go through " + ours + ", past whatever inspects it"},
		"ours in front of an entry elsewhere is said": {routes: []route.Route{at("10.2.0.0/16", ours, false), listed(at("10.2.0.0/16", "eni-1", false), "pl-corp")},
			item: new(item(ours, ledger.Confirmed, id)), conflict: "pl-corp"},
		"the owner's own in front of one is the owner's": {routes: []route.Route{at("10.2.0.0/16", ours, false), listed(at("10.2.0.0/16", "eni-1", false), "pl-corp")}},
		"an entry of a list that leads to us serves":     {routes: []route.Route{listed(at("10.2.0.0/16", ours, false), "pl-corp")}},
		"a dead route in front of such an entry is replaced": {routes: []route.Route{at("10.2.0.0/16", "pcx-old", true), listed(at("10.2.0.0/16", ours, false), "pl-corp")},
			want: route.Changes{Replace: dead("pcx-old")}},
	} {
		t.Run(name, func(t *testing.T) {
			var items []ledger.Item
			if c.item != nil {
				items = append(items, *c.item)
			}
			side := workflow.Side{Alternates: []string{"pcx-beside"}, Diverts: workflow.Diverts{{Leaves: "tgw-9", Tables: []string{"rtb-1"}, Policy: "p", Allowed: true}, {Leaves: "tgw-8", Tables: []string{"rtb-1"}, Policy: "no"}}}
			got := route.Plan(id, want, []route.Table{{ID: "rtb-1", Routes: c.routes}}, items, side)
			if asks := strings.Join(got.Asks(), "\n"); asks != c.asks {
				t.Fatalf("asks %q, want %q", asks, c.asks)
			}
			said := strings.Join(got.Obstacles(), "\n")
			if (c.conflict != "") != (said != "") || !strings.Contains(said, c.conflict) || c.conflict != "" && (got.Conflicts[0].Table != "rtb-1" || !strings.Contains(said, "rtb-1")) {
				t.Fatalf("in the way is %+v, want %q in rtb-1", got.Conflicts, c.conflict)
			}
			if err := got.InFront(); (fault.Of(err) == fault.Conflict) != strings.Contains(said, "in front of it") {
				t.Fatalf("error = %v about %q", err, said)
			}
			if c.want.Reached == nil {
				c.want.Reached = map[route.Desired]route.Route{}
			}
			if c.want.Contested == nil {
				c.want.Contested = map[route.Desired]ledger.Item{}
			}
			if c.want.Past == nil {
				c.want.Past = map[route.Desired]route.Past{}
			}
			maps.DeleteFunc(got.Past, func(_ route.Desired, p route.Past) bool { return !p.Allowed })
			if got.Conflicts = nil; !reflect.DeepEqual(got, c.want) {
				t.Errorf("Plan = %+v, want %+v", got, c.want)
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
		at("10.9.0.0/16", "tgw-1", false), at("10.2.0.0/16", ours, false), at("10.3.0.0/16", "pcx-dead", true),
		at("10.1.0.0/16", route.Local, false), at("0.0.0.0/0", "tgw-1", false), at("10.4.0.0/16", "nat-1", false), at("2001:db8::/32", ours, false),
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
	return everywhere(in, ours, to...)
}

// everywhere are routes in all of tables.
func everywhere(tables []route.Table, target string, to ...netip.Prefix) []route.Desired {
	var out []route.Desired
	for _, t := range tables {
		for _, d := range to {
			out = append(out, route.Desired{Table: t.ID, Destination: d, Target: target})
		}
	}
	return out
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
			n := slices.IndexFunc(table.Routes, func(r route.Route) bool { return r.Destination == d.Destination })
			if n < 0 || !table.Routes[n].Blackhole || table.Routes[n].Target != d.Was {
				t.Fatalf("replacing %v, which is absent or alive", d)
			}
			table.Routes[n] = route.Route{Destination: d.Destination, Target: d.Target}
		}
		out = append(out, table)
	}
	return out
}

func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := tables(t)
		want := desired(t, before)
		changes := route.Plan(id, want, before, nil, workflow.Side{})
		shuffled := rapid.Permutation(want).Draw(t, "order")
		if again := route.Plan(id, shuffled, before, nil, workflow.Side{}); !reflect.DeepEqual(changes, again) {
			t.Fatalf("the order of the input matters: %v against %v", changes, again)
		}
		after := play(t, before, changes)
		if rest := route.Plan(id, want, after, nil, workflow.Side{}); !rest.Empty() || !slices.Equal(rest.Conflicts, changes.Conflicts) {
			t.Fatalf("after the plan there is still %v to do", rest)
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

// With prefix lists in the tables: nothing that is created or replaced stands in front of an entry that leads elsewhere, and nothing is created that entries
// lead there already. After the plan nothing is left to do.
func TestPlanLeavesPrefixListsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := tables(t)
		for n := range before {
			for range rapid.IntRange(0, 4).Draw(t, "entries") {
				before[n].Routes = append(before[n].Routes, listed(route.Route{Destination: prefix(t), Target: rapid.SampledFrom([]string{ours, "pcx-b", "eni-1"}).Draw(t, "leads")}, "pl-1"))
			}
		}
		want := desired(t, before)
		changes := route.Plan(id, want, before, nil, workflow.Side{})
		made := slices.Clone(changes.Create)
		for _, d := range changes.Replace {
			made = append(made, d.Desired)
		}
		for _, d := range made {
			for _, table := range before {
				for _, r := range table.Routes {
					if table.ID != d.Table || r.List == "" || r.Destination.Bits() == 0 || !r.Destination.Overlaps(d.Destination) {
						continue
					}
					before := func(o route.Route) bool { // that leads all of it to us, by its owner, and counts before the entry
						return o.Target == ours && !o.Blackhole && o.Destination.Overlaps(d.Destination) && o.Destination.Bits() <= d.Destination.Bits() &&
							(o.Destination.Bits() > r.Destination.Bits() || o.Destination == r.Destination && o.List == "")
					}
					if r.Target != ours && !slices.ContainsFunc(table.Routes, before) {
						t.Fatalf("%v is made although %s leads %s to %s", d, r.List, r.Destination, r.Target)
					}
					if slices.Contains(changes.Create, d) && r.Destination.Bits() <= d.Destination.Bits() {
						t.Fatalf("%v is created although %s leads %s there", d, r.List, r.Destination)
					}
				}
			}
		}
		after := slices.Clone(before)
		for n := range after {
			static := slices.DeleteFunc(slices.Clone(before[n].Routes), func(r route.Route) bool { return r.List != "" })
			entries := slices.DeleteFunc(slices.Clone(before[n].Routes), func(r route.Route) bool { return r.List == "" })
			only := route.Changes{}
			for _, d := range changes.Create {
				if d.Table == after[n].ID {
					only.Create = append(only.Create, d)
				}
			}
			for _, d := range changes.Replace {
				if d.Table == after[n].ID {
					only.Replace = append(only.Replace, d)
				}
			}
			played := play(t, []route.Table{{ID: after[n].ID, Routes: static}}, only)
			after[n].Routes = append(played[0].Routes, entries...)
		}
		if rest := route.Plan(id, want, after, nil, workflow.Side{}); !rest.Empty() {
			t.Fatalf("after the plan there is still %v to do", rest)
		}
	})
}

func ExamplePlan() {
	tables := []route.Table{{ID: "rtb-1"}, {ID: "rtb-2", Routes: []route.Route{{Destination: cidr("10.2.0.0/16"), Target: "pcx-old", Blackhole: true}}}}
	changes := route.Plan("pcx-new", everywhere(tables, "pcx-new", cidr("10.2.0.0/16")), tables, nil, workflow.Side{})
	fmt.Println(changes.Create, changes.Replace)
	// Output: [{rtb-1 10.2.0.0/16 pcx-new}] [{{rtb-2 10.2.0.0/16 pcx-new} pcx-old}]
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
	want := everywhere(in, ours, cidr("10.2.0.0/16"), cidr("10.3.0.0/16"))
	for b.Loop() {
		if c := route.Plan(id, want, in, nil, workflow.Side{}); len(c.Create) != 400 {
			b.Fatal(c)
		}
	}
}

// Where the ways lead decides which table gets what, and whose route is spare.
func TestWantedInTheTablesOfTheWays(t *testing.T) {
	tables := []route.Table{{ID: "rtb-main", Main: true}, {ID: "rtb-a", Subnets: []string{"subnet-a"}}, {ID: "rtb-b", Subnets: []string{"subnet-b"}}, {ID: "rtb-none", Subnets: []string{"subnet-n"}, Apart: true}, {ID: "rtb-idle"}}
	to := func(texts ...string) (out []netip.Prefix) {
		for _, text := range texts {
			out = append(out, cidr(text))
		}
		return out
	}
	way := func(to []netip.Prefix, subnets ...string) workflow.Way { return workflow.Way{Subnets: subnets, To: to} }
	for name, c := range map[string]struct {
		ways    []workflow.Way
		want    string
		forbids string // the policy that forbids to keep things out
	}{
		"of one subnet":              {[]workflow.Way{way(to("10.2.0.0/24"), "subnet-a")}, "rtb-a 10.2.0.0/24", ""},
		"a subnet without a table":   {[]workflow.Way{way(to("10.2.0.0/24"), "subnet-c")}, "rtb-main 10.2.0.0/24", ""},
		"two that use the main one":  {[]workflow.Way{way(to("10.2.0.0/24"), "subnet-c", "subnet-d")}, "rtb-main 10.2.0.0/24", ""},
		"two ways in one table":      {[]workflow.Way{way(to("10.2.0.0/24"), "subnet-a"), way(to("10.2.1.0/24"), "subnet-a", "subnet-b")}, "rtb-a 10.2.0.0/23, rtb-b 10.2.1.0/24", ""},
		"all of the VPC":             {[]workflow.Way{way(to("10.2.0.0/16"))}, "rtb-main 10.2.0.0/16, rtb-a 10.2.0.0/16, rtb-b 10.2.0.0/16; rtb-none 10.2.0.0/16", ""},
		"a table that is kept out":   {[]workflow.Way{way(to("10.2.0.0/24"), "subnet-n")}, "; rtb-none 10.2.0.0/24", ""},
		"one that may not be":        {[]workflow.Way{way(to("10.2.0.0/24"), "subnet-n")}, "rtb-none 10.2.0.0/24", "no-islands"},
		"no way":                     {nil, "", ""},
		"ranges stay as they are":    {[]workflow.Way{way(to("10.2.0.0/16", "10.3.0.0/16"), "subnet-a")}, "rtb-a 10.2.0.0/16, rtb-a 10.3.0.0/16", ""},
		"the same way, said twice":   {[]workflow.Way{way(to("10.2.0.0/16", "10.3.0.0/16"), "subnet-a"), way(to("10.2.0.0/16", "10.3.0.0/16"))}, "rtb-main 10.2.0.0/16, rtb-main 10.3.0.0/16, rtb-a 10.2.0.0/16, rtb-a 10.3.0.0/16, rtb-b 10.2.0.0/16, rtb-b 10.3.0.0/16; rtb-none 10.2.0.0/16, rtb-none 10.3.0.0/16", ""},
		"one within the other's way": {[]workflow.Way{way(to("10.2.0.0/24"), "subnet-a"), way(to("10.2.0.0/16"), "subnet-a")}, "rtb-a 10.2.0.0/16", ""},
	} {
		desired, apart := route.Wanted(tables, workflow.Side{Ways: c.ways, Overruled: c.forbids, Subnets: []string{"subnet-a", "subnet-b", "subnet-c", "subnet-d", "subnet-n"}}, ours)
		text := func(all []route.Desired) string {
			var out []string
			for _, d := range all {
				out = append(out, d.Table+" "+d.Destination.String())
			}
			return strings.Join(out, ", ")
		}
		got := text(desired)
		if len(apart) > 0 {
			got += "; " + text(apart)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestARouteIsSpareOnceOthersLead(t *testing.T) {
	for name, c := range map[string]struct {
		there, desired string // destinations, with blanks between
		want           string
	}{
		"nothing needs it":                   {"10.2.0.0/16", "", "10.2.0.0/16"},
		"it is needed itself":                {"10.2.0.0/16", "10.2.0.0/16", ""},
		"the narrower one is not there":      {"10.2.0.0/16", "10.2.1.0/24", ""},
		"the narrower one is there":          {"10.2.0.0/16 10.2.1.0/24", "10.2.1.0/24", "10.2.0.0/16"},
		"one of two is there":                {"10.2.0.0/16 10.2.1.0/24", "10.2.1.0/24 10.2.3.0/24", ""},
		"a wider one is there":               {"10.2.1.0/24 10.2.0.0/23", "10.2.0.0/23", "10.2.1.0/24"},
		"the wider one is not there":         {"10.2.1.0/24", "10.2.0.0/23", ""},
		"what is needed is led in parts":     {"10.2.0.0/16 10.2.0.0/24 10.2.1.0/24", "10.2.0.0/23", "10.2.0.0/16"},
		"something else is needed elsewhere": {"10.2.0.0/16 10.9.0.0/16", "10.9.0.0/16", "10.2.0.0/16"},
	} {
		list := func(text string) (out []netip.Prefix) {
			for _, one := range strings.Fields(text) {
				out = append(out, cidr(one))
			}
			return out
		}
		table := route.Table{ID: "rtb-1"}
		for _, d := range list(c.there) {
			table.Routes = append(table.Routes, route.Route{Destination: d, Target: ours})
		}
		got := route.Spare(table, ours, list(c.there), everywhere([]route.Table{table}, ours, list(c.desired)...))
		if !slices.Equal(got, list(c.want)) {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}
