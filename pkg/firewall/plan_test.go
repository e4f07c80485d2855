package firewall_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func cidr(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// called is the side of a database that is called from ranges.
func called(from ...string) workflow.Side {
	side := workflow.Side{Peer: workflow.VPC{Account: "111111111111"}}
	for _, f := range from {
		side.Callers.CIDRs = append(side.Callers.CIDRs, cidr(f))
	}
	return side
}

// to is what has to get through for a rule.
func to(r firewall.Rule) []network.Traffic {
	return []network.Traffic{{Peers: []netip.Prefix{r.CIDR}, Ports: network.Ports{From: r.From, To: r.To}}}
}

func TestPlan(t *testing.T) {
	side := called("10.1.0.0/16")
	wanted := firewall.WantedIngress(workflow.AllowedDatabase{Database: "db", Port: 3306, Groups: []string{"sg-1", "sg-2"}}, "sg-1", side)
	for name, c := range map[string]struct {
		rules []firewall.Rule
		other []firewall.Rule // of sg-2, on the same interface
		want  int
	}{
		"no rule":                                  {nil, nil, 1},
		"the very rule":                            {[]firewall.Rule{{3306, 3306, cidr("10.1.0.0/16"), ""}}, nil, 0},
		"a wider source":                           {[]firewall.Rule{{3306, 3306, cidr("10.0.0.0/8"), ""}}, nil, 0},
		"a wider port range":                       {[]firewall.Rule{{0, 65535, cidr("10.1.0.0/16"), ""}}, nil, 0},
		"a narrower source serves only a part":     {[]firewall.Rule{{3306, 3306, cidr("10.1.0.0/24"), ""}}, nil, 1},
		"two halves of the source together":        {[]firewall.Rule{{3306, 3306, cidr("10.1.0.0/17"), ""}}, []firewall.Rule{{0, 65535, cidr("10.1.128.0/17"), ""}}, 0},
		"another port":                             {[]firewall.Rule{{5432, 5432, cidr("10.1.0.0/16"), ""}}, nil, 1},
		"a group as the source tells nothing":      {[]firewall.Rule{{3306, 3306, netip.Prefix{}, "sg-9"}}, nil, 1},
		"everything for IPv6 only":                 {[]firewall.Rule{{0, 65535, cidr("::/0"), ""}}, nil, 1},
		"another group of the same interface does": {nil, []firewall.Rule{{3306, 3306, cidr("10.1.0.0/16"), ""}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			groups := []firewall.Group{{ID: "sg-1", Ingress: c.rules}, {ID: "sg-2", Ingress: c.other}}
			got := firewall.Plan("pcx-1", wanted, false, groups, map[string][]string{"sg-1": {"sg-1", "sg-2"}}, nil).Add
			if len(got) != c.want {
				t.Errorf("missing = %v, want %d", got, c.want)
			}
		})
	}
}

func TestARuleOfTheLedgersIsShared(t *testing.T) {
	wanted := []firewall.Wanted{{Group: "sg-1", Rule: firewall.Rule{From: 3306, To: 3306, CIDR: cidr("10.1.0.0/16")}}}
	wanted[0].Ends = to(wanted[0].Rule)
	exact, wide := wanted[0].Rule, firewall.Rule{From: 0, To: 65535, CIDR: cidr("10.0.0.0/8")}
	item := func(state ledger.State, needed string) ledger.Item {
		return ledger.Item{Resource: "sg-1", Kind: ledger.Rule, Key: "ingress tcp 3306 10.1.0.0/16", State: state, Needed: []string{needed}}
	}
	wider := item(ledger.Confirmed, "pcx-1")
	wider.Key = firewall.Key(wide, false)
	for name, c := range map[string]struct {
		rules []firewall.Rule
		item  ledger.Item
		want  string // how many are added, shared, contested, dropped
	}{
		"this connection's":                 {[]firewall.Rule{exact}, item(ledger.Confirmed, "pcx-1"), "0 0 0 0"},
		"this one's, its answer lost":       {[]firewall.Rule{exact}, item(ledger.Intended, "pcx-1"), "0 1 0 0"},
		"another's":                         {[]firewall.Rule{exact}, item(ledger.Confirmed, "pcx-2"), "0 1 0 0"},
		"a wider one of this connection's":  {[]firewall.Rule{wide}, wider, "1 0 0 0"},
		"another's, and one of the owner's": {[]firewall.Rule{exact, wide}, item(ledger.Confirmed, "pcx-2"), "0 0 0 0"},
		"taken away":                        {nil, item(ledger.Confirmed, "pcx-1"), "1 0 0 0"},
		"taken away twice":                  {nil, item(ledger.Contested, "pcx-1"), "0 0 1 0"},
		"taken away twice, and put there":   {[]firewall.Rule{exact}, item(ledger.Contested, "pcx-1"), "0 0 0 1"},
		"taken away twice, and wider there": {[]firewall.Rule{wide}, item(ledger.Contested, "pcx-1"), "0 0 0 1"},
		"another's that was, and put there": {[]firewall.Rule{exact}, item(ledger.Contested, "pcx-2"), "0 0 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			got := firewall.Plan("pcx-1", wanted, false, []firewall.Group{{ID: "sg-1", Ingress: c.rules}}, nil, []ledger.Item{c.item})
			if told := fmt.Sprint(len(got.Add), len(got.Share), len(got.Contested), len(got.Drop)); told != c.want {
				t.Errorf("plans %s, want %s", told, c.want)
			}
		})
	}
}

