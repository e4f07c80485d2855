package policy_test

import (
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// core is a transit gateway of the owner of data.
func core(tags ...string) policy.Gateway {
	return policy.Gateway{ID: "tgw-0123456789abcdef0", Region: "us-east-1", Tags: tagged(append(tags, "Name=core")...), Account: data().Account}
}

func asking(value string) policy.VPC {
	v := analytics()
	v.Tags = tagged("drawbridge:attach=" + value)
	return v
}

func TestDefaultPolicyAboutGateways(t *testing.T) {
	set := policy.Default()
	generous := mustParse(t, policy.DefaultText()+`@id("accept-all") permit (principal, action == Drawbridge::Action::"AcceptAttachment", resource);`)
	outside := asking("core")
	outside.Account = stranger().Account
	nameless := core()
	delete(nameless.Tags, "Name")
	for name, c := range map[string]struct {
		got  policy.Decision
		want string
	}{
		"a VPC without the tag":               {set.Attach(analytics(), core(), policy.Context{}), "false Attach default-deny"},
		"a tag that names another":            {set.Attach(asking("edge"), core(), policy.Context{}), "false Attach default-deny"},
		"an empty tag and a nameless gateway": {set.Attach(asking(""), nameless, policy.Context{}), "false Attach default-deny"},
		"a stranger with the tag":             {set.Attach(outside, core(), policy.Context{}), "false Attach within-organization"},
		"a tag with the id":                   {set.Attach(asking("tgw-0123456789abcdef0"), core(), policy.Context{}), "true Attach attach-tagged"},
		"a tag with the name":                 {set.Attach(asking("core"), core(), policy.Context{}), "true Attach attach-tagged"},
		"a gateway never":                     {set.AnswerAttachment(analytics(), core("drawbridge:accept=never"), policy.Context{Approval: "approved"}), "false AskAttachment attachment-never"},
		"its owner rejected":                  {set.AnswerAttachment(analytics(), core("drawbridge:accept=auto"), policy.Context{Approval: "rejected"}), "false AskAttachment attachment-never"},
		"a stranger, though the gateway does": {set.AnswerAttachment(outside, core("drawbridge:accept=auto"), policy.Context{}), "false AskAttachment within-organization"},
		"a gateway takes everybody":           {set.AnswerAttachment(analytics(), core("drawbridge:accept=auto"), policy.Context{}), "true AcceptAttachment attachment-accepted"},
		"its owner approved":                  {set.AnswerAttachment(analytics(), core(), policy.Context{Approval: "approved"}), "true AcceptAttachment attachment-accepted"},
		"its owner is asked":                  {set.AnswerAttachment(analytics(), core(), policy.Context{}), "true AskAttachment attachment-ask"},
		"a gateway that asks":                 {generous.AnswerAttachment(analytics(), core("drawbridge:accept=ask"), policy.Context{}), "true AskAttachment attachment-ask"},
		"a gateway that asked":                {generous.AnswerAttachment(analytics(), core("drawbridge:accept=ask"), policy.Context{Approval: "approved"}), "true AcceptAttachment attachment-accepted"},
		"nothing is rejected by itself":       {set.RejectAttachment(analytics(), core("drawbridge:accept=never"), policy.Context{}), "false RejectAttachment default-deny"},
		"what its owner rejected is":          {set.RejectAttachment(analytics(), core(), policy.Context{Approval: "rejected"}), "true RejectAttachment reject-as-told"},
		"a gateway without a Region":          {set.Attach(asking("tgw-1"), policy.Gateway{ID: "tgw-1", Account: data().Account}, policy.Context{}), "false Attach missing-facts"},
		"a share of a stranger":               {set.AcceptShare(participant(stranger()), participant(data()), policy.Context{}), "false AcceptShare within-organization"},
		"a share with a stranger":             {set.AcceptShare(participant(data()), participant(stranger()), policy.Context{}), "false AcceptShare within-organization"},
		"a share within the organization":     {set.AcceptShare(participant(analytics()), participant(data()), policy.Context{}), "true AcceptShare accept-share"},
		"a share of which no Region is known": {set.AcceptShare(policy.Participant{Account: data().Account}, participant(data()), policy.Context{}), "false AcceptShare missing-facts"},
	} {
		if got := fmt.Sprint(c.got.Allowed, " ", c.got.Action, " ", c.got.Policy); got != c.want {
			t.Errorf("%s: got %s (%s), want %s", name, got, c.got.Reason, c.want)
		}
	}
}

func participant(v policy.VPC) policy.Participant {
	return policy.Participant{Region: "us-east-1", Account: v.Account}
}

// A policy about shares and gateways can speak of where accounts belong.
func TestAPolicyAboutSharesSpeaksOfUnits(t *testing.T) {
	set := mustParse(t, `
		@id("share") permit (principal in Drawbridge::OU::"ou-ab12-data", action == Drawbridge::Action::"AcceptShare", resource in Drawbridge::Account::"111111111111");
		@id("attach") permit (principal, action == Drawbridge::Action::"Attach", resource in Drawbridge::OU::"ou-ab12-data") when { resource.name == "core" };`)
	if d := set.AcceptShare(participant(data()), participant(analytics()), policy.Context{}); !d.Allowed {
		t.Errorf("got %+v", d)
	}
	if d := set.AcceptShare(participant(analytics()), participant(data()), policy.Context{}); d.Allowed {
		t.Errorf("the other way: %+v", d)
	}
	if d := set.Attach(analytics(), core(), policy.Context{}); !d.Allowed {
		t.Errorf("got %+v", d)
	}
}
