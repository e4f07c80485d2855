package survey_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const target = "pcx-1"

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// sides are two VPCs, 10.1.0.0/16 with four clients' subnets, and 10.2.0.0/16 with four of databases.
func sides() (here, there workflow.Side) {
	a, b := workflow.VPC{Account: alpha, ID: "vpc-1", CIDRs: prefixes("10.1.0.0/16", "fd00:1::/56")}, workflow.VPC{Account: beta, ID: "vpc-2", CIDRs: prefixes("10.2.0.0/16", "fd00:2::/56")}
	return workflow.Side{Role: "requester", VPC: a, Peer: b}, workflow.Side{Role: "accepter", VPC: b, Peer: a}
}

func ways(s workflow.Side) string {
	var out []string
	for _, w := range s.Ways {
		out = append(out, fmt.Sprint(w.Subnets, w.To))
	}
	return strings.Join(out, " ")
}

func TestWaysAreTheLeastThatWorks(t *testing.T) {
	client := func(subnet string, cidrs ...string) workflow.Client {
		return workflow.Client{Names: []string{subnet}, Count: 1, Account: alpha, Subnets: []string{subnet}, CIDRs: prefixes(cidrs...), Groups: []string{"sg-1"}}
	}
	database := func(of string, subnets []string, cidrs ...string) workflow.AllowedDatabase {
		return workflow.AllowedDatabase{Database: "db", Port: 3306, Network: of, Subnets: subnets, CIDRs: workflow.AllowedDatabase{Network: of}.Family(prefixes(cidrs...))}
	}
	two := []string{"subnet-d1", "subnet-d2"}
	for name, c := range map[string]struct {
		change func(a, b *workflow.Side)
		there  string // the ways of the side that calls
		back   string
	}{
		"a client and a database": {func(a, b *workflow.Side) {}, "[subnet-a] [10.2.0.0/23]", "[subnet-d1 subnet-d2] [10.1.1.0/24]"},
		"nobody calls yet":        {func(a, b *workflow.Side) { a.Clients = nil }, "", ""},
		"nothing is open":         {func(a, b *workflow.Side) { b.AllowedDatabases = nil }, "", ""},
		"a client that is nowhere": {func(a, b *workflow.Side) {
			a.Clients = append(a.Clients, workflow.Client{Names: []string{"idle"}, Groups: []string{"sg-2"}})
		}, "[subnet-a] [10.2.0.0/23]", "[subnet-d1 subnet-d2] [10.1.1.0/24]"},
		"by IPv6 only who has it": {func(a, b *workflow.Side) {
			a.Clients = append(a.Clients, client("subnet-b", "10.1.2.0/24", "fd00:1::/64"))
			b.AllowedDatabases = append(b.AllowedDatabases, database("DUAL", []string{"subnet-d3"}, "10.2.2.0/24", "fd00:2:0:3::/64"))
		}, "[subnet-a] [10.2.0.0/23 10.2.2.0/24] [subnet-b] [10.2.0.0/23 10.2.2.0/24 fd00:2:0:3::/64]",
			"[subnet-d1 subnet-d2] [10.1.1.0/24 10.1.2.0/24] [subnet-d3] [10.1.1.0/24 10.1.2.0/24 fd00:1::/64]"},
		"a database that may be anywhere": {func(a, b *workflow.Side) { b.AllowedDatabases = []workflow.AllowedDatabase{database("IPV4", nil)} }, "[subnet-a] [10.2.0.0/16]", "[] [10.1.1.0/24]"},
		"all of the caller's VPC":         {func(a, b *workflow.Side) { a.Whole = true }, "[subnet-a] [10.2.0.0/23] [] [10.2.0.0/23]", "[subnet-d1 subnet-d2] [10.1.0.0/16]"},
		"all of the database's VPC":       {func(a, b *workflow.Side) { b.Whole = true }, "[subnet-a] [10.2.0.0/16]", "[subnet-d1 subnet-d2] [10.1.1.0/24] [] [10.1.1.0/24]"},
		"all of it, before anybody calls": {func(a, b *workflow.Side) { a.Whole, a.Clients = true, nil }, "[] [10.2.0.0/23]", "[subnet-d1 subnet-d2] [10.1.0.0/16]"},
		"all of both, and nothing is there": {func(a, b *workflow.Side) { a.Whole, b.Whole, a.Clients, b.AllowedDatabases = true, true, nil, nil },
			"[] [10.2.0.0/16 fd00:2::/56]", "[] [10.1.0.0/16 fd00:1::/56]"},
		"a range that waits for an approval": {func(a, b *workflow.Side) { b.Peer.CIDRs = prefixes("10.1.128.0/17") }, "[subnet-a] [10.2.0.0/23]", ""},
	} {
		a, b := sides()
		a.Consumer, a.Clients = true, []workflow.Client{client("subnet-a", "10.1.1.0/24")}
		b.AllowedDatabases = []workflow.AllowedDatabase{database("IPV4", two, "10.2.0.0/24", "10.2.1.0/24", "fd00:2::/64")}
		c.change(&a, &b)
		survey.Appoint(&a, &b)
		if ways(a) != c.there || ways(b) != c.back {
			t.Errorf("%s: there %s, want %s; back %s, want %s", name, ways(a), c.there, ways(b), c.back)
		}
	}
}

