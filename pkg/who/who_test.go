package who

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

const (
	vpc     = "vpc-0b2b2b2b2b2b2b2b2"
	peered  = "pcx-0aaaaaaaaaaaaaaa1"
	removed = "pcx-0aaaaaaaaaaaaaaa2"
	beside  = "pcx-0aaaaaaaaaaaaaaa3"
	pair    = "tgw-0d:vpc-0c3:" + vpc
	sales   = "arn:aws:rds:us-east-1:222222222222:cluster:sales"
)

// rows is a ledger of a database that is reached over a peering, a gateway and the Data API.
func rows(t *testing.T) board.Rows {
	t.Helper()
	var r board.Rows
	add := func(part, sort string, body any) {
		t.Helper()
		if err := r.Add(ledgertest.Row(t, part, sort, body)); err != nil {
			t.Fatal(err)
		}
	}
	side := func(role, account, id string, cidr string) ledger.Side {
		return ledger.Side{Role: role, Account: account, Region: "us-east-1", ID: id, CIDRs: []string{cidr}}
	}
	here := side("accepter", "222222222222", vpc, "10.2.0.0/16")
	entry := func(c ledger.Connection) {
		c.Origin, c.Since = ledger.Requested, now.Add(-72*time.Hour)
		add("connection#"+c.ID, "connection", c)
	}
	const ada = "arn:aws:sts::111111111111:assumed-role/scientist/ada"
	entry(ledger.Connection{ID: peered, Kind: "peering", Status: "Connected", Policy: "accept-ask", Asked: ada, Sides: []ledger.Side{side("requester", "111111111111", "vpc-0a1", "10.1.0.0/16"), here}})
	entry(ledger.Connection{ID: removed, Kind: "peering", Status: "Removed", Sides: []ledger.Side{side("requester", "555555555555", "vpc-0e5", "10.5.0.0/16"), here}})
	entry(ledger.Connection{ID: beside, Kind: "peering", Status: "Connected", Policy: "accept-auto", Sides: []ledger.Side{here, side("accepter", "444444444444", "vpc-0d4", "10.4.0.0/16")}})
	entry(ledger.Connection{ID: pair, Kind: "transit", Status: "Connected", Policy: "connect", Sides: []ledger.Side{side("requester", "333333333333", "vpc-0c3", "10.3.0.0/16"), here}})
	entry(ledger.Connection{ID: "tgw-attach-0b", Kind: "attachment", Status: "Attached", Sides: []ledger.Side{side("requester", "222222222222", vpc, "10.2.0.0/16"), {Role: "accepter", Account: "999999999999", Region: "us-east-1", ID: "tgw-0d"}}})
	entry(ledger.Connection{ID: sales, Kind: "data-api", Status: "Exposed", Policy: "expose", Sides: []ledger.Side{{Role: "producer", Account: "222222222222", Region: "us-east-1", ID: sales}}})
	rule := func(key, of string) {
		add("resource#222222222222/us-east-1/sg-0b", "rule#"+key, ledger.Item{Account: "222222222222", Region: "us-east-1", Resource: "sg-0b", Kind: ledger.Rule, Key: key, State: ledger.Confirmed, Needed: []string{of}})
	}
	rule("ingress tcp 3306 10.1.0.0/24", peered)
	rule("ingress tcp 5432 10.1.1.0/24", peered) // of another database's
	rule("egress tcp 3306 10.1.2.0/24", peered)
	rule("ingress tcp 3306 sg-0c3", pair)
	rule("ingress tcp 3306 10.5.0.0/24", removed)
	for said, value := range map[string]string{"drawbridge:share": "111111111111 333333333333", "drawbridge:data-api": "666666666666"} {
		add("connection#"+sales, "word#2026-11-20T00:00:00Z#"+said, ledger.Word{Thing: sales, Said: said, Value: value, By: ledger.Hand{Who: "arn:aws:sts::222222222222:assumed-role/data/dan"}, Account: "222222222222", At: now.Add(-9 * 24 * time.Hour)})
	}
	add("connection#"+peered, "word#2026-11-27T00:00:00Z#drawbridge:approval", ledger.Word{Thing: peered, Said: "drawbridge:approval", Value: "approved", By: ledger.Hand{Who: "arn:aws:sts::222222222222:assumed-role/owner/ben"}, Account: "222222222222", At: now.Add(-60 * time.Hour)})
	return r
}

