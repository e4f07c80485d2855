package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// amendments are the stories about a policy that changes.
var amendments = []tale{
	{
		name:  "policy-withdrawn",
		title: "A policy does not allow a connection any more",
		about: `
As in s1-peering.md. Then the operators forbid routes to alpha's account. The next sweep looks at the
connection, and what Drawbridge added goes, on both sides. The peering is its owners' and stays. The sweep after that
only says that it is refused.`,
		acts: []act{
			request("Connected"),
			{"The operators forbid routes for alpha. The clock starts drawbridge-sweep.", forbidRoutes, []string{"Swept", "Removed"}},
			{"The next day it starts again.", startSweep, []string{"Swept", "Refused"}},
		},
		struck: []int{2},
		owing:  true, // a new execution says what the sweep of the next day does
	},
	{
		name:  "private-refused",
		title: "The policy allows no private notebooks",
		about: `
As in private-notebooks.md, but the operators forbid alpha's account to have them. Nothing is made, and an event says that it
is refused.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			privateWorld(ctx, t, w)
			forbid(ctx, t, w, policy.Expose)
		},
		acts: []act{{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Refused"}}},
		also: nothingPrivateLeft,
	},
}

// policyEvents are the stories about Parameter Store's event that the policy was changed.
var policyEvents = []tale{
	{
		name:  "policy-event",
		title: "A policy that is changed is in force at once",
		about: `
As in s1-peering.md. Then the operators forbid routes to alpha's account, and later allow them again. Parameter Store says each
time that the policy was changed, and that starts a sweep. A text that cannot be read stops the sweep at its start. (It would sweep the accounts of all stories, so the input that the rule
gives it names these two.)`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			hub := eventbridge.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
			targets, err := hub.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String(policyRule)})
			done(t, err)
			input, err := json.Marshal(workflow.Sweep{Accounts: []string{w.Consumer.Account, w.Producer.Account}, Regions: []string{engine.Region()}})
			done(t, err)
			narrow := slices.Clone(targets.Targets)
			narrow[0].Input = aws.String(string(input))
			_, err = hub.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String(policyRule), Targets: narrow})
			done(t, err)
			_, err = hub.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: aws.String(policyRule)})
			done(t, err)
			t.Cleanup(func() {
				done(t, unhurried(context.Background(), engine))
				_, err := hub.PutTargets(context.Background(), &eventbridge.PutTargetsInput{Rule: aws.String(policyRule), Targets: targets.Targets})
				done(t, err)
			})
		},
		acts: []act{
			request("Connected"),
			{"The operators forbid routes for alpha.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				forbid(ctx, t, w, policy.Route)
			}, []string{"Swept", "Removed"}},
			{"The operators write a policy that is none.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				edit(ctx, t, func(text string) string { return text + noPolicy })
				t.Cleanup(func() {
					edit(context.Background(), t, func(text string) string { return strings.ReplaceAll(text, noPolicy, "") })
				})
			}, []string{"Conflict"}},
			{"The operators put the policy back as it was.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				edit(ctx, t, func(text string) string {
					return strings.NewReplacer(noPolicy, "", forbidding(w, policy.Route), "").Replace(text)
				})
			}, []string{"Swept", "Connected"}},
		},
		connected: true,
	},
}

// forbidRoutes forbids routes for the consumer's account, until the story is over, and starts a sweep.
func forbidRoutes(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	forbid(ctx, t, w, policy.Route)
	startSweep(ctx, t, w)
}

// noPolicy is a text that cannot be read.
const noPolicy = "\npermit everything;"

// forbid forbids the consumer's account an action, until the story is over.
func forbid(ctx context.Context, t *testing.T, w *scenario.World, action policy.Action) {
	t.Helper()
	edit(ctx, t, func(text string) string {
		if strings.Contains(text, forbidding(w, action)) {
			return text // the act is played again
		}
		return text + forbidding(w, action)
	})
	t.Cleanup(func() {
		edit(context.Background(), t, func(text string) string { return strings.ReplaceAll(text, forbidding(w, action), "") })
	})
}

func forbidding(w *scenario.World, action policy.Action) string {
	return fmt.Sprintf(`
@id("alpha-is-leaving")
forbid (principal, action == Drawbridge::Action::%q, resource) when { principal.account == %q };`, action, w.Consumer.Account)
}

// edit changes the policy that is in force.
func edit(ctx context.Context, t *testing.T, change func(string) string) {
	t.Helper()
	client := ssm.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	name := aws.String("/drawbridge/policy")
	held, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: name})
	done(t, err)
	text := change(*held.Parameter.Value)
	if text == *held.Parameter.Value {
		return
	}
	_, err = client.PutParameter(ctx, &ssm.PutParameterInput{Name: name, Value: &text, Overwrite: aws.Bool(true)})
	done(t, err)
}