// What is wanted whole may call from everywhere in its VPC, and may be called everywhere: rules have the width of the routes.
func TestRulesOfAVPCThatIsWantedWhole(t *testing.T) {
	groups := [][]string{{"sg-d"}}
	of := func(port int, texts ...string) []workflow.Service {
		return []workflow.Service{{Port: port, CIDRs: prefixes(texts...), Groups: groups}}
	}
	one := workflow.Callers{CIDRs: prefixes("10.1.1.0/24"), Groups: []workflow.GroupSet{{Account: alpha, Groups: []string{"sg-1"}}}}
	for name, c := range map[string]struct {
		change   func(a, b *workflow.Side)
		callers  workflow.Callers
		services []workflow.Service
	}{
		"neither":                                {func(a, b *workflow.Side) {}, one, of(3306, "10.2.0.0/24")},
		"the caller's":                           {func(a, b *workflow.Side) { a.Whole = true }, workflow.Callers{CIDRs: prefixes("10.1.0.0/16", "fd00:1::/56"), More: true}, of(3306, "10.2.0.0/24")},
		"the caller's, as it comes":              {func(a, b *workflow.Side) { a.Whole, b.Peer.CIDRs = true, prefixes("10.1.128.0/17") }, workflow.Callers{CIDRs: prefixes("10.1.128.0/17"), More: true}, of(3306, "10.2.0.0/24")},
		"it, before anybody calls":               {func(a, b *workflow.Side) { a.Whole, a.Clients = true, nil }, workflow.Callers{CIDRs: prefixes("10.1.0.0/16", "fd00:1::/56"), More: true}, of(3306, "10.2.0.0/24")},
		"the database's":                         {func(a, b *workflow.Side) { b.Whole = true }, one, of(3306, "10.2.0.0/16")},
		"it, and the database has both families": {func(a, b *workflow.Side) { b.Whole, b.AllowedDatabases[0].Network = true, "DUAL" }, one, of(3306, "10.2.0.0/16", "fd00:2::/56")},
		"it, of ranges side by side":             {func(a, b *workflow.Side) { b.Whole, a.Peer.CIDRs = true, prefixes("10.2.0.0/17", "10.2.128.0/17") }, one, of(3306, "10.2.0.0/17", "10.2.128.0/17")},
		"both, and nothing is open":              {func(a, b *workflow.Side) { a.Whole, b.Whole, b.AllowedDatabases = true, true, nil }, workflow.Callers{}, nil},
	} {
		a, b := sides()
		a.Clients = []workflow.Client{{Names: []string{"notebook n"}, Count: 1, Account: alpha, Subnets: []string{"subnet-a"}, CIDRs: prefixes("10.1.1.0/24"), Groups: []string{"sg-1"}}}
		b.AllowedDatabases = []workflow.AllowedDatabase{{Database: "db", Port: 3306, Network: "IPV4", Groups: groups[0], Subnets: []string{"subnet-d"}, CIDRs: prefixes("10.2.0.0/24")}}
		a.Refers, b.Refers = true, true
		c.change(&a, &b)
		survey.Appoint(&a, &b)
		if !reflect.DeepEqual(b.Callers, c.callers) || !reflect.DeepEqual(a.Services, c.services) {
			t.Errorf("%s: callers %v, want %v; services %v, want %v", name, b.Callers, c.callers, a.Services, c.services)
		}
	}
}