func facts() Facts {
	cidr := netip.MustParsePrefix
	return Facts{At: event.Place{Account: "222222222222", Region: "us-east-1"}, Kind: tag.DBCluster, VPC: vpc,
		Database: database.Database{ID: "sales", ARN: sales, Engine: "aurora-mysql", Port: 3306, Groups: []string{"sg-0b"}, Tags: map[string]string{tag.Share: "111111111111 333333333333", tag.DataAPI: "666666666666"}},
		Rules: []Ingress{{ID: "sgr-1", Group: "sg-0b", From: 3306, To: 3306, CIDR: cidr("10.1.0.0/24")}, {ID: "sgr-2", Group: "sg-0b", From: 3306, To: 3306, Other: "sg-0c3", Account: "333333333333"},
			{ID: "sgr-3", Group: "sg-0b", From: 0, To: 65535, CIDR: cidr("10.4.0.0/16"), Says: "the old way"}, {ID: "sgr-4", Group: "sg-0b", From: 3306, To: 3306, CIDR: cidr("10.5.0.0/24")},
			{ID: "sgr-5", Group: "sg-0b", From: 3306, To: 3306, Other: "sg-0f", Account: "222222222222"}},
		Admitted: map[string][]string{DataAPI: {"arn:aws:iam::666666666666:root"}}}
}

func roadOf(w Who, road, account string) Road {
	n := slices.IndexFunc(w.Roads, func(r Road) bool { return r.Road == road && r.Account == account })
	if n < 0 {
		return Road{}
	}
	return w.Roads[n]
}

func TestEveryRoadIsNamedWithItsEnd(t *testing.T) {
	w := Of(rows(t), facts(), now)
	blind := facts()
	blind.Rules, blind.Admitted, blind.Unread = nil, nil, []string{"the rules of its security groups: access denied"}
	b := Of(rows(t), blind, now)
	hub := board.Hub{Account: "123456789012", Region: "us-east-1", Table: "drawbridge-ledger"}
	w.Hub, b.Hub = hub, hub
	answertest.Text(t, "who", w, true)
	answertest.Text(t, "unread", b, false)
	nobody := Of(board.Rows{}, Facts{At: event.Place{Account: "222222222222", Region: "us-east-1"}, Database: database.Database{ID: "alone"}}, now)
	answertest.Text(t, "nobody", nobody, false)
	answertest.Schema[Who](t, "../..", "who.v1", "drawbridge who DATABASE -o json", w, b, nobody)

	peering := roadOf(w, Peering, "111111111111")
	if !slices.Equal(peering.From, []string{"10.1.0.0/24"}) || !strings.HasSuffix(peering.ApprovedBy, "/ben") || peering.Policy != "accept-ask" || len(peering.Ends) != 2 {
		t.Errorf("the peering: %+v", peering)
	}
	if got := strings.Join(peering.Ends[0].Command, " "); !strings.HasSuffix(got, "Value=333333333333") || !strings.Contains(got, sales) {
		t.Errorf("it ends by %s", got)
	}
	gateway := roadOf(w, Gateway, "333333333333")
	if !slices.Equal(gateway.From, []string{"sg-0c3"}) || len(gateway.Ends) != 2 || !slices.Contains(gateway.Ends[1].Command, "tgw-attach-0b") {
		t.Errorf("the gateway: %+v", gateway)
	}
	if other := roadOf(w, Peering, "444444444444"); !slices.Equal(other.From, []string{"10.4.0.0/16"}) || !slices.Contains(other.Ends[0].Command, "sgr-3") {
		t.Errorf("by its owner's rule: %+v", other)
	}
	if api := roadOf(w, DataAPI, "666666666666"); len(api.Ends) != 1 || !slices.Contains(api.Ends[0].Command, "Key=drawbridge:data-api,Value=none") || !strings.HasSuffix(api.ApprovedBy, "/dan") {
		t.Errorf("the Data API: %+v", api)
	}
	var left []string
	for _, r := range w.Roads {
		if r.Road == Rule {
			left = append(left, r.From...)
		}
	}
	// The rule that a removed connection left behind is named: nobody else would.
	if !slices.Equal(left, []string{"10.4.0.0/16", "10.5.0.0/24", "sg-0f"}) {
		t.Errorf("rules of the owner's: %v", left)
	}
	if len(roadOf(b, Peering, "111111111111").Ends) == 0 || roadOf(b, DataAPI, "666666666666").Detail == "" {
		t.Errorf("without the rules: %+v", b.Roads)
	}
}

