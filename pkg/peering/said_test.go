package peering_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// side draws the facts of one side, and all that only this side knows. Its own ranges come from its own pool, so that a text that names
// one tells whose it is; what overlaps does so by a wider or narrower range.
func side(t *rapid.T, name string, pool []string) (*workflow.Facts, []string) {
	routes := map[string][]string{"1": {"10.0.0.0/9", "172.16.0.0/13", "192.168.0.0/17"}, "2": {"10.0.0.0/10", "172.16.0.0/14"}}[name]
	f := &workflow.Facts{VPC: workflow.VPC{ID: "vpc-" + name}}
	secrets := []string{"rtb-" + name, "tgw-" + name, "notebook"}
	for _, text := range rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 1, 2, rapid.ID[string]).Draw(t, "CIDRs of "+name) {
		f.VPC.CIDRs, secrets = append(f.VPC.CIDRs, netip.MustParsePrefix(text)), append(secrets, text)
	}
	for n, text := range rapid.SliceOfN(rapid.SampledFrom(append(routes, "0.0.0.0/0")), 0, 2).Draw(t, "routes of "+name) {
		f.Tables = append(f.Tables, workflow.Table{ID: fmt.Sprintf("rtb-%s%d", name, n), Subnets: []string{"subnet-" + name}, Routes: []workflow.Route{{Destination: netip.MustParsePrefix(text), Target: "tgw-" + name}}})
		secrets = append(secrets, text)
	}
	return f, secrets
}

// pair draws a peering in any state that the policy and the facts decide, and what only each side knows.
func pair(t *rapid.T) (q peering.Question, requester, accepter []string) {
	q = question(rapid.SampledFrom([]string{"pending-acceptance", "active"}).Draw(t, "status"))
	q.Requester, requester = side(t, "1", []string{"10.1.0.0/16", "10.2.0.0/17", "172.17.1.0/24", "172.18.0.0/25"})
	q.Accepter, accepter = side(t, "2", []string{"10.1.128.0/20", "10.2.0.0/18", "172.17.0.0/20", "192.168.4.0/22"})
	q.Notebooks = map[string]bool{"vpc-1": rapid.Bool().Draw(t, "notebooks of 1"), "vpc-2": rapid.Bool().Draw(t, "notebooks of 2")}
	q.Accept = rapid.SampledFrom([]policy.Decision{
		{Action: policy.Accept, Allowed: true, Policy: "accept-auto"}, {Action: policy.Ask, Allowed: true, Policy: "ask-owner"},
		{Action: policy.Ask, Policy: "accept-never", Reason: "the secret of policies"}, {Action: policy.Accept, Policy: policy.DefaultDeny},
	}).Draw(t, "accept")
	q.Routes[1].Allowed = rapid.Bool().Draw(t, "routes back")
	q.Unclear = rapid.SampledFrom([]string{"", "; drawbridge:accept=nver means nothing"}).Draw(t, "unclear")
	if rapid.Bool().Draw(t, "stood") {
		q.Stood = true
	}
	accepter = append(accepter, "nver", "the secret of policies")
	if !q.Notebooks["vpc-1"] {
		requester = requester[:0:0] // a text that says so would be wrong, not a leak
	}
	return q, requester, accepter
}

// What is said to one side never holds what only the other side knows: neither in its text, nor in what the event says to everybody.
func TestNeitherSideIsToldWhatTheOtherKnows(t *testing.T) {
	reasons := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		q, requester, accepter := pair(t)
		v := peering.Judge(q)
		if v.Answer == workflow.AnswerConflict {
			return // it stood, and the policy allows it; see TestReportSaysEachSideItsOwn
		}
		if v.Said.Requester == "" || v.Said.Accepter == "" {
			t.Fatalf("%s says nothing to a side: %+v", v.Answer, v)
		}
		for _, secret := range accepter {
			if secret == "notebook" && q.Notebooks["vpc-1"] {
				continue // its own
			}
			if strings.Contains(v.Said.Requester, secret) {
				t.Fatalf("the requester is told %q, which only the accepter knows: %s", secret, v.Said.Requester)
			}
		}
		for _, secret := range requester {
			if secret != "notebook" && strings.Contains(v.Said.Accepter, secret) {
				t.Fatalf("the accepter is told %q, which only the requester knows: %s", secret, v.Said.Accepter)
			}
		}
		if v.Answer != workflow.AnswerRefuse {
			return
		}
		event := notice.Refuse("e", workflow.Connection{ID: "pcx-1", Requester: q.Requester.VPC, Accepter: q.Accepter.VPC}, v.Said, v.Decision)
		event.Said = workflow.Said{} // each for its side
		text, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range append(requester, accepter...) {
			if strings.Contains(string(text), secret) {
				t.Fatalf("the event says %q to both: %s", secret, text)
			}
		}
		reasons[v.Said.Requester]++
	})
	if len(reasons) < 6 {
		t.Errorf("only %d reasons were seen: %v", len(reasons), reasons)
	}
}

// Before the policy allows two networks to meet, nothing that is said of them depends on them: the other side's addresses, tables and
// notebooks could as well be others. Where it wants the owner's approval first, the requester at most learns that something is in the way.
func TestBeforeThePolicyNothingDependsOnTheNetworks(t *testing.T) {
	refused, unasked := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		q, _, _ := pair(t)
		if rapid.Bool().Draw(t, "an owner is to be asked") {
			q.Peering.Status, q.Accept = "pending-acceptance", policy.Decision{Action: policy.Ask, Allowed: true, Policy: "ask-owner"}
		}
		other := q
		other.Requester, _ = side(t, "1", []string{"10.77.0.0/16", "10.1.0.0/16"})
		other.Accepter, _ = side(t, "2", []string{"10.99.0.0/16", "10.1.0.0/17"})
		other.Notebooks = map[string]bool{"vpc-1": rapid.Bool().Draw(t, "others of 1"), "vpc-2": rapid.Bool().Draw(t, "others of 2")}
		one, two := peering.Judge(q), peering.Judge(other)
		pending := q.Peering.Status == "pending-acceptance"
		switch {
		case pending && !q.Accept.Allowed || !pending && !q.Routes[1].Allowed:
			refused++
			if !reflect.DeepEqual(one, two) {
				t.Fatalf("the policy refused, and yet the networks are told of:\n%+v\n%+v", one, two)
			}
			if !strings.Contains(one.Said.Requester, one.Decision.Policy) || !strings.Contains(one.Said.Requester, "account 222222222222") {
				t.Fatalf("the requester learns neither which policy nor whom to ask: %s", one.Said.Requester)
			}
		case pending && q.Accept.Action == policy.Ask && one.Answer == workflow.AnswerRefuse && two.Answer == workflow.AnswerRefuse:
			unasked++
			if one.Said.Requester != two.Said.Requester {
				t.Fatalf("nobody approved, and yet the requester is told which:\n%s\n%s", one.Said.Requester, two.Said.Requester)
			}
		}
	})
	if refused == 0 || unasked == 0 {
		t.Errorf("%d were refused, %d not asked for", refused, unasked)
	}
}