// lookup says where a table leads an address: the test's own reading of the longest prefix.
func lookup(table route.Table, a netip.Addr) route.Route {
	var best route.Route
	for _, r := range table.Routes {
		if r.Destination.Contains(a) && (!best.Destination.IsValid() || r.Destination.Bits() > best.Destination.Bits()) {
			best = r
		}
	}
	return best
}

// drawn is a VPC with tables, before anything of Drawbridge's.
func drawn(t *rapid.T, side *workflow.Side, own, other int) []string {
	name := func(kind string, n int) string { return fmt.Sprintf("%s-%d%d", kind, own, n) }
	subnets := rapid.IntRange(1, 4).Draw(t, "subnets")
	for n := range rapid.IntRange(1, 3).Draw(t, "tables") {
		table := workflow.Table{ID: name("rtb", n), Main: n == 0, Apart: rapid.IntRange(0, 9).Draw(t, "apart") == 0,
			Routes: []route.Route{{Destination: netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", own)), Target: "local"}}}
		for _, text := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"0.0.0.0/0", "10.0.0.0/8", "10.%d.0.0/16", "10.%d.1.0/24", "10.%d.0.0/23", "10.%d.3.0/24", "10.9.0.0/16"}), 0, 3, rapid.ID).Draw(t, "routes") {
			if strings.Contains(text, "%") {
				text = fmt.Sprintf(text, other)
			}
			table.Routes = append(table.Routes, route.Route{Destination: netip.MustParsePrefix(text), Target: rapid.SampledFrom([]string{"tgw-1", target, "nat-1"}).Draw(t, "target"), Blackhole: rapid.IntRange(0, 3).Draw(t, "dead") == 0})
		}
		side.Tables = append(side.Tables, table)
	}
	for n := range subnets {
		side.Subnets = append(side.Subnets, name("subnet", n))
		if at := rapid.IntRange(0, len(side.Tables)).Draw(t, "table"); at < len(side.Tables) {
			side.Tables[at].Subnets = append(side.Tables[at].Subnets, side.Subnets[n])
		}
	}
	side.Whole = rapid.IntRange(0, 4).Draw(t, "whole") == 0
	if rapid.IntRange(0, 2).Draw(t, "may be left") == 0 {
		side.Diverts = workflow.Diverts{{Leaves: "tgw-1", Tables: []string{name("rtb", 0), name("rtb", 2)}, Policy: "p", Allowed: true}}
	}
	return side.Subnets
}

