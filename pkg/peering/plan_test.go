package peering_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func cidrs(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

// question is S1's: two members, no overlap, a policy that accepts and routes.
func question(status string) peering.Question {
	return peering.Question{
		Peering: peering.Peering{ID: "pcx-1", Status: status,
			Requester: peering.End{Place: event.Place{Account: "111111111111", Region: "us-east-1"}, VPC: "vpc-1"},
			Accepter:  peering.End{Place: event.Place{Account: "222222222222", Region: "us-east-1"}, VPC: "vpc-2"}},
		RequesterMember: true, AccepterMember: true,
		Requester: &workflow.Facts{VPC: workflow.VPC{ID: "vpc-1", CIDRs: cidrs("10.1.0.0/16", "2001:db8:1::/56")}},
		Accepter:  &workflow.Facts{VPC: workflow.VPC{ID: "vpc-2", CIDRs: cidrs("10.2.0.0/16")}},
		Accept:    policy.Decision{Action: policy.Accept, Allowed: true, Policy: "accept-auto"},
		Routes:    []policy.Decision{{Action: policy.Route, Allowed: true, Policy: "route-both-ways"}, {Action: policy.Route, Allowed: true, Policy: "route-both-ways"}},
	}
}

func TestSettled(t *testing.T) {
	for status, want := range map[string]workflow.Answer{
		"initiating-request": workflow.AnswerWait, "provisioning": workflow.AnswerWait,
		"failed": workflow.AnswerRefuse, "rejected": workflow.AnswerDisconnect, "expired": workflow.AnswerDisconnect,
		"deleted": workflow.AnswerDisconnect, "deleting": workflow.AnswerDisconnect, "something new": workflow.AnswerNothing,
		"pending-acceptance": "", "active": "",
	} {
		v, settled := peering.Settled(peering.Peering{ID: "pcx-1", Status: status})
		if v.Answer != want || settled != (want != "") {
			t.Errorf("a peering that is %s: %q, %v, want %q", status, v.Answer, settled, want)
		}
		if settled && !strings.Contains(v.Reason, "pcx-1") {
			t.Errorf("the reason %q does not name the peering", v.Reason)
		}
	}
}

func TestJudge(t *testing.T) {
	live := func(destination, target string) []workflow.Table {
		return []workflow.Table{{ID: "rtb-1", Main: true, Routes: []workflow.Route{{Destination: netip.MustParsePrefix(destination), Target: target}}}}
	}
	for name, c := range map[string]struct {
		status string
		change func(q *peering.Question)
		want   workflow.Answer
		reason string
	}{
		"a pending request that the policy accepts":        {"pending-acceptance", func(*peering.Question) {}, workflow.AnswerAccept, "accept-auto"},
		"an active peering that the policy routes":         {"active", func(*peering.Question) {}, workflow.AnswerConnect, "route-both-ways"},
		"a pending request that needs approval":            {"pending-acceptance", func(q *peering.Question) { q.Accept.Action, q.Accept.Policy = policy.Ask, "ask-owner" }, workflow.AnswerAsk, "ask-owner"},
		"a pending request that the policy refuses":        {"pending-acceptance", func(q *peering.Question) { q.Accept.Allowed, q.Accept.Policy = false, "accept-never" }, workflow.AnswerRefuse, "accept-never"},
		"an active peering that the policy does not route": {"active", func(q *peering.Question) { q.Routes[1].Allowed, q.Routes[1].Policy = false, "no-route" }, workflow.AnswerRefuse, "no-route"},
		"an active peering that nothing was decided about": {"active", func(q *peering.Question) { q.Routes = nil }, workflow.AnswerRefuse, "default-deny"},
		"one that was connected before is disconnected": {"active", func(q *peering.Question) {
			q.Stood = true
			q.Routes[1].Allowed, q.Routes[1].Policy = false, "no-route"
		}, workflow.AnswerDisconnect, "no-route"},
		"also when an account left the organization": {"active", func(q *peering.Question) {
			q.Stood = true
			q.AccepterMember, q.Accepter = false, nil
		}, workflow.AnswerDisconnect, "222222222222 is outside"},
		"the accepter's owner takes it back": {"active", func(q *peering.Question) {
			q.Stood = true
			q.Own[1] = map[string]string{"drawbridge:approval": "rejected"}
		}, workflow.AnswerDisconnect, "the owner of account 222222222222 takes it back: pcx-1 is tagged drawbridge:approval=rejected"},
		"the requester's owner takes it back": {"active", func(q *peering.Question) {
			q.Stood = true
			q.Own[0] = map[string]string{"drawbridge:approval": "rejected"}
		}, workflow.AnswerDisconnect, "the owner of account 111111111111 takes it back"},
		"the accepter's VPC takes nobody any more": {"active", func(q *peering.Question) {
			q.Stood = true
			q.Accepter.Tags = map[string]string{"drawbridge:accept": "never"}
		}, workflow.AnswerDisconnect, "vpc-2 is tagged drawbridge:accept=never"},
		"taken back before it was connected": {"active", func(q *peering.Question) { q.Own[1] = map[string]string{"drawbridge:approval": "rejected"} },
			workflow.AnswerRefuse, "takes it back"},
		"never speaks of requests that come":                {"active", func(q *peering.Question) { q.Requester.Tags = map[string]string{"drawbridge:accept": "never"} }, workflow.AnswerConnect, ""},
		"what the requester says of a request is not asked": {"pending-acceptance", func(q *peering.Question) { q.Own[0] = map[string]string{"drawbridge:approval": "rejected"} }, workflow.AnswerAccept, ""},
		"a requester outside the organization":              {"pending-acceptance", func(q *peering.Question) { q.RequesterMember, q.Requester = false, nil }, workflow.AnswerRefuse, "111111111111 is outside"},
		"an accepter outside the organization":              {"active", func(q *peering.Question) { q.AccepterMember, q.Accepter = false, nil }, workflow.AnswerRefuse, "222222222222 is outside"},
		"VPCs that overlap":                                 {"pending-acceptance", func(q *peering.Question) { q.Accepter.VPC.CIDRs = cidrs("10.2.0.0/16", "10.1.128.0/20") }, workflow.AnswerRefuse, "10.1.128.0/20"},
		"VPCs that overlap in IPv6":                         {"pending-acceptance", func(q *peering.Question) { q.Accepter.VPC.CIDRs = cidrs("10.2.0.0/16", "2001:db8:1:1::/64") }, workflow.AnswerRefuse, "2001:db8"},
		"live routes are nothing to the networks":           {"pending-acceptance", func(q *peering.Question) { q.Accepter.Tables = live("10.1.0.0/16", "tgw-1") }, workflow.AnswerAccept, ""},
		"the notebooks' own bridges as the peer": {"pending-acceptance", func(q *peering.Question) {
			q.Accepter.VPC.CIDRs = cidrs("172.17.0.0/16")
			q.Notebooks = map[string]bool{"vpc-1": true}
		}, workflow.AnswerRefuse, "172.17.0.0/16"},
		"a part of the bridges' networks in a notebook VPC": {"pending-acceptance", func(q *peering.Question) {
			q.Requester.VPC.CIDRs = cidrs("172.18.4.0/24")
			q.Notebooks = map[string]bool{"vpc-1": true}
		}, workflow.AnswerRefuse, "172.18.0.0/16"},
		"the bridges' networks matter to notebook VPCs only": {"pending-acceptance", func(q *peering.Question) { q.Accepter.VPC.CIDRs = cidrs("172.17.0.0/16") }, workflow.AnswerAccept, ""},
	} {
		t.Run(name, func(t *testing.T) {
			q := question(c.status)
			c.change(&q)
			got := peering.Judge(q)
			if got.Answer != c.want || !strings.Contains(got.Reason, c.reason) {
				t.Errorf("Judge = %s (%s), want %s with %q in the reason", got.Answer, got.Reason, c.want, c.reason)
			}
		})
	}
}

// Whatever the facts are, nothing is accepted or connected that the policy did not allow or that leaves the organization.
func TestJudgeNeverGoesBeyondThePolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := question(rapid.SampledFrom([]string{"pending-acceptance", "active"}).Draw(t, "status"))
		q.RequesterMember = rapid.Bool().Draw(t, "requester")
		q.AccepterMember = rapid.Bool().Draw(t, "accepter")
		q.Accept.Allowed = rapid.Bool().Draw(t, "accept")
		q.Accept.Action = rapid.SampledFrom([]policy.Action{policy.Accept, policy.Ask, policy.Reject}).Draw(t, "action")
		q.Routes[0].Allowed, q.Routes[1].Allowed = rapid.Bool().Draw(t, "there"), rapid.Bool().Draw(t, "back")
		switch got := peering.Judge(q); got.Answer {
		case workflow.AnswerAccept:
			if !q.Accept.Allowed || q.Accept.Action != policy.Accept || !q.RequesterMember || !q.AccepterMember {
				t.Fatalf("accepted against %+v", q)
			}
		case workflow.AnswerConnect:
			if !q.Routes[0].Allowed || !q.Routes[1].Allowed || !q.RequesterMember || !q.AccepterMember {
				t.Fatalf("connected against %+v", q)
			}
		}
	})
}

