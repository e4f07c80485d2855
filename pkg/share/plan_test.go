package share_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const (
	alpha   = "111111111111"
	beta    = "222222222222"
	gamma   = "333333333333"
	gateway = "tgw-0123456789abcdef0"
	arn     = "arn:aws:ram:us-east-1:111111111111:resource-share/0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"
)

// core is the share of a gateway with beta.
func core(change ...func(*share.Share)) share.Share {
	s := share.Share{ARN: arn, Name: "core", Owner: event.Place{Account: alpha, Region: "us-east-1"}, Status: "ACTIVE",
		Gateways: []string{gateway}, Principals: map[string]string{beta: "ASSOCIATED"}}
	for _, c := range change {
		c(&s)
	}
	return s
}

// member is a receiver in the organization.
func member(id, association string, change ...func(*share.Receiver)) share.Receiver {
	r := share.Receiver{AccountFacts: workflow.AccountFacts{ID: id, Organization: "o-1"}, Association: association}
	for _, c := range change {
		c(&r)
	}
	return r
}

func sees(r *share.Receiver) { r.Sees = true }

func invited(status string, allowed bool) func(*share.Receiver) {
	return func(r *share.Receiver) {
		r.Invitation = share.Invitation{ARN: "invitation-" + r.ID, Status: status}
		r.Accept = policy.Decision{Action: policy.AcceptShare, Allowed: allowed, Policy: "p"}
	}
}

func asks(r *share.Receiver) { r.Asks = true }

func outside(r *share.Receiver) { r.Organization = "" }
func closed(r *share.Receiver)  { r.Closed = "assuming a role in " + r.ID + ": access denied" }

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		share     share.Share
		receivers []share.Receiver
		want      workflow.Answer
		says      string
	}{
		"inside the organization, seen":               {core(), []share.Receiver{member(beta, "ASSOCIATED", sees)}, workflow.AnswerAnnounce, "has " + gateway},
		"inside the organization, not seen yet":       {core(), []share.Receiver{member(beta, "ASSOCIATED")}, workflow.AnswerWait, "does not see"},
		"on its way":                                  {core(), []share.Receiver{member(beta, "ASSOCIATING")}, workflow.AnswerWait, "does not see"},
		"invited, the policy allows":                  {core(), []share.Receiver{member(beta, "ASSOCIATING", invited("PENDING", true), asks)}, workflow.AnswerAccept, "accepted by policy p"},
		"invited, allowed, and nobody asks":           {core(), []share.Receiver{member(beta, "ASSOCIATING", invited("PENDING", true))}, workflow.AnswerNothing, "none of its VPCs asks for " + gateway},
		"one asks, one does not":                      {core(), []share.Receiver{member(beta, "ASSOCIATING", invited("PENDING", true)), member(gamma, "ASSOCIATING", invited("PENDING", true), asks)}, workflow.AnswerAccept, "accepted"},
		"invited, the policy does not":                {core(), []share.Receiver{member(beta, "ASSOCIATING", invited("PENDING", false))}, workflow.AnswerRefuse, "refused by policy p"},
		"invited to more than gateways":               {core(func(s *share.Share) { s.Others = []string{"arn:subnet"} }), []share.Receiver{member(beta, "ASSOCIATING", invited("PENDING", true), asks)}, workflow.AnswerRefuse, "holds more than transit gateways (arn:subnet)"},
		"accepted, not seen yet":                      {core(), []share.Receiver{member(beta, "ASSOCIATING", invited("ACCEPTED", true))}, workflow.AnswerWait, "does not see"},
		"expired":                                     {core(), []share.Receiver{member(beta, "ASSOCIATING", invited("EXPIRED", true))}, workflow.AnswerExpired, "can take the account out of the share and add it again"},
		"expired, and taken out of the share":         {core(), []share.Receiver{member(beta, "DISASSOCIATED", invited("EXPIRED", true))}, workflow.AnswerExpired, "expired"},
		"rejected":                                    {core(), []share.Receiver{member(beta, "ASSOCIATING", invited("REJECTED", true))}, workflow.AnswerRejected, "rejected"},
		"the share is deleted, and says what it held": {core(func(s *share.Share) { s.Status, s.Gateways, s.Ended = "DELETED", nil, []string{gateway} }), []share.Receiver{member(beta, "DISASSOCIATED")}, workflow.AnswerAnnounce, "not shared with account 222222222222 any more"},
		"the gateway is taken out of the share":       {core(func(s *share.Share) { s.Gateways, s.Ended = nil, []string{gateway} }), []share.Receiver{member(beta, "ASSOCIATED")}, workflow.AnswerAnnounce, "holds " + gateway + " no more"},
		"it never held one":                           {core(func(s *share.Share) { s.Status, s.Gateways = "DELETED", nil }), []share.Receiver{member(beta, "DISASSOCIATED")}, workflow.AnswerNothing, "holds no transit gateway"},
		"taken out of the share":                      {core(), []share.Receiver{member(beta, "DISASSOCIATED")}, workflow.AnswerAnnounce, "not shared with account 222222222222 any more"},
		"the share is deleted":                        {core(func(s *share.Share) { s.Status = "DELETED" }), []share.Receiver{member(beta, "ASSOCIATED", sees)}, workflow.AnswerAnnounce, "any more"},
		"the share is gone":                           {share.Share{ARN: arn, Owner: event.Place{Account: alpha}}, nil, workflow.AnswerAnnounce, "is no more"},
		"a share without gateways":                    {core(func(s *share.Share) { s.Gateways = nil }), []share.Receiver{member(beta, "ASSOCIATED")}, workflow.AnswerNothing, "holds no transit gateway"},
		"nobody":                                      {core(), nil, workflow.AnswerNothing, "names no other account"},
		"a receiver outside":                          {core(), []share.Receiver{member(beta, "ASSOCIATING", outside)}, workflow.AnswerNothing, "outside the organization"},
		"a receiver that lets nobody in":              {core(), []share.Receiver{member(beta, "ASSOCIATED", closed)}, workflow.AnswerNothing, "access denied"},
		"an account of a unit that has it":            {core(), []share.Receiver{member(gamma, "", sees)}, workflow.AnswerAnnounce, "has " + gateway},
		"an account that the share does not reach":    {core(), []share.Receiver{member(gamma, "")}, workflow.AnswerNothing, "does not reach"},
		"RAM failed":                                  {core(), []share.Receiver{member(beta, "FAILED")}, workflow.AnswerNothing, "could not share"},
		"one invited, one waits":                      {core(), []share.Receiver{member(beta, "ASSOCIATED"), member(gamma, "ASSOCIATING", invited("PENDING", true), asks)}, workflow.AnswerAccept, "accepted"},
		"one refused, one has it":                     {core(), []share.Receiver{member(beta, "ASSOCIATING", invited("PENDING", false)), member(gamma, "ASSOCIATED", sees)}, workflow.AnswerAnnounce, "333333333333 has"},
		"one outside, one has it":                     {core(), []share.Receiver{member(beta, "ASSOCIATING", outside), member(gamma, "ASSOCIATED", sees)}, workflow.AnswerAnnounce, "; account 222222222222 is outside"},
	} {
		t.Run(name, func(t *testing.T) {
			v := share.Judge(c.share, c.receivers)
			if v.Answer != c.want || !strings.Contains(v.Reason, c.says) {
				t.Errorf("got %+v, want %s because %q", v, c.want, c.says)
			}
			if v.Answer == workflow.AnswerAccept && c.receivers[v.Receiver].Invitation.Status != "PENDING" {
				t.Errorf("receiver %d is not invited", v.Receiver)
			}
			backwards := slices.Clone(c.receivers)
			slices.Reverse(backwards)
			if again := share.Judge(c.share, backwards); again.Answer != v.Answer {
				t.Errorf("in another order: %s", again.Answer)
			}
		})
	}
}

