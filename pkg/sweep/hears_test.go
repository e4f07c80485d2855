package sweep

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// hears is [Sweeper.Hears] where all events reach the hub.
func hears(context.Context, string, event.Place) (string, error) { return "", nil }

// pages are rules, a page each.
type pages [][]types.Rule

func (p pages) ListRules(_ context.Context, in *eventbridge.ListRulesInput, _ ...func(*eventbridge.Options)) (*eventbridge.ListRulesOutput, error) {
	if aws.ToString(in.NamePrefix) != forwards {
		return nil, errors.New("every rule of the account is listed")
	}
	n := len(aws.ToString(in.NextToken))
	out := &eventbridge.ListRulesOutput{Rules: p[n]}
	if n+1 < len(p) {
		out.NextToken = aws.String(strings.Repeat("x", n+1))
	}
	return out, nil
}

func TestARuleThatIsOffIsHeardOf(t *testing.T) {
	rule := func(name string, state types.RuleState) types.Rule { return types.Rule{Name: &name, State: state} }
	for name, c := range map[string]struct {
		there pages
		why   string
	}{
		"all are on":    {pages{{rule("drawbridge-forward-tag", types.RuleStateEnabled)}, {rule("drawbridge-forward-peering", types.RuleStateEnabled)}}, ""},
		"none is there": {pages{nil}, "no rule forwards events to the hub: the member stack is not deployed there"},
		"the last is off": {pages{{rule("drawbridge-forward-tag", types.RuleStateEnabled)}, {rule("drawbridge-forward-peering", types.RuleStateDisabled)}},
			"1 of 2 rules are off: drawbridge-forward-peering"},
	} {
		if why, err := Hears(t.Context(), c.there); why != c.why || err != nil {
			t.Errorf("%s: %q, %v, want %q", name, why, err, c.why)
		}
	}
}

// An account that is deaf in some Regions is swept, and told once with them.
func TestADeafAccountIsSweptAndTold(t *testing.T) {
	in := workflow.SweepAccountInput{Territory: workflow.Territory{Account: "111111111111", Regions: []string{"us-east-1", "eu-west-1", "eu-north-1"}}}
	s := Sweeper{Ledger: empty(), Hears: func(_ context.Context, _ string, at event.Place) (string, error) {
		return map[bool]string{true: "no rule"}[at.Region != "us-east-1"], nil
	}}
	out, err := s.Sweep(t.Context(), in)
	if err != nil || len(out.Deaf) != 1 || !slices.Equal(out.Deaf[0].Regions, []string{"eu-west-1", "eu-north-1"}) {
		t.Fatalf("%+v, %v", out, err)
	}
	tally := Count(workflow.Tally{}, []workflow.Territory{in.Territory}, []*workflow.Visit{{SweepAccountOutput: out}})
	if len(tally.Deaf) != 1 || len(tally.Failed) != 0 {
		t.Fatalf("%+v", tally)
	}
	o := &town{}
	teller := Teller{Managed: func(context.Context, int) error { return nil }, Ledger: empty(), Bus: notice.Bus{API: o}, Topic: notice.Topic{API: o}}
	if out, err := teller.Tally(t.Context(), workflow.TallySweepInput{Accounts: []workflow.Territory{in.Territory}, Visits: []*workflow.Visit{{SweepAccountOutput: out}}}); err != nil ||
		out.Answer != workflow.Answer(workflow.PartlySwept) || len(o.did) != 2 {
		t.Errorf("%+v, %v, and told %v", out, err, o.did)
	}
	a := notice.PartlySwept("x", "arn:aws:states:us-east-1:123456789012:execution:drawbridge-sweep:x", tally)
	if a.What != "the events of 1 of 1 accounts do not all reach the hub" || a.Why != "111111111111 eu-west-1 eu-north-1: no rule" {
		t.Errorf("%q, %q", a.What, a.Why)
	}
}