func TestEveryDatabaseOnItsOwnPort(t *testing.T) {
	side := called("10.1.0.0/16", "2001:db8::/56")
	dual := firewall.WantedIngress(workflow.AllowedDatabase{Database: "warehouse", Engine: "redshift", Port: 5439, Network: "DUAL"}, "sg-r", side)
	four := firewall.WantedIngress(workflow.AllowedDatabase{Database: "orders", Engine: "mysql", Port: 3307, Network: "IPV4"}, "sg-m", side)
	if len(dual) != 2 || len(four) != 1 || dual[0].Rule.From != 5439 || four[0].Rule.From != 3307 || four[0].Group != "sg-m" {
		t.Errorf("wanted = %v, %v, want port 5439 from both sources, and 3307 from IPv4, which is all that the database has", dual, four)
	}
}

// After adding what is missing nothing is missing, whatever rules were there and in whatever order.
func TestMissingProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) netip.Prefix {
			return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 3).Draw(t, label)), 0, 0}), rapid.SampledFrom([]int{8, 15, 16, 24}).Draw(t, label+" bits")).Masked()
		}
		groups := []firewall.Group{{ID: "sg-1"}, {ID: "sg-2"}}
		for n := range groups {
			for range rapid.IntRange(0, 4).Draw(t, "rules") {
				from := rapid.IntRange(0, 5).Draw(t, "from")
				groups[n].Egress = append(groups[n].Egress, firewall.Rule{From: from, To: from + rapid.IntRange(0, 5).Draw(t, "span"), CIDR: draw("rule")})
			}
		}
		side := workflow.Side{Clients: []workflow.Client{{Groups: []string{"sg-1"}}, {Groups: []string{"sg-2"}}},
			Services: []workflow.Service{{Port: rapid.IntRange(0, 9).Draw(t, "port"), CIDRs: []netip.Prefix{draw("to"), draw("to")}}}}
		wanted, _ := firewall.WantedEgress(side, groups)
		lacking := firewall.Plan("pcx-1", wanted, true, groups, nil, nil).Add
		for _, l := range lacking {
			if !slices.ContainsFunc(wanted, func(w firewall.Wanted) bool { return w.Group == l.Group && w.Rule == l.Rule }) {
				t.Fatalf("%v was never wanted", l)
			}
			for n := range groups {
				if groups[n].ID == l.Group {
					groups[n].Egress = append(groups[n].Egress, l.Rule)
				}
			}
		}
		if rest := firewall.Plan("pcx-1", wanted, true, groups, nil, nil).Add; len(rest) != 0 {
			t.Fatalf("still missing: %v", rest)
		}
	})
}

// To a database of IPv4 alone nothing of IPv6 is let in; a rule that was, goes.
func TestTheFamiliesOfADatabase(t *testing.T) {
	peers := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("2001:db8:1::/56")}
	for network, want := range map[string]string{"IPV4": "[10.1.0.0/16]", "IPV6": "[2001:db8:1::/56]", "DUAL": "[10.1.0.0/16 2001:db8:1::/56]", "": "[10.1.0.0/16 2001:db8:1::/56]"} {
		o := workflow.AllowedDatabase{Port: 3306, Groups: []string{"sg-1"}, Network: network}
		side := workflow.Side{AllowedDatabases: []workflow.AllowedDatabase{o}, Callers: workflow.Callers{CIDRs: peers}}
		if got := fmt.Sprint(o.Family(peers)); got != want {
			t.Errorf("%s: %s, want %s", network, got, want)
		}
		var rules []firewall.Tagged
		for _, p := range peers {
			rules = append(rules, firewall.Tagged{ID: p.String(), Group: "sg-1", Connection: "pcx-1", Rule: firewall.Rule{From: 3306, To: 3306, CIDR: p}})
		}
		surplus := firewall.Surplus(rules, "pcx-1", side)
		if len(surplus)+len(o.Family(peers)) != len(peers) {
			t.Errorf("%s: %v go", network, surplus)
		}
	}
}
