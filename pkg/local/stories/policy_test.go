package stories

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
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
	},
}

// forbidRoutes forbids routes for the consumer's account, until the story is over, and starts a sweep.
func forbidRoutes(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	client := ssm.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	name := aws.String("/drawbridge/policy")
	before, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: name})
	done(t, err)
	put := func(ctx context.Context, text string) error {
		_, err := client.PutParameter(ctx, &ssm.PutParameterInput{Name: name, Value: &text, Overwrite: aws.Bool(true)})
		return err
	}
	done(t, put(ctx, *before.Parameter.Value+fmt.Sprintf(`
@id("alpha-is-leaving")
forbid (principal, action == Drawbridge::Action::"Route", resource) when { principal.account == "%[1]s" };`, w.Consumer.Account)))
	t.Cleanup(func() { done(t, put(context.Background(), *before.Parameter.Value)) })
	startSweep(ctx, t, w)
}
