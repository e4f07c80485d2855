package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
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

// keptOut are the stories about a policy that forbids owners to keep things out, and allows it.
var keptOut = []tale{
	{
		name:  "exclude-forbidden",
		title: "A policy forbids to keep a subnet and a route table out",
		about: `
As in reach-none.md, where the owner of beta keeps the second of the database's subnets out and the owner of alpha the route table of the notebook, from the beginning.
But the operators forbid that: both are connected, and each owner is told that the tag does not hold, and by which policy. Then the operators allow it, and the next sweep
takes away what is kept out.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			forbidExcluding(ctx, t, w)
			reachTag(ctx, t, producer(w), "none", w.ProducerNetwork.Subnets[1])
			reachTag(ctx, t, consumer(w), "none", w.ConsumerNetwork.Tables[0])
		},
		acts: []act{
			request("Connected"),
			{"The operators allow it. The clock starts drawbridge-sweep.", allowExcluding, []string{"Swept", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: each(leads("10.2.0.0/23", "", ""), tellsOf(0, tableOfNotebook, true), tellsOf(1, subnetOfDatabase, true)),
			2: each(leads("", "", ""), tellsOf(0, tableOfNotebook, false), tellsOf(1, subnetOfDatabase, false)),
		},
	},
	{
		name:  "exclude-group-forbidden",
		title: "A policy comes to forbid that a database's security group is kept out",
		about: `
As in reach-group.md: the owner of beta keeps the only security group of the database out, and nothing is opened. Then the operators forbid that. The next sweep looks at
the connection, the group is opened, and its owner is told that the tag does not hold, and by which policy. Then the operators allow it again, and what was opened goes.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			reachTag(ctx, t, producer(w), "none", w.ProducerNetwork.Group)
		},
		acts: []act{
			request("PartlyConnected"),
			{"The operators forbid that. The clock starts drawbridge-sweep.", sweptAfter(forbidExcluding), []string{"Swept", "Connected"}},
			{"The operators allow it again. The clock starts drawbridge-sweep.", allowExcluding, []string{"Swept", "PartlyConnected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: each(admitsAlone("database"), leads("", "", ""), tellsOf(1, groupOfDatabase, false)),
			2: each(admitsAlone("database", 3306), leads("10.2.0.0/23", "", ""), tellsOf(1, groupOfDatabase, true)),
			3: each(admitsAlone("database"), leads("", "", ""), tellsOf(1, groupOfDatabase, false)),
		},
	},
	{
		name:  "exclude-gateway-forbidden",
		title: "A policy forbids to keep security groups out over a transit gateway",
		about: `
As in reach-group-gateway.md, but the owners of alpha and beta keep the groups of the function and of the database out from the beginning, and the operators forbid that: the
function is let out, and both clients are let in. Then the operators allow it, and all of that goes.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			attachedPair(ctx, t, w)
			settled(ctx, t)
			forbidExcluding(ctx, t, w)
			reachTag(ctx, t, consumer(w), "none", w.FunctionGroup)
			reachTag(ctx, t, producer(w), "none", w.ProducerNetwork.Group)
			settled(ctx, t)
		},
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The operators allow it. The pair of VPCs wants a look, and after that another one.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				edit(ctx, t, func(text string) string { return strings.ReplaceAll(text, islands(w), "") })
				look(nil)(ctx, t, w)
			}, []string{"Connected", "PartlyConnected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: each(marked(consumer, groupOfFunction, 1), marked(producer, groupOfDatabase, 2)),
			2: each(marked(consumer, groupOfFunction, 0), marked(producer, groupOfDatabase, 0)),
		},
	},
	{
		name:  "exclude-participant",
		title: "A participant keeps its group out, and a policy forbids that",
		about: `
As in shared-vpc.md, but only beta shares its subnets. Account 444444444444, which has the database books there, keeps the security group of books out by the tag
drawbridge:reach=none: it stays closed, and beta's own database is opened. Then the operators forbid that, and books is opened.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			sharesSubnets(ctx, t, w, w.Producer, w.ProducerNetwork, takesPart("4", w))
			books(ctx, t, w)
			reachTag(ctx, t, ec2.NewFromConfig(engine.Config(takesPart("4", w), w.Producer.Region)), "none", noteGroup(ctx, t, w, takesPart("4", w), w.ProducerNetwork.VPC, "books"))
			settled(ctx, t)
		},
		acts: []act{
			request("PartlyConnected"),
			{"The operators forbid that. The clock starts drawbridge-sweep.", sweptAfter(forbidExcluding), []string{"Swept", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: each(opensBooks(0, false), admitsAlone("database", 3306)),
			2: each(opensBooks(0, true), admitsAlone("database", 3306)),
		},
		connected: true,
	},
}

// islands forbids to keep things out of what is connected with one of the two owners.
func islands(w *scenario.World) string {
	return fmt.Sprintf(`
@id("no-islands")
forbid (principal, action == Drawbridge::Action::%q, resource) when { [%q, %q].contains(principal.account) };`, policy.Exclude, w.Consumer.Account, w.Producer.Account)
}

// forbidExcluding forbids the two owners to keep things out, until the story is over.
func forbidExcluding(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	edit(ctx, t, func(text string) string { return strings.ReplaceAll(text, islands(w), "") + islands(w) })
	t.Cleanup(func() {
		edit(context.Background(), t, func(text string) string { return strings.ReplaceAll(text, islands(w), "") })
	})
}

// allowExcluding takes that back, and starts a sweep.
func allowExcluding(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	edit(ctx, t, func(text string) string { return strings.ReplaceAll(text, islands(w), "") })
	startSweep(ctx, t, w)
}

// sweptAfter starts a sweep after something.
func sweptAfter(first func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		first(ctx, t, w)
		startSweep(ctx, t, w)
	}
}

func tableOfNotebook(w *scenario.World) string  { return w.ConsumerNetwork.Tables[0] }
func subnetOfDatabase(w *scenario.World) string { return w.ProducerNetwork.Subnets[1] }

// tellsOf holds what the owners are told by the tags of the peering to whether it says that a thing is not kept out, and by which policy: to the owner of side 0 or 1, whose
// it is, and not to the other.
func tellsOf(side int, of func(*scenario.World) string, want bool) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		for n, tags := range peeringTags(ctx, t, w) {
			said := tags["drawbridge:reason"]
			if told := strings.Contains(said, of(w)+": not kept out") && strings.Contains(said, "no-islands"); told != (want && n == side) {
				t.Errorf("on side %d the peering says %q of %s", n, said, of(w))
			}
		}
	}
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