func TestOver(t *testing.T) {
	left, stays := member(gamma, "DISASSOCIATED", closed), member(beta, "ASSOCIATED", sees)
	for name, c := range map[string]struct {
		share     share.Share
		receivers []share.Receiver
		want      string
		all       bool
	}{
		"one left, and lets nobody in": {core(), []share.Receiver{stays, left}, "[" + gamma + "]", false},
		"nobody left":                  {core(), []share.Receiver{stays}, "[]", false},
		"the share is deleted":         {core(func(s *share.Share) { s.Status = "DELETED" }), []share.Receiver{stays}, "[]", true},
		"the share is no more":         {share.Share{ARN: arn}, nil, "[]", true},
	} {
		if got := share.Over(c.share, c.receivers); fmt.Sprint(got) != c.want || (got == nil) != c.all {
			t.Errorf("%s: got %v, all %v", name, got, got == nil)
		}
	}
}

func TestSortTellsGatewaysFromOthers(t *testing.T) {
	gateways, others := share.Sort([]string{"arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1", "arn:aws:ec2:us-east-1:111111111111:transit-gateway/" + gateway,
		"arn:aws:ec2:us-east-1:111111111111:transit-gateway/" + gateway, "arn:aws:ec2:us-east-1:111111111111:transit-gateway/tgw-x"})
	if fmt.Sprint(gateways) != "["+gateway+"]" || len(others) != 2 {
		t.Errorf("got %v and %v", gateways, others)
	}
}

func TestAccountsAreThoseNamedAndTheOneThatTheEventIsAbout(t *testing.T) {
	s := core(func(s *share.Share) {
		s.Principals["arn:aws:organizations::123456789012:ou/o-1/ou-1"] = "ASSOCIATED"
		s.Principals[alpha] = "ASSOCIATED"
	})
	if got := fmt.Sprint(share.Accounts(s, gamma)); got != "["+beta+" "+gamma+"]" {
		t.Errorf("got %s", got)
	}
	if got := fmt.Sprint(share.Accounts(s, alpha)); got != "["+beta+"]" {
		t.Errorf("the owner is no receiver: %s", got)
	}
}

func TestATagAsksByIDOrByName(t *testing.T) {
	for _, c := range []struct {
		tag, name string
		want      bool
	}{{gateway, "", true}, {"core", "core", true}, {"core", "edge", false}, {"", "", false}} {
		if share.Asks(c.tag, gateway, c.name) != c.want {
			t.Errorf("%+v", c)
		}
	}
}

func TestTold(t *testing.T) {
	s := share.Share{ARN: arn, Status: "ACTIVE", Owner: event.Place{Account: "111111111111", Region: "eu-west-1"},
		Principals: map[string]string{"222222222222": "ASSOCIATED", "arn:aws:organizations::123456789012:ou/o-abc1234567/ou-ab12-11111111": "ASSOCIATED"}}
	for at, told := range map[string]bool{"111111111111": true, "222222222222": true, "333333333333": false} {
		if why := share.Told(s, at); (why != "") != told {
			t.Errorf("in %s: %q, want told %v", at, why, told)
		}
	}
	for _, status := range []string{"DISASSOCIATED", "FAILED", ""} {
		if s.Principals["222222222222"] = status; share.Told(s, "222222222222") != "" {
			t.Errorf("%q: told, but no call may have told of it", status)
		}
	}
}
