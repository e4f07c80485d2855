package sweep

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// forwards begins the name of each rule of a member that forwards events to the hub.
const forwards = "drawbridge-forward-"

// RuleLister is what [Hears] needs of EventBridge.
type RuleLister interface {
	ListRules(context.Context, *eventbridge.ListRulesInput, ...func(*eventbridge.Options)) (*eventbridge.ListRulesOutput, error)
}

// Hears says why the events of an account and Region do not all reach the hub: the member stack is not there, or somebody turned off a rule of it. It is ""
// if they do. One ListRules for 100 rules. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html
func Hears(ctx context.Context, api RuleLister) (string, error) {
	in := &eventbridge.ListRulesInput{NamePrefix: aws.String(forwards)}
	seen, off := 0, []string(nil)
	for {
		page, err := api.ListRules(ctx, in)
		if err != nil {
			return "", fmt.Errorf("listing the rules that forward events: %w", err)
		}
		seen += len(page.Rules)
		for _, r := range page.Rules {
			if r.State == types.RuleStateDisabled {
				off = append(off, aws.ToString(r.Name))
			}
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			break
		}
	}
	switch {
	case seen == 0:
		return "no rule forwards events to the hub: the member stack is not deployed there", nil
	case len(off) > 0:
		return fmt.Sprintf("%d of %d rules are off: %s", len(off), seen, strings.Join(off, ", ")), nil
	}
	return "", nil
}