func ExampleJudge() {
	q := question("pending-acceptance")
	q.Accepter.VPC.CIDRs = cidrs("10.1.128.0/17")
	v := peering.Judge(q)
	fmt.Println(v.Answer, "-", v.Reason)
	// Output: refuse - 10.1.0.0/16 of vpc-1 overlaps 10.1.128.0/17 of vpc-2
}

// A request is refused for a live route that leads elsewhere what a path needs, and for no other.
func TestBlocked(t *testing.T) {
	table := func(id string, main bool, subnet string, routes ...string) workflow.Table {
		out := workflow.Table{ID: id, Main: main}
		if subnet != "" {
			out.Subnets = []string{subnet}
		}
		for _, r := range routes {
			out.Routes = append(out.Routes, workflow.Route{Destination: netip.MustParsePrefix(r), Target: "tgw-9"})
		}
		return out
	}
	// A notebook calls from subnet-a to a database in subnet-d, 10.2.1.0/24; nobody is in subnet-b and subnet-e.
	for name, c := range map[string]struct {
		status      string
		here, there workflow.Table // another table beside those of subnet-a and subnet-d
		calls, back []string       // routes of those
		says        string         // in the reason
	}{
		"nothing is there": {"pending-acceptance", workflow.Table{}, workflow.Table{}, nil, nil, ""},
		"the table of the client leads the database elsewhere": {"pending-acceptance", workflow.Table{}, workflow.Table{}, []string{"10.2.0.0/16"}, nil, "rtb-a"},
		"by a wider route":                       {"pending-acceptance", workflow.Table{}, workflow.Table{}, []string{"10.0.0.0/8"}, nil, "rtb-a"},
		"by a default route to a gateway":        {"pending-acceptance", workflow.Table{}, workflow.Table{}, []string{"0.0.0.0/0"}, nil, "rtb-a"},
		"it leads there where no database is":    {"pending-acceptance", workflow.Table{}, workflow.Table{}, []string{"10.2.9.0/24"}, nil, ""},
		"the table of the database, the client":  {"pending-acceptance", workflow.Table{}, workflow.Table{}, nil, []string{"10.1.1.0/24"}, "rtb-d"},
		"it does, and the peering is active":     {"active", workflow.Table{}, workflow.Table{}, nil, []string{"10.1.1.0/24"}, ""},
		"the table of another subnet":            {"pending-acceptance", table("rtb-b", false, "subnet-b", "10.2.0.0/16"), workflow.Table{}, nil, nil, ""},
		"on the other side":                      {"pending-acceptance", workflow.Table{}, table("rtb-e", false, "subnet-e", "10.1.0.0/16"), nil, nil, ""},
		"the main table, which no client uses":   {"pending-acceptance", table("rtb-m", true, "", "10.2.0.0/16"), workflow.Table{}, nil, nil, ""},
		"the main table, which no database uses": {"pending-acceptance", workflow.Table{}, table("rtb-m", true, "", "10.1.0.0/16"), nil, nil, ""},
	} {
		a := workflow.VPC{Account: "111111111111", ID: "vpc-1", CIDRs: cidrs("10.1.0.0/16")}
		b := workflow.VPC{Account: "222222222222", ID: "vpc-2", CIDRs: cidrs("10.2.0.0/16")}
		sides := []workflow.Side{{Role: peering.Requester, VPC: a, Peer: b, Subnets: []string{"subnet-a", "subnet-b"}, Tables: []workflow.Table{table("rtb-a", false, "subnet-a", c.calls...), c.here},
			Clients: []workflow.Client{{Names: []string{"notebook n"}, Count: 1, Account: a.Account, Subnets: []string{"subnet-a"}, CIDRs: cidrs("10.1.1.0/24")}}},
			{Role: peering.Accepter, VPC: b, Peer: a, Subnets: []string{"subnet-d", "subnet-e"}, Tables: []workflow.Table{table("rtb-d", false, "subnet-d", c.back...), c.there},
				AllowedDatabases: []workflow.AllowedDatabase{{Database: "sales", Port: 3306, Network: "IPV4", Subnets: []string{"subnet-d"}, CIDRs: cidrs("10.2.1.0/24")}}}}
		survey.Appoint(&sides[0], &sides[1])
		for _, asks := range []bool{false, true} {
			q := question(c.status)
			if asks {
				q.Accept.Action = policy.Ask
			}
			v, is := peering.Blocked(q, sides)
			if is != (c.says != "") || !strings.Contains(v.Reason, c.says) {
				t.Errorf("%s: %v, %+v, want %q", name, is, v, c.says)
			}
			if !is {
				continue
			}
			own, other := v.Said.Requester, v.Said.Accepter
			if c.says == "rtb-d" {
				own, other = other, own
			}
			// Each is told of its own tables alone; the requester, before an owner has approved, not even that.
			if unasked := asks && c.says == "rtb-a"; strings.Contains(own, c.says) == unasked || strings.Contains(other, c.says) || strings.Contains(other, "tgw-9") || other == "" || v.Answer != workflow.AnswerRefuse {
				t.Errorf("%s, asked for %v: said %+v", name, asks, v.Said)
			}
			if asks && !strings.Contains(v.Said.Requester, "do not fit as they are") {
				t.Errorf("%s: before the owner approves, the requester is told %s", name, v.Said.Requester)
			}
		}
	}
}
