package stories

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// amendments are the stories about a policy that changes.
var amendments = []tale{
	{
		name:  "policy-withdrawn",
		title: "A policy does not allow a connection any more",
		about: `
As in s1-peering.md. Then the operators forbid routes to alpha's account. No event says so; the next sweep looks at the
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
		acts: []act{{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Refused"}}},
		also: nothingPrivateLeft,
	},
}

// forbidRoutes forbids routes for the consumer's account, until the story is over, and starts a sweep.
func forbidRoutes(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	forbid(ctx, t, w, policy.Route)
	startSweep(ctx, t, w)
}

// forbid forbids the consumer's account an action, until the story is over.
func forbid(ctx context.Context, t *testing.T, w *scenario.World, action policy.Action) {
	t.Helper()
	client := ssm.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	name := aws.String("/drawbridge/policy")
	before, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: name})
	done(t, err)
	more := fmt.Sprintf(`
@id("alpha-is-leaving")
forbid (principal, action == Drawbridge::Action::%q, resource) when { principal.account == %q };`, action, w.Consumer.Account)
	if strings.Contains(*before.Parameter.Value, more) {
		return // the act is played again
	}
	put := func(ctx context.Context, text string) error {
		_, err := client.PutParameter(ctx, &ssm.PutParameterInput{Name: name, Value: &text, Overwrite: aws.Bool(true)})
		return err
	}
	done(t, put(ctx, *before.Parameter.Value+more))
	t.Cleanup(func() { done(t, put(context.Background(), *before.Parameter.Value)) })
}