// What was let go of stands as it did: the role is named, and how its owner ends it.
func TestWhatWasLetGoOfIsARoadToo(t *testing.T) {
	f := facts()
	f.Rules, f.Database.Tags[tag.Manage] = nil, tag.Leave
	w := Of(board.Rows{}, f, now)
	api := roadOf(w, DataAPI, "666666666666")
	if len(w.Roads) != 1 || len(api.Ends) != 1 || !strings.HasSuffix(strings.Join(api.Ends[0].Command, " "), "delete-role-policy --role-name drawbridge-data-api-sales --policy-name data-api") {
		t.Errorf("%+v", w.Roads)
	}
	answertest.Text(t, "released", w, false)
	delete(f.Database.Tags, tag.Manage) // then the role is nobody's that Drawbridge knows of
	if w := Of(board.Rows{}, f, now); len(w.Roads) != 0 {
		t.Errorf("%+v", w.Roads)
	}
}

// A warehouse answers at its endpoints in other VPCs, too, which have groups of their own.
func TestAnEndpointElsewhereIsARoadToo(t *testing.T) {
	f := facts()
	f.Endpoints = []Endpoint{{Name: "far", VPC: "vpc-0c3", Port: 3307, Groups: []string{"sg-0far"}}}
	f.Rules = append(f.Rules, Ingress{ID: "sgr-9", Group: "sg-0far", From: 3307, To: 3307, CIDR: netip.MustParsePrefix("10.2.0.0/24")})
	w := Of(rows(t), f, now)
	n := slices.IndexFunc(w.Roads, func(r Road) bool { return r.To == "far" })
	if n < 0 || w.Roads[n].Over != pair || w.Roads[n].Account != "222222222222" || !slices.Equal(w.Roads[n].From, []string{"10.2.0.0/24"}) {
		t.Errorf("%+v", w.Roads)
	}
	if before := Of(rows(t), facts(), now); len(w.Roads) != len(before.Roads)+2 { // the road over the gateway, and the rule itself
		t.Errorf("%d roads, %d without the endpoint", len(w.Roads), len(before.Roads))
	}
	answertest.Text(t, "endpoint", w, false)
}

// Whatever rules there are: each is named by a road, or is one that Drawbridge added for a connection that stands, whose road names it.
func TestNoRuleIsForgotten(t *testing.T) {
	r := rows(t)
	rapid.Check(t, func(t *rapid.T) {
		f := facts()
		f.Rules = rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Ingress {
			i := Ingress{Group: "sg-0b", From: 3306, To: 3306}
			if rapid.Bool().Draw(t, "group") {
				i.Other, i.Account = rapid.SampledFrom([]string{"sg-0c3", "sg-1", "sg-2"}).Draw(t, "sg"), rapid.SampledFrom([]string{"111111111111", "333333333333", "777777777777"}).Draw(t, "account")
			} else {
				i.CIDR = netip.MustParsePrefix(rapid.SampledFrom([]string{"0.0.0.0/0", "10.1.0.0/24", "10.1.0.0/16", "10.5.0.0/24", "10.9.0.0/16"}).Draw(t, "cidr"))
			}
			i.ID = "sgr-" + source(i)
			return i
		}), 0, 6, func(i Ingress) string { return i.ID }).Draw(t, "rules")
		w := Of(r, f, now)
		for _, i := range f.Rules {
			if !slices.ContainsFunc(w.Roads, func(r Road) bool { return slices.Contains(r.From, source(i)) }) {
				t.Fatalf("%+v is in no road: %+v", i, w.Roads)
			}
		}
	})
}

func TestRulesAreRead(t *testing.T) {
	rule := func(protocol string, from, to int32, egress bool) types.SecurityGroupRule {
		return types.SecurityGroupRule{SecurityGroupRuleId: aws.String("sgr-1"), GroupId: aws.String("sg-1"), IpProtocol: &protocol, FromPort: &from, ToPort: &to, IsEgress: &egress, CidrIpv4: aws.String("10.0.0.1/8")}
	}
	for name, c := range map[string]struct {
		rule types.SecurityGroupRule
		lets bool
	}{"its port": {rule("tcp", 3306, 3306, false), true}, "a range": {rule("6", 3000, 4000, false), true}, "everything": {rule("-1", -1, -1, false), true},
		"another port": {rule("tcp", 22, 22, false), false}, "UDP": {rule("udp", 0, 65535, false), false}, "what goes out": {rule("tcp", 3306, 3306, true), false}} {
		i, ok := ingress(c.rule, 3306)
		if ok != c.lets || ok && source(i) != "10.0.0.0/8" {
			t.Errorf("%s: %+v, %v", name, i, ok)
		}
	}
	got := trusted(`%7B%22Principal%22%3A%7B%22AWS%22%3A%5B%22arn%3Aaws%3Aiam%3A%3A111111111111%3Aroot%22%2C%22arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2Fx%22%5D%7D%7D`)
	if !slices.Equal(got, []string{"arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:role/x"}) {
		t.Errorf("trusted: %v", got)
	}
}
