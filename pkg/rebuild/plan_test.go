package rebuild_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/rebuild"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const alpha, beta = "111111111111", "222222222222"

func prefix(text string) netip.Prefix { return netip.MustParsePrefix(text) }

// side is one side of a connection, which carries marks, with a route and a rule of Drawbridge's.
func side(id, account, own, other, peer, target string, tags map[string]string) rebuild.Side {
	return rebuild.Side{VPC: workflow.VPC{Account: account, Region: "eu-west-1", ID: "vpc-" + account[:1], CIDRs: []netip.Prefix{prefix(own)}}, Tags: tags, Attachment: "tgw-attach-" + account[:1],
		Subnets: []string{"subnet-1"}, Tables: []route.Table{{ID: "rtb-main", Main: true, Routes: []route.Route{{Destination: prefix(own), Target: "local"}, {Destination: prefix(other), Target: target},
			{Destination: prefix("10.99.0.0/16"), Target: target}, {Destination: prefix("10.98.0.0/16"), Target: "vgw-1"}}}},
		Rules: []firewall.Marked{{Tagged: firewall.Tagged{ID: "sgr-" + account[:1], Group: "sg-1", Connection: id, Rule: firewall.Rule{From: 3306, To: 3306, CIDR: prefix(other)}}, Peer: peer}}}
}

// connected is a connection with marks on both sides.
func connected(id string, kind road.Kind) rebuild.Connected {
	tags := func() map[string]string {
		return map[string]string{"drawbridge:status": "Connected", "drawbridge:reason": "by policy x", "drawbridge:since": "2026-03-01T12:00:00Z", "drawbridge:pairs": "1 Connected at 2026-03-01T12:00:00Z"}
	}
	target := workflow.TargetOf(id)
	c := rebuild.Connected{ID: id, Kind: kind, Target: target, Sides: [2]rebuild.Side{
		side(id, alpha, "10.1.0.0/16", "10.2.0.0/16", beta+"/eu-west-1/vpc-2", target, tags()),
		side(id, beta, "10.2.0.0/16", "10.1.0.0/16", alpha+"/eu-west-1/vpc-1", target, tags())}}
	if kind == "peering" {
		c.State = "active"
	}
	return c
}

