package connection_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const then = "2026-03-01T12:00:00Z"

func TestSummary(t *testing.T) {
	pairs := []ledger.Connection{{Status: "Connected"}, {Status: "Conflict"}, {}, {Status: "Connected"}}
	if got := connection.Summary(pairs, then); got != "2 Connected 1 Conflict at 2026-03-01T12:00:00Z" && got != "1 Conflict 2 Connected at 2026-03-01T12:00:00Z" {
		t.Error(got)
	}
}

func TestPairsOf(t *testing.T) {
	pair := func(id string, kind road.Kind, vpcs ...string) ledger.Connection {
		c := ledger.Connection{ID: id, Kind: kind}
		for _, v := range vpcs {
			c.Sides = append(c.Sides, ledger.Side{ID: v})
		}
		return c
	}
	got := connection.PairsOf([]ledger.Connection{
		pair("tgw-1:vpc-a:vpc-b", road.Transit, "vpc-a", "vpc-b"), pair("tgw-1:vpc-b:vpc-c", road.Transit, "vpc-b", "vpc-c"),
		pair("tgw-12:vpc-a:vpc-b", road.Transit, "vpc-a", "vpc-b"), pair("pcx-1", road.Peering, "vpc-a", "vpc-b")}, "tgw-1", "vpc-a")
	if len(got) != 1 || got[0].ID != "tgw-1:vpc-a:vpc-b" {
		t.Errorf("%+v", got)
	}
}

