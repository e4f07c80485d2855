package dataapi

import (
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// letIn makes a cluster whose role lets accounts at its secret, by the ledger too.
func letIn(t *testing.T, f *Facts, accounts ...string) {
	t.Helper()
	made(f)
	api := workflow.DataAPI{Cluster: f.Cluster, Secret: workflow.Secret{ARN: secretARN, Key: keyARN}}
	for _, a := range accounts {
		api.Consumers = append(api.Consumers, consumer(a, true))
	}
	trust, err := Trust(api)
	if err != nil {
		t.Fatal(err)
	}
	rights, err := RolePolicy(api)
	if err != nil {
		t.Fatal(err)
	}
	item := rightsItem(f.Cluster, "us-east-1")
	item.State, item.Left = ledger.Confirmed, policydocument.Digest(rights)
	f.Role.Trust, f.Rights, f.Tags = string(trust), &item, map[string]string{tag.Secret: f.Secret.Name}
}

// TestWhoIsPutOutLosesItAllTheSame: what keeps a cluster from being served as it says keeps nobody in whom it names no more, and nobody at a secret that it
// does not name any more. While nobody loses anything, a person mends it, and what there is stays.
func TestWhoIsPutOutLosesItAllTheSame(t *testing.T) {
	const alpha, gamma = "111111111111", "333333333333"
	off := func(f *Facts) { f.Secret.Key.Enabled = false }
	for name, c := range map[string]struct {
		in     []string
		change func(*Facts)
		goes   bool
		why    brake.Why
	}{
		"the key is off for a while":                   {[]string{alpha}, off, false, ""},
		"the key is off, and one was taken out":        {[]string{alpha, gamma}, off, true, brake.Ended},
		"the key is off, and the policy forbids one":   {[]string{alpha, gamma}, func(f *Facts) { off(f); f.Consumers = append(f.Consumers, consumer(gamma, false)) }, true, brake.Forbidden},
		"the boundary is lost":                         {[]string{alpha}, func(f *Facts) { f.Role.Boundary = "" }, false, ""},
		"the boundary is lost, and one was taken out":  {[]string{alpha, gamma}, func(f *Facts) { f.Role.Boundary = "" }, false, ""},
		"a secret is named that is not there":          {[]string{alpha}, func(f *Facts) { f.Secret = Secret{Name: "other"} }, true, brake.Lost},
		"another secret is named, under AWS's own key": {[]string{alpha}, func(f *Facts) { f.Secret.ARN, f.Secret.Managed, f.Secret.Key = "arn:other", true, Key{} }, true, brake.Ended},
		"the role is another one":                      {[]string{alpha, gamma}, func(f *Facts) { f.Role.ID = "AROA2" }, false, ""},
		"the role is another one's path":               {[]string{alpha, gamma}, func(f *Facts) { f.Role.Path = "/" }, false, ""},
	} {
		f := world(func(f *Facts) { letIn(t, f, c.in...); c.change(f) })
		out, err := Plan(f)
		if !c.goes {
			if err == nil {
				t.Errorf("%s: %s %s, want a Conflict", name, out.Answer, out.Reason)
			}
			continue
		}
		if err != nil || out.Answer != workflow.AnswerRetract || out.Result != workflow.RefusedByPolicy || !out.DataAPI.Ends || strings.Contains(out.Reason, "redrive") {
			t.Errorf("%s: %s %s %q, %v", name, out.Answer, out.Result, out.Reason, err)
			continue
		}
		if got := Removals(f, out); len(got) != 1 || got[0].Why != c.why {
			t.Errorf("%s: the brake is asked %+v, want %s", name, got, c.why)
		}
	}
}