func TestPlan(t *testing.T) {
	const pair = "tgw-1:vpc-1:vpc-2"
	both := []string{"route 10.2.0.0/16", "rule ingress tcp 3306 10.2.0.0/16", "route 10.1.0.0/16", "rule ingress tcp 3306 10.1.0.0/16"}
	for name, c := range map[string]struct {
		id     string
		kind   road.Kind
		change func(*rebuild.Connected)
		entry  ledger.Origin // empty: none
		items  []string
		untold []string // kinds
	}{
		"a peering":             {id: "pcx-1", kind: "peering", entry: ledger.Requested, items: both},
		"a pair":                {id: pair, kind: "transit", entry: ledger.Requested, items: both},
		"an owner lets go":      {id: "pcx-1", kind: "peering", change: func(c *rebuild.Connected) { c.Sides[0].Tags["drawbridge:manage"] = "false" }},
		"an owner takes back":   {id: pair, kind: "transit", change: func(c *rebuild.Connected) { c.Sides[1].Tags["drawbridge:manage"] = "undo" }},
		"a request":             {id: "pcx-1", kind: "peering", change: func(c *rebuild.Connected) { c.State = "pending-acceptance" }},
		"it was deleted":        {id: "pcx-1", kind: "peering", change: func(c *rebuild.Connected) { c.State = "deleted" }, entry: ledger.Requested, items: both},
		"only one has the mark": {id: "pcx-1", kind: "peering", change: func(c *rebuild.Connected) { delete(c.Sides[0].Tags, "drawbridge:status") }, untold: []string{"peerings"}},
		"one pairs tag is gone": {id: pair, kind: "transit", change: func(c *rebuild.Connected) { delete(c.Sides[1].Tags, "drawbridge:pairs") }, untold: []string{"pairs"}},
		"one is not attached":   {id: pair, kind: "transit", change: func(c *rebuild.Connected) { c.Sides[1].Attachment = "" }, untold: []string{"rules", "rules"}},
		"taken over": {id: "pcx-1", kind: "peering", entry: ledger.Adopted, items: []string{both[1], both[3]}, untold: []string{"routes", "routes"}, change: func(c *rebuild.Connected) {
			c.Sides[0].Tags["drawbridge:manage"], c.Sides[0].Adopted, c.Sides[1].Adopted = "true", true, true
		}},
		"one attachment was there before": {id: pair, kind: "transit", entry: ledger.Requested, items: both[1:], untold: []string{"routes"}, change: func(c *rebuild.Connected) { c.Sides[0].Adopted = true }},
		"a table that nobody uses":        {id: "pcx-1", kind: "peering", entry: ledger.Requested, items: both[1:], untold: []string{"routes"}, change: func(c *rebuild.Connected) { c.Sides[0].Tables[0].Main = false }},
		"an entry of a prefix list":       {id: "pcx-1", kind: "peering", entry: ledger.Requested, items: both[1:], change: func(c *rebuild.Connected) { c.Sides[0].Tables[0].Routes[1].List = "pl-1" }},
		"a rule for more ports":           {id: "pcx-1", kind: "peering", entry: ledger.Requested, items: []string{both[0], both[2], both[3]}, untold: []string{"rules"}, change: func(c *rebuild.Connected) { c.Sides[0].Rules[0].Rule.To = 3307 }},
		"a rule for more sources": {id: "pcx-1", kind: "peering", entry: ledger.Requested, items: []string{both[0], both[2], both[3]}, untold: []string{"rules"}, change: func(c *rebuild.Connected) {
			c.Sides[0].Rules[0].Rule.CIDR = prefix("10.0.0.0/8")
		}},
		"a rule for a subnet": {id: "pcx-1", kind: "peering", entry: ledger.Requested, items: []string{both[0], "rule ingress tcp 3306 10.2.7.0/24", both[2], both[3]}, change: func(c *rebuild.Connected) {
			c.Sides[0].Rules[0].Rule.CIDR = prefix("10.2.7.0/24")
		}},
		"a rule for a group of the other VPC": {id: "pcx-1", kind: "peering", entry: ledger.Requested, items: []string{both[0], "rule ingress tcp 3306 sg-9", both[2], both[3]}, change: func(c *rebuild.Connected) {
			c.Sides[0].Rules[0].Rule = firewall.Rule{From: 3306, To: 3306, Other: "sg-9"}
			c.Sides[0].Rules[0].Of = c.Sides[1].VPC.ID
		}},
		"a rule for a group of a third": {id: "pcx-1", kind: "peering", entry: ledger.Requested, items: []string{both[0], both[2], both[3]}, untold: []string{"rules"}, change: func(c *rebuild.Connected) {
			c.Sides[0].Rules[0].Rule = firewall.Rule{From: 3306, To: 3306, Other: "sg-9"}
			c.Sides[0].Rules[0].Of = "vpc-3"
		}},
		"a rule of another VPC": {id: "pcx-1", kind: "peering", entry: ledger.Requested, items: []string{both[0], both[2], both[3]}, untold: []string{"rules"}, change: func(c *rebuild.Connected) { c.Sides[0].Rules[0].Peer = "x" }},
		"a VPC is gone": {id: "pcx-1", kind: "peering", entry: ledger.Requested, untold: []string{"rules"}, change: func(c *rebuild.Connected) {
			c.State, c.Sides[1] = "deleted", rebuild.Side{VPC: workflow.VPC{Account: beta, Region: "eu-west-1", ID: "vpc-2"}, Tags: c.Sides[1].Tags}
		}},
		"names are resolved": {id: "pcx-1", kind: "peering", entry: ledger.Requested, items: both, untold: []string{"DNS options"}, change: func(c *rebuild.Connected) { c.Sides[1].DNS = true }},
	} {
		t.Run(name, func(t *testing.T) {
			one := connected(c.id, c.kind)
			if c.change != nil {
				c.change(&one)
			}
			got := rebuild.Plan(one)
			var origin ledger.Origin
			if got.Entry != nil {
				origin = got.Entry.Origin
				if got.Entry.ID != c.id || got.Entry.Kind != c.kind || got.Entry.Status != "Connected" || len(got.Entry.Sides) != 2 || got.Entry.Sides[1].Account != beta {
					t.Errorf("%+v", got.Entry)
				}
			}
			var items, untold []string
			for _, i := range got.Items {
				if items = append(items, string(i.Kind)+" "+i.Key); !slices.Equal(i.Needed, []string{c.id}) || i.Left == "" {
					t.Errorf("%+v", i)
				}
			}
			for _, u := range got.Untold {
				untold = append(untold, u.Kind)
			}
			slices.Sort(items)
			want := slices.Sorted(slices.Values(c.items))
			if origin != c.entry || !slices.Equal(items, want) || !slices.Equal(untold, c.untold) {
				t.Errorf("entry %q, items %q, untold %v; want %q, %q, %v", origin, items, got.Untold, c.entry, want, c.untold)
			}
		})
	}
}

