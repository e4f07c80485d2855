package firewall_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestSurplus(t *testing.T) {
	one, whole, other := cidr("10.1.4.0/24"), cidr("10.1.0.0/16"), cidr("10.9.0.0/16")
	side := workflow.Side{Refers: true, VPC: producer().VPC, Peer: producer().Peer,
		AllowedDatabases: []workflow.AllowedDatabase{{Database: "sales", Port: 3306, Groups: []string{"sg-1", "sg-2", "sg-k"}}}, Apart: []string{"sg-k"},
		Callers:  workflow.Callers{CIDRs: []netip.Prefix{one}, Groups: []workflow.GroupSet{{Account: producer().Peer.Account, Groups: []string{"sg-nb", "sg-zz"}}, {Account: producer().Peer.Account, Groups: []string{"sg-all", "sg-far"}}}, Apart: []string{"sg-far"}},
		Services: []workflow.Service{{Port: 5432, CIDRs: []netip.Prefix{one}}}, Clients: []workflow.Client{{Groups: []string{"sg-7", "sg-k"}}}}
	ours := func(group string, egress bool, port int, peer any) firewall.Tagged {
		r := firewall.Tagged{ID: "sgr-1", Group: group, Egress: egress, Connection: "pcx-1", Rule: firewall.Rule{From: port, To: port}}
		if p, ok := peer.(netip.Prefix); ok {
			r.Rule.CIDR = p
		} else {
			r.Rule.Other = fmt.Sprint(peer)
		}
		return r
	}
	spare := func(r firewall.Tagged) firewall.Tagged {
		r.Spare = true
		return r
	}
	foreign := ours("sg-3", false, 22, other)
	foreign.Connection = "pcx-2"
	owners := foreign
	owners.Connection = ""
	for name, c := range map[string]struct {
		rule firewall.Tagged
		goes bool
	}{
		"ingress from the group that is chosen":                 {spare(ours("sg-1", false, 3306, "sg-nb")), false},
		"the same in the database's other group":                {ours("sg-2", false, 3306, "sg-all"), false},
		"ingress from a group of callers that is not chosen":    {ours("sg-1", false, 3306, "sg-all"), false},
		"the same, in whose place others are":                   {spare(ours("sg-1", false, 3306, "sg-zz")), true},
		"ingress from one that no caller has any more":          {ours("sg-1", false, 3306, "sg-old"), true},
		"ingress from the whole VPC, which alone serves":        {ours("sg-1", false, 3306, whole), false},
		"ingress from the whole VPC, in whose place others are": {spare(ours("sg-1", false, 3306, whole)), true},
		"ingress in a group that no opened database has":        {ours("sg-3", false, 3306, "sg-nb"), true},
		"ingress on the port of yesterday":                      {ours("sg-1", false, 3307, "sg-nb"), true},
		"ingress from where nobody calls":                       {ours("sg-1", false, 3306, other), true},
		"ingress on a port that only clients here reach":        {ours("sg-1", false, 5432, one), true},
		"egress that serves":                                    {spare(ours("sg-7", true, 5432, one)), false},
		"egress of a group that no client has any more":         {ours("sg-8", true, 5432, one), true},
		"egress to the whole VPC, which alone serves":           {ours("sg-7", true, 5432, whole), false},
		"egress to the whole VPC, in whose place others are":    {spare(ours("sg-7", true, 5432, whole)), true},
		"egress on a port that no database of the peer has":     {ours("sg-7", true, 5433, one), true},
		"egress on the port of a database on this side":         {ours("sg-7", true, 3306, one), true},
		"egress to where no database is":                        {ours("sg-7", true, 5432, other), true},
		"ingress in a group that is kept out":                   {ours("sg-k", false, 3306, "sg-nb"), true},
		"egress in one":                                         {ours("sg-k", true, 5432, one), true},
		"ingress from one":                                      {ours("sg-1", false, 3306, "sg-far"), true},
		"a rule of another connection":                          {foreign, false},
		"an owner's rule":                                       {owners, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := firewall.Surplus([]firewall.Tagged{c.rule, c.rule}, "pcx-1", side)
			if want := map[bool]string{true: "[sgr-1]", false: "[]"}[c.goes]; fmt.Sprint(got) != want {
				t.Errorf("goes: %v, want %s", got, want)
			}
		})
	}
	if got := firewall.Surplus([]firewall.Tagged{owners}, "", side); len(got) != 0 {
		t.Errorf("no connection, and yet %v go", got)
	}
}

// Where a service of databases is not found, what may serve one of its databases stays, and all else goes as ever.
func TestSurplusWhereDatabasesMayBeUnseen(t *testing.T) {
	one, other := cidr("10.1.0.0/16"), cidr("10.9.0.0/16")
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
		if got := fmt.Sprint(firewall.Surplus(rules, "pcx-1", workflow.Side{Peer: workflow.VPC{CIDRs: []netip.Prefix{one}}, Unseen: c.unseen})); got != c.want {
			t.Errorf("%s: %s go, want %s", name, got, c.want)
		}
	}
}