// For any two worlds: a table leads an address to the connection afterwards if it did so before, or if that is on an allowed path; whatever it led
// elsewhere alive, it leads there still, unless traffic may leave that. All that no conflict is in the way of is led; to plan again finds nothing to do; and without what was
// created the tables are as they were.
func TestRoutesAreThoseOfThePaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := sides()
		at := map[string]netip.Prefix{}
		for n, s := range []*workflow.Side{&a, &b} {
			for m, id := range drawn(t, s, n+1, 2-n) {
				at[id] = netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.0/24", n+1, m))
			}
		}
		ranges := func(ids []string) (out []netip.Prefix) {
			for _, id := range ids {
				out = append(out, at[id])
			}
			return network.Merge(out)
		}
		some := func(s workflow.Side, label string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(s.Subnets), 1, len(s.Subnets), rapid.ID).Draw(t, label)
		}
		for _, pair := range [][2]*workflow.Side{{&a, &b}, {&b, &a}} {
			for range rapid.IntRange(0, 2).Draw(t, "clients") {
				in := some(*pair[0], "in")
				pair[0].Clients = append(pair[0].Clients, workflow.Client{Names: []string{"c"}, Count: 1, Subnets: in, CIDRs: ranges(in), Groups: []string{"sg"}})
			}
			for range rapid.IntRange(0, 2).Draw(t, "databases") {
				in := some(*pair[1], "of")
				o := workflow.AllowedDatabase{Database: "d", Port: 3306, Network: "IPV4", Subnets: in, CIDRs: ranges(in)}
				if rapid.IntRange(0, 5).Draw(t, "unknown") == 0 {
					o.Subnets, o.CIDRs = nil, nil
				}
				pair[1].AllowedDatabases = append(pair[1].AllowedDatabases, o)
			}
		}
		survey.Appoint(&a, &b)
		for _, pair := range [][2]workflow.Side{{a, b}, {b, a}} {
			here, there := pair[0], pair[1]
			wanted, _ := route.Wanted(here.Tables, here, target)
			plan := route.Plan("pcx-1", wanted, route.Concerned(here.Tables, nil, nil), nil, here)
			after := slices.Clone(here.Tables)
			var items []ledger.Item
			for n := range after {
				after[n].Routes = slices.Clone(after[n].Routes)
				for _, d := range plan.Create {
					if d.Table == after[n].ID {
						after[n].Routes = append(after[n].Routes, route.Route{Destination: d.Destination, Target: target})
						items = append(items, ledger.Item{Resource: d.Table, Kind: ledger.Route, Key: d.Destination.String(), Left: target, State: ledger.Confirmed, Needed: []string{"pcx-1"}})
					}
				}
				for _, d := range plan.Replace {
					if i := slices.IndexFunc(after[n].Routes, func(r route.Route) bool { return d.Table == after[n].ID && r.Destination == d.Destination }); i >= 0 {
						after[n].Routes[i] = route.Route{Destination: d.Destination, Target: target}
					}
				}
			}
			for n, table := range here.Tables {
				uses := func(ids []string) bool {
					return slices.ContainsFunc(ids, func(id string) bool { of, _ := route.Of(here.Tables, id); return of.ID == table.ID })
				}
				inUse := uses(here.Subnets)
				for m := range 6 {
					p := netip.MustParseAddr(fmt.Sprintf("10.%s.%d.9", there.VPC.ID[4:], m))
					in := func(list []netip.Prefix) bool {
						return slices.ContainsFunc(list, func(r netip.Prefix) bool { return r.Contains(p) })
					}
					// What the two paths allow, in the test's own words.
					called, calls := false, false
					for _, o := range there.AllowedDatabases {
						called = called || len(o.CIDRs) == 0 || in(o.CIDRs)
					}
					for _, c := range there.Clients {
						calls = calls || in(c.CIDRs)
					}
					allowed := false
					for _, c := range here.Clients {
						allowed = allowed || uses(c.Subnets) && (called || there.Whole)
					}
					for _, o := range here.AllowedDatabases {
						here := uses(o.Subnets) || len(o.Subnets) == 0 && inUse
						allowed = allowed || here && (calls || there.Whole)
					}
					if here.Whole && inUse && (there.Whole || called || calls && len(here.AllowedDatabases) > 0) {
						allowed = true
					}
					was, is := lookup(table, p), lookup(after[n], p)
					may, _ := here.Diverts.May(table.ID, was.Target)
					may = may && slices.ContainsFunc(wanted, func(d route.Desired) bool {
						return d.Table == table.ID && d.Destination.Contains(p) && d.Destination.Bits() > was.Destination.Bits()
					})
					outward := was.Destination.IsValid() && was.Destination.Bits() == 0 && was.Target == "nat-1"
					switch {
					case was.Target == target && !was.Blackhole || was.Target != "" && !was.Blackhole && !outward && !may:
						if is.Target != was.Target {
							t.Fatalf("%s led %s to %s, and now to %s\n%+v", table.ID, p, was.Target, is.Target, here)
						}
					case table.Apart || !allowed:
						if is != was {
							t.Fatalf("%s leads %s to %v, which no path needs; apart %v\n%+v", table.ID, p, is, table.Apart, here)
						}
					case was.Blackhole && is == was: // narrower than a way, and its owner's: the verdict says so
					case is.Target != target && len(plan.Conflicts)+len(plan.Asks()) == 0:
						t.Fatalf("%s does not lead %s, which a path needs, but to %v\nwanted %v\n%+v", table.ID, p, is, wanted, here)
					}
				}
			}
			if len(plan.Conflicts)+len(plan.Asks()) == 0 {
				if again := route.Plan("pcx-1", wanted, after, items, here); !again.Empty() {
					t.Fatalf("after the plan there is %+v to do", again)
				}
			}
		}
	})
}