func TestPlanAttachment(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*rebuild.Attached)
		entry  ledger.Origin
		made   bool
		untold string
	}{
		"Drawbridge made it":                  {entry: ledger.Requested, made: true},
		"somebody else did":                   {change: func(a *rebuild.Attached) { delete(a.Tags, "drawbridge:connection") }, entry: ledger.Requested},
		"and its VPC asks":                    {change: func(a *rebuild.Attached) { delete(a.Tags, "drawbridge:connection"); a.Asks = true }, entry: ledger.Adopted},
		"made for another VPC":                {change: func(a *rebuild.Attached) { a.Tags["drawbridge:connection"] = "tgw-1:vpc-9" }, entry: ledger.Requested},
		"the gateway's owner does not say so": {change: func(a *rebuild.Attached) { a.Owner = nil }, untold: "attachments"},
		"the VPC's owner does not say so":     {change: func(a *rebuild.Attached) { a.Tags["drawbridge:status"] = "" }, untold: "attachments"},
		"it was refused": {change: func(a *rebuild.Attached) {
			a.Tags["drawbridge:status"], a.Owner["drawbridge:status"] = "Refused", "Refused"
		}},
		"it is over": {change: func(a *rebuild.Attached) { a.State = "deleted" }},
		"let go of":  {change: func(a *rebuild.Attached) { a.Owner["drawbridge:manage"] = "false" }},
		"associated": {change: func(a *rebuild.Attached) { a.Associated = "tgw-rtb-1" }, entry: ledger.Requested, made: true, untold: "associations"},
	} {
		t.Run(name, func(t *testing.T) {
			a := rebuild.Attached{ID: "tgw-attach-1", State: "available", VPC: workflow.VPC{Account: alpha, Region: "eu-west-1", ID: "vpc-1"},
				Gateway: workflow.Gateway{ID: "tgw-1", Account: beta, Region: "eu-west-1"},
				Tags:    map[string]string{"drawbridge:status": "Attached", "drawbridge:connection": "tgw-1:vpc-1"}, Owner: map[string]string{"drawbridge:status": "Attached"}}
			if c.change != nil {
				c.change(&a)
			}
			got := rebuild.PlanAttachment(a)
			var origin ledger.Origin
			if got.Entry != nil {
				origin = got.Entry.Origin
			}
			untold := ""
			if len(got.Untold) > 0 {
				untold = got.Untold[0].Kind
			}
			made := len(got.Items) == 1 && got.Items[0].Left == "tgw-attach-1" && slices.Equal(got.Items[0].Needed, []string{"tgw-1:vpc-1"})
			if origin != c.entry || made != c.made || len(got.Items) > 0 && !made || untold != c.untold {
				t.Errorf("%+v; want %+v", got, c)
			}
		})
	}
}

