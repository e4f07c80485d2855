package firewall_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestSurplus(t *testing.T) {
	one, other := netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("10.9.0.0/16")
	openings := []workflow.Opening{{Database: "sales", Port: 3306, Groups: []string{"sg-1", "sg-2"}}}
	ours := func(group string, egress bool, port int, cidr netip.Prefix) firewall.Tagged {
		return firewall.Tagged{ID: "sgr-1", Group: group, Egress: egress, Connection: "pcx-1", Rule: firewall.Rule{From: port, To: port, CIDR: cidr}}
	}
	foreign := ours("sg-3", false, 22, other)
	foreign.Connection = "pcx-2"
	owners := foreign
	owners.Connection = ""
	wide := ours("sg-1", false, 3306, one)
	wide.Rule.To = 3307
	for name, c := range map[string]struct {
		rule firewall.Tagged
		goes bool
	}{
		"ingress that serves":                                  {ours("sg-1", false, 3306, one), false},
		"ingress that serves in the database's other group":    {ours("sg-2", false, 3306, one), false},
		"ingress in a group that no opened database has":       {ours("sg-3", false, 3306, one), true},
		"ingress on the port of yesterday":                     {ours("sg-1", false, 3307, one), true},
		"ingress from what the peer has no more":               {ours("sg-1", false, 3306, other), true},
		"ingress on a port that only clients here reach":       {ours("sg-1", false, 5432, one), true},
		"egress that serves, in whatever group":                {ours("sg-7", true, 5432, one), false},
		"egress on a port that no database of the peer has":    {ours("sg-7", true, 5433, one), true},
		"egress on the port of a database on this side":        {ours("sg-1", true, 3306, one), true},
		"egress to what the peer has no more":                  {ours("sg-7", true, 5432, other), true},
		"a rule that lets more through than Drawbridge grants": {wide, true},
		"a rule of another connection":                         {foreign, false},
		"an owner's rule":                                      {owners, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := firewall.Surplus([]firewall.Tagged{c.rule, c.rule}, "pcx-1", openings, []int{5432}, []netip.Prefix{one}, workflow.Unseen{})
			if want := map[bool]string{true: "[sgr-1]", false: "[]"}[c.goes]; fmt.Sprint(got) != want {
				t.Errorf("goes: %v, want %s", got, want)
			}
		})
	}
	if got := firewall.Surplus([]firewall.Tagged{owners}, "", nil, nil, nil, workflow.Unseen{}); len(got) != 0 {
		t.Errorf("no connection, and yet %v go", got)
	}
}

// Where a service of databases is not found, what may serve one of its databases stays, and all else goes as ever.
func TestSurplusWhereDatabasesMayBeUnseen(t *testing.T) {
	one, other := netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("10.9.0.0/16")
	rule := func(id, group string, egress bool, cidr netip.Prefix) firewall.Tagged {
		return firewall.Tagged{ID: id, Group: group, Egress: egress, Connection: "pcx-1", Rule: firewall.Rule{From: 5439, To: 5439, CIDR: cidr}}
	}
	rules := []firewall.Tagged{rule("seen", "sg-1", false, one), rule("unseen", "sg-9", false, one), rule("stranger", "sg-9", false, other), rule("out", "sg-7", true, one)}
	for name, c := range map[string]struct {
		unseen workflow.Unseen
		want   string
	}{
		"all is seen": {workflow.Unseen{}, "[out seen stranger unseen]"},
		"here":        {workflow.Unseen{Here: true, Seen: []string{"sg-1"}}, "[out seen stranger]"},
		"there":       {workflow.Unseen{There: true}, "[seen stranger unseen]"},
	} {
		if got := fmt.Sprint(firewall.Surplus(rules, "pcx-1", nil, nil, []netip.Prefix{one}, c.unseen)); got != c.want {
			t.Errorf("%s: %s go, want %s", name, got, c.want)
		}
	}
}