func TestSurplus(t *testing.T) {
	const a, b, third = "111111111111", "222222222222", "333333333333"
	c := workflow.Connection{ID: "pcx-1", Target: "pcx-1"}
	p := netip.MustParsePrefix
	item := func(account, resource string, kind ledger.Kind, key, left string) ledger.Item {
		return ledger.Item{Account: account, Region: "r", Resource: resource, Kind: kind, Key: key, Left: left, State: ledger.Confirmed, Needed: []string{"pcx-1"}}
	}
	for name, x := range map[string]struct {
		one   string // the account of the second side
		items []ledger.Item
		want  string
	}{
		"a route to what the peer has":          {b, []ledger.Item{item(a, "rtb-a", ledger.Route, "10.2.0.0/16", "pcx-1")}, "[] []"},
		"a route to what it has no more":        {b, []ledger.Item{item(a, "rtb-a", ledger.Route, "10.77.0.0/16", "pcx-1")}, "[10.77.0.0/16 ] []"},
		"the same of a table that is gone":      {b, []ledger.Item{item(a, "rtb-x", ledger.Route, "10.77.0.0/16", "pcx-1")}, "[] []"},
		"rules that serve":                      {b, []ledger.Item{item(a, "sg-a", ledger.Rule, "egress tcp 3306 10.2.0.0/16", "sgr-1"), item(b, "sg-b", ledger.Rule, "ingress tcp 3306 10.1.0.0/16", "sgr-2")}, "[] []"},
		"rules that serve nothing":              {b, []ledger.Item{item(a, "sg-a", ledger.Rule, "egress tcp 3307 10.2.0.0/16", "sgr-1"), item(b, "sg-x", ledger.Rule, "ingress tcp 3306 10.1.0.0/16", "sgr-2")}, "[ sgr-1] [ sgr-2]"},
		"one that perhaps was never made":       {b, []ledger.Item{item(a, "sg-a", ledger.Rule, "egress tcp 3307 10.2.0.0/16", "")}, "[] []"},
		"a participant's database":              {b, []ledger.Item{item(third, "sg-c", ledger.Rule, "ingress tcp 5432 10.1.0.0/16", "sgr-2"), item(third, "sg-c", ledger.Rule, "ingress tcp 5433 10.1.0.0/16", "sgr-3")}, "[] [] [ sgr-3]"},
		"a participant of both accounts' VPCs":  {third, []ledger.Item{item(third, "sg-c", ledger.Rule, "ingress tcp 5432 10.1.0.0/16", "sgr-2"), item(third, "sg-b", ledger.Rule, "ingress tcp 3306 10.1.0.0/16", "sgr-3")}, "[] [] []"},
		"one account, the other side's":         {a, []ledger.Item{item(a, "sg-b", ledger.Rule, "ingress tcp 3306 10.1.0.0/16", "sgr-2"), item(a, "rtb-b", ledger.Route, "10.1.0.0/16", "pcx-1")}, "[] []"},
		"one account, what serves neither side": {a, []ledger.Item{item(a, "sg-b", ledger.Rule, "ingress tcp 3307 10.1.0.0/16", "sgr-2"), item(a, "rtb-b", ledger.Route, "10.77.0.0/16", "pcx-1")}, "[ sgr-2] [10.77.0.0/16 ]"},
	} {
		side := func(account, table, cidr, peer string) workflow.Side {
			return workflow.Side{VPC: workflow.VPC{Account: account, Region: "r", CIDRs: []netip.Prefix{p(cidr)}}, Peer: workflow.VPC{CIDRs: []netip.Prefix{p(peer)}}, Ways: []workflow.Way{{To: []netip.Prefix{p(peer)}}}, Tables: []workflow.Table{{ID: table, Main: true}}, Subnets: []string{"subnet-1"}}
		}
		sides := []workflow.Side{side(a, "rtb-a", "10.1.0.0/16", "10.2.0.0/16"), side(x.one, "rtb-b", "10.2.0.0/16", "10.1.0.0/16")}
		sides[0].Services, sides[0].Clients = []workflow.Service{{Port: 3306, CIDRs: sides[1].VPC.CIDRs}}, []workflow.Client{{Groups: []string{"sg-a"}}}
		sides[1].AllowedDatabases, sides[1].Callers.CIDRs = []workflow.AllowedDatabase{{Port: 3306, Groups: []string{"sg-b"}}}, sides[0].VPC.CIDRs
		if strings.HasPrefix(name, "a participant") {
			joined := side(third, "", "10.2.0.0/16", "10.1.0.0/16")
			joined.Owner, joined.Tables, joined.AllowedDatabases = x.one, nil, []workflow.AllowedDatabase{{Port: 5432, Groups: []string{"sg-c"}}}
			joined.Callers = sides[1].Callers
			sides = append(sides, joined)
		}
		got := ""
		for _, trim := range connection.Surplus(c, sides, x.items) {
			text := ""
			if trim != nil {
				for _, d := range trim.Destinations {
					text += d.String()
				}
				text += " "
				for _, id := range trim.Rules {
					text += id
				}
			}
			got += " [" + text + "]"
		}
		if got[1:] != x.want {
			t.Errorf("%s: %s, want %s", name, got[1:], x.want)
		}
	}
}