// A line is needed by every subnet of its range that has a notebook with the configuration.
func TestPlanHostRoutes(t *testing.T) {
	lines := []lifecycle.Line{{Subnet: prefix("10.1.0.0/24"), Destinations: []netip.Prefix{prefix("10.2.0.0/16")}}, {Subnet: prefix("10.1.9.0/24"), Destinations: []netip.Prefix{prefix("10.3.0.0/16")}}}
	notebook := func(subnet, cidr, configuration string) rebuild.Notebook {
		return rebuild.Notebook{Place: event.Place{Account: alpha, Region: "eu-west-1"}, Subnet: subnet, Configuration: configuration, CIDRs: []netip.Prefix{prefix(cidr)}, Lines: lines}
	}
	got := rebuild.PlanHostRoutes([]rebuild.Notebook{notebook("subnet-b", "10.1.0.0/24", "scripts"), notebook("subnet-a", "10.1.0.0/24", "scripts"), notebook("subnet-c", "10.1.0.0/24", "others"), notebook("subnet-d", "10.1.5.0/24", "scripts")})
	var items []string
	for _, i := range got.Items {
		items = append(items, fmt.Sprintf("%s %s %v", i.Resource, i.Key, i.Needed))
	}
	if want := []string{"scripts 10.1.0.0/24 10.2.0.0/16 [subnet-a subnet-b]", "others 10.1.0.0/24 10.2.0.0/16 [subnet-c]"}; !slices.Equal(items, want) {
		t.Errorf("%q, want %q", items, want)
	}
	if len(got.Untold) != 2 || !strings.Contains(got.Untold[0].What, "10.1.9.0/24") || got.Entry != nil {
		t.Errorf("%+v", got)
	}
}

func TestPlanEndpoints(t *testing.T) {
	place := event.Place{Account: alpha, Region: "eu-west-1"}
	one := func(id, owner, service string) rebuild.Tagged {
		return rebuild.Tagged{Place: place, ID: id, VPC: "vpc-1", Owner: owner, Service: service, State: "available"}
	}
	group := func(id, vpc, owner, name string) rebuild.Tagged {
		return rebuild.Tagged{Place: place, ID: id, VPC: vpc, Owner: owner, Group: name}
	}
	deleted := one("vpce-0", "private-notebooks-vpc-1", "api")
	deleted.State = "deleted"
	got := rebuild.PlanEndpoints([]rebuild.Tagged{deleted, one("vpce-2", "private-notebooks-vpc-1", "notebook"), one("vpce-1", "private-notebooks-vpc-1", "api"), one("vpce-3", "private-notebooks-vpc-1", "api"),
		one("vpce-4", "private-notebooks-vpc-2", "api"), one("vpce-5", "mine", "api"), one("vpce-6", "data-api-endpoint-vpc-1", "rds-data")},
		[]rebuild.Tagged{group("sg-1", "vpc-1", "private-notebooks-vpc-1", "drawbridge-private-notebooks-vpc-1"), group("sg-2", "vpc-1", "data-api-endpoint-vpc-1", "mine"),
			group("sg-3", "vpc-2", "data-api-endpoint-vpc-1", "drawbridge-data-api-endpoint-vpc-1"), group("sg-4", "vpc-1", "mine", "drawbridge-mine")})
	var lines []string
	for _, rows := range got {
		lines = append(lines, string(rows.Entry.Kind)+" "+rows.Entry.Sides[0].ID)
		for _, i := range rows.Items {
			lines = append(lines, fmt.Sprintf("%s %s %s %s %v", i.Resource, i.Kind, i.Key, i.Left, i.Needed))
		}
		for _, u := range rows.Untold {
			lines = append(lines, "untold "+u.What)
		}
	}
	want := []string{"private-notebooks vpc-1", "vpc-1 endpoint api vpce-1 [private-notebooks-vpc-1]", "vpc-1 endpoint notebook vpce-2 [private-notebooks-vpc-1]",
		"vpc-1 group drawbridge-private-notebooks-vpc-1 sg-1 [private-notebooks-vpc-1]", "untold vpce-3 of vpc-1: there is another one of api",
		"data-api-endpoint vpc-1", "vpc-1 endpoint rds-data vpce-6 [data-api-endpoint-vpc-1]"}
	if !slices.Equal(lines, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestNamesAreTakenApartStrictly(t *testing.T) {
	for value, want := range map[string]bool{alpha + "/eu-west-1/vpc-1": true, alpha + "/eu-west-1/tgw-1": false, "1/eu-west-1/vpc-1": false, alpha + "//vpc-1": false, alpha + "/eu-west-1/vpc-1/x": false, "": false} {
		if _, ok := rebuild.Peer(value); ok != want {
			t.Errorf("Peer(%q) is %v", value, ok)
		}
	}
}
