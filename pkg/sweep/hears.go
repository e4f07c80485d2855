package sweep

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// forwards begins the name of each rule of a member that forwards events to the hub.
const forwards = "drawbridge-forward-"

// RuleLister is what [RuleStates] needs of EventBridge.
type RuleLister interface {
	ListRules(context.Context, *eventbridge.ListRulesInput, ...func(*eventbridge.Options)) (*eventbridge.ListRulesOutput, error)
}

// RuleStates returns the rules of a bus whose names begin so, each with whether it is on. No bus is the account's own. One ListRules for 100 rules.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html
func RuleStates(ctx context.Context, api RuleLister, bus, prefix string) (map[string]bool, error) {
	in := &eventbridge.ListRulesInput{NamePrefix: &prefix}
	if bus != "" {
		in.EventBusName = &bus
	}
	out := map[string]bool{}
	for {
		page, err := api.ListRules(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Rules {
			out[aws.ToString(r.Name)] = r.State != types.RuleStateDisabled
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return out, nil
		}
	}
}

// Hears says why the events of an account and Region do not all reach the hub: the member stack is not there, or somebody turned off a rule of it. It is ""
// if they do.
func Hears(ctx context.Context, api RuleLister) (string, error) {
	rules, err := RuleStates(ctx, api, "", forwards)
	if err != nil {
		return "", fmt.Errorf("listing the rules that forward events: %w", err)
	}
	var off []string
	for name, on := range rules {
		if !on {
			off = append(off, name)
		}
	}
	slices.Sort(off)
	switch {
	case len(rules) == 0:
		return "no rule forwards events to the hub: the member stack is not deployed there", nil
	case len(off) > 0:
		return fmt.Sprintf("%d of %d rules are off: %s", len(off), len(rules), strings.Join(off, ", ")), nil
	}
	return "", nil
}