// A route that takes traffic out of another by leave goes once the leave does, also while not all databases are seen. One that stood before, or what a leave holds
// for, stays; and whoever asks for a route again asks for leave.
func TestALeaveThatIsWithdrawn(t *testing.T) {
	p := netip.MustParsePrefix
	c := workflow.Connection{ID: "pcx-1", Target: "pcx-1"}
	may := workflow.Diverts{{Leaves: "tgw-1", Tables: []string{"rtb-a"}, Policy: "p", Allowed: true}}
	wide, list := workflow.Table{ID: "rtb-a", Routes: []workflow.Route{{Destination: p("10.0.0.0/8"), Target: "tgw-1"}, {Destination: p("10.2.0.0/16"), Target: "pcx-1"}}},
		workflow.Table{ID: "rtb-a", Routes: []workflow.Route{{Destination: p("10.2.0.0/16"), Target: "pcx-1"}}, Lists: []workflow.List{{ID: "pl-1", Target: "tgw-1"}}}
	for name, x := range map[string]struct {
		table  workflow.Table
		past   string
		may    workflow.Diverts
		unseen bool
		goes   bool
	}{
		"it holds":                           {wide, "tgw-1", may, false, false},
		"it does not":                        {wide, "tgw-1", nil, false, true},
		"nor for a list":                     {list, "tgw-1", nil, false, true},
		"though not all is seen":             {wide, "tgw-1", nil, true, true},
		"it was for another target":          {wide, "tgw-2", nil, false, true},
		"there is nothing to leave any more": {workflow.Table{ID: "rtb-a", Routes: list.Routes}, "tgw-1", nil, false, false},
		"the route was there before":         {wide, "", nil, false, false},
	} {
		side := workflow.Side{VPC: workflow.VPC{Account: "1", Region: "r"}, Peer: workflow.VPC{CIDRs: []netip.Prefix{p("10.2.0.0/16")}}, Ways: []workflow.Way{{To: []netip.Prefix{p("10.2.0.0/16")}}},
			Subnets: []string{"subnet-1"}, Diverts: x.may, Unseen: workflow.Unseen{There: x.unseen}}
		x.table.Main = true
		side.Tables = []workflow.Table{x.table}
		items := []ledger.Item{{Account: "1", Region: "r", Resource: "rtb-a", Kind: ledger.Route, Key: "10.2.0.0/16", Left: "pcx-1", Past: x.past, State: ledger.Confirmed, Needed: []string{"pcx-1"}}}
		if got := connection.Surplus(c, []workflow.Side{side}, items)[0]; (got != nil) != x.goes {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A status says since when it is so; telling it again changes nothing, and what is not managed gets no entry by it.
func TestNote(t *testing.T) {
	ctx := context.Background()
	l, memory := ledgertest.New()
	if e, err := connection.Note(ctx, l, "pcx-1", workflow.Connected, "because"); err != nil || e.ID != "" || e.At.IsZero() || len(memory.Rows()) != 0 {
		t.Fatalf("%+v, %v", e, err)
	}
	c := workflow.Connection{ID: "pcx-1", Target: "pcx-1", Requester: workflow.VPC{Account: "111111111111", Region: "r", ID: "vpc-a"}, Accepter: workflow.VPC{Account: "222222222222", Region: "r", ID: "vpc-b"}}
	entry := func(policy string) ledger.Connection {
		e := connection.Entry(c, road.Peering, ledger.Requested)
		e.Policy, e.Asked = policy, "arn:aws:iam::111111111111:user/ana"
		return e
	}
	old, err := connection.Manage(ctx, l, c, entry("accept-ask"), ledger.Connection{}, false)
	if err != nil || len(old.Sides) != 2 {
		t.Fatal(old, err)
	}
	c.Requester.CIDRs, c.Accepter.CIDRs = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}
	if now, err := connection.Manage(ctx, l, c, entry(""), old, true); err != nil || fmt.Sprint(now.Sides[0].CIDRs, now.Sides[1].CIDRs) != "[10.1.0.0/16] [10.2.0.0/16]" || now.Policy != "accept-ask" || now.Asked == "" {
		t.Fatal(now, err)
	}
	if now, err := connection.Manage(ctx, l, c, entry("accept-approved"), old, true); err != nil || now.Policy != "accept-approved" {
		t.Fatal(now, err)
	}
	if connection.Decided(policy.Decision{Allowed: true, Action: policy.Route, Policy: "x"}, policy.Accept) != "" || connection.Decided(policy.Decision{Action: policy.Accept, Policy: "x"}, policy.Accept) != "" {
		t.Error("what did not decide did")
	}
	first, err := connection.Note(ctx, l, "pcx-1", workflow.Connected, "because")
	if err != nil {
		t.Fatal(err)
	}
	later := l.Now().Add(time.Hour)
	l.Now = func() time.Time { return later }
	again, err := connection.Note(ctx, l, "pcx-1", workflow.Connected, "because")
	if err != nil || !again.At.Equal(first.At) {
		t.Errorf("since %s, then since %s, %v", first.At, again.At, err)
	}
	if other, err := connection.Note(ctx, l, "pcx-1", connection.Conflict, "because"); err != nil || !other.At.Equal(later) {
		t.Errorf("since %s, %v", other.At, err)
	}
}
