package stories

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// brakes are the stories about the brake in machines beside that of peerings.
var brakes = []tale{
	{
		name:  "brake-pair",
		title: "A policy that is narrowed takes only so much away from a gateway",
		about: `
As in transit.md, up to the connection; five other connections were taken away today. Then the operators forbid routes for alpha's account by a slip.
The pair of VPCs stays connected, and people are told. They let it through by a sweep with that answer.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			attachedPair(ctx, t, w)
			fiveWent(ctx, t)
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: looked},
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The operators forbid routes for alpha, and the pair wants a look.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				forbid(ctx, t, w, policy.Route)
				look(nil)(ctx, t, w)
			}, []string{"Braked"}},
			{"The operators let it through.", letThrough, []string{"Removed", "Swept"}},
		},
	},
	{
		name:  "brake-attachment",
		title: "A cleanup of tags detaches only so many VPCs",
		about: `
As in attach.md, but five other connections were taken away today when the tag on beta's VPC goes, whoever took it. The attachment stays. Somebody sets
the tag again, and the operators dismiss what waits: all is in order.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			gateway(true)(ctx, t, w)
			fiveWent(ctx, t)
		},
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing", "Nothing", "Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "Attached"}},
			{"A cleanup takes the tag off.", attach(""), []string{"Announced", "Braked"}},
			{"The owner of beta tags the VPC again.", attach("core"), []string{"Announced", "Attached"}},
			{"The operators dismiss what waits.", dismiss, []string{"Attached", "Swept"}},
		},
		also: attachments("available"),
	},
	{
		name:  "brake-studio",
		title: "A cleanup of tags ends only so many people's reading",
		about: `
As in studio.md, but five other connections were taken away today when the tag on beta's cluster goes, whoever took it. The users of the domain
still read. The operators let it through, and alpha's role, its trust policy and the domain are as before.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			studioWorld(false)(ctx, t, w)
			fiveWent(ctx, t)
		},
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"A cleanup takes the tag away.", unshareWarehouse, []string{"Announced", "Braked"}},
			{"Ana still asks for credentials as herself; then as boris.", asAna, nil},
			{"The operators let it through.", letThrough, []string{"Removed", "Swept"}},
		},
		also: nothingOfStudioLeft,
	},
	{
		name:  "brake-database",
		title: "A cleanup of tags shuts only so many databases",
		about: `
As in s1-peering.md, but five other connections were taken away today when the tag on beta's database goes, whoever took it. The database stays open to
alpha, and people are told. The operators let it through: the rule goes, the connection stays.`,
		prepare: func(ctx context.Context, t *testing.T, _ *scenario.World) { fiveWent(ctx, t) },
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			2: func(ctx context.Context, t *testing.T, w *scenario.World) {
				opens(3306)(ctx, t, w)
				onlySaid()(ctx, t, w)
			},
		},
		acts: []act{
			request("Connected"),
			{"A cleanup takes the tag drawbridge:share off the database.", unshare, []string{"Announced", "Braked"}},
			{"The operators let it through.", letThrough, []string{"Connected", "Swept"}},
		},
		also: noRuleOfOurs,
	},
	{
		name:  "brake-role",
		title: "A cleanup of tags takes the policy off only so many roles",
		about: `
As in private-notebooks.md, but five other connections were taken away today when the tag on the scientist's role goes, whoever took it. The role keeps the
policy, and people are told. The operators let it through, and the scientist opens no notebook any more.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			privateWorld(ctx, t, w)
			fiveWent(ctx, t)
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: policyOnRole(1)},
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Private"}},
			{"A cleanup takes the tag off the scientist's role.", untagScientist, []string{"Announced", "Braked"}},
			{"The operators let it through.", letThrough, []string{"Private", "Swept"}},
		},
		unruly: true, // what was kept and what the sweep finds meet on one account
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			policyOnRole(0)(ctx, t, w)
		},
	},
	{
		name:  "brake-domain",
		title: "A cleanup of tags gives only so many domains their setting back",
		about: `
As in studio.md, but five other connections were taken away today when the tag on alpha's domain goes, whoever took it. The domain keeps the setting by
which its people identify themselves, and people are told. The operators let it through, and the setting is as it was before.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			studioWorld(false)(ctx, t, w)
			fiveWent(ctx, t)
		},
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"A cleanup takes the tag off the domain.", closeDomain, []string{"Announced", "Announced", "Braked"}},
			{"Ana still asks for credentials as herself; then as boris.", asAna, nil},
			{"The operators let it through.", letThrough, []string{"Incomplete", "Swept"}},
		},
	},
}

// policyOnRole holds a story to so many policies of private notebooks on the scientist's role.
func policyOnRole(want int) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		got, err := rolesOf(w).ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("scientist")})
		done(t, err)
		has := 0
		for _, p := range got.AttachedPolicies {
			if aws.ToString(p.PolicyArn) == privatenotebooks.PolicyARN(w.Consumer.Account, w.Consumer.Region) {
				has++
			}
		}
		if has != want {
			t.Errorf("the scientist's role has %d of the policy, want %d", has, want)
		}
	}
}

// unreadable are the stories about what cannot be read now.
var unreadable = []tale{
	{
		name:  "account-suspended",
		title: "An account is closed for a day, and nothing goes for it",
		about: `
As in s1-peering.md. Then alpha's account is closed, and AWS lets nobody in. The sweeps of that time take nothing away, on neither side; the status in beta, and
people, say once that it cannot be read now. The account is opened again, and the next sweep finds all in order.`,
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			2: onlySaid("CreateTags"), 3: onlySaid(), 4: onlySaid("CreateTags"),
		},
		acts: []act{
			request("Connected"),
			{"Alpha's account is closed. The clock starts drawbridge-sweep.", suspended("SUSPENDED"), []string{"Swept", "Unreadable"}},
			{"The next day it starts again.", startSweep, []string{"Swept", "Unreadable"}},
			{"Alpha's account is opened again. The clock starts drawbridge-sweep.", suspended(""), []string{"Connected", "Swept"}},
		},
		unruly:    true, // what was kept and what the sweep finds meet on one peering
		connected: true,
	},
	{
		name:  "no-endpoint",
		title: "A database has no endpoint for a while, and keeps its rules",
		about: `
As in s1-peering.md. Then beta's database is modified, and RDS shows no endpoint of it. The sweep takes nothing away: the verdict says that it has no
endpoint now. With the endpoint, all is in order.`,
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: onlySaid("CreateTags"), 3: onlySaid("CreateTags")},
		acts: []act{
			request("Connected"),
			{"The database is modified, and shows no endpoint. The clock starts drawbridge-sweep.", answering("modifying"), []string{"Connected", "Swept"}},
			{"The database is available again. The clock starts drawbridge-sweep.", answering(""), []string{"Connected", "Swept"}},
		},
		connected: true,
	},
}

// brakedDataAPI is the story about the brake in the Data API.
var brakedDataAPI = []dataAPITale{{
	name:  "brake-data-api",
	title: "A cleanup of tags takes the Data API from only so many",
	about: `
As in s3-data-api.md, but five other connections were taken away today when a cleanup takes the cluster's tags away. The consumer still gets through. The operators let it
through; then all is as it was.`,
	acts: []dataAPIAct{
		exposed("Exposed"),
		{"Five others went today. A cleanup takes both tags away.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
			l := table()
			l.Now = time.Now
			b := brake.Brake{Ledger: l, Limit: brake.Limit{Connections: 5}}
			for n := range 5 {
				if err := b.Ask(ctx, fmt.Sprintf("pcx-1000000%d", n), "another story"); err != nil {
					return err
				}
			}
			return w.Unshare(ctx)
		}, []string{"Announced", "Braked"}},
		{"The consumer gets through. The operators let it through.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
			if _, err := w.Query(ctx, scenario.Ask{Account: w.Consumer, Cluster: w.ClusterARN(), Secret: w.SecretARN, SQL: "SELECT 1"}); err != nil {
				return err
			}
			return asked(ctx, workflow.Sweep{Braked: "let through", Accounts: []string{w.Consumer, w.Producer}, Regions: []string{"ap-south-1"}})
		}, []string{"Retracted", "Swept"}},
	},
	restored: true,
}}

// letThrough lets through what waits, by a sweep that finds nothing else.
func letThrough(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	sweepNowhere(ctx, t, w, workflow.Sweep{Braked: "let through"})
}

// dismiss leaves what waits.
func dismiss(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	sweepNowhere(ctx, t, w, workflow.Sweep{Braked: "dismiss"})
}

// suspended lets the consumer's account be in a state, and sweeps.
func suspended(state string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		done(t, engine.Enter(ctx, w.Consumer.Account, state))
		t.Cleanup(func() { done(t, engine.Enter(context.Background(), w.Consumer.Account, "")) })
		startSweep(ctx, t, w)
	}
}

// answering lets the producer's database be in a status without an endpoint, and sweeps.
func answering(status string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		id := arn.New(arn.Partition(w.Producer.Region), "rds", w.Producer.Region, w.Producer.Account, "db:"+w.Database.Name)
		done(t, engine.Enter(ctx, id, status))
		startSweep(ctx, t, w)
	}
}

// onlySaid holds an act to calls in members that only read, and these.
func onlySaid(actions ...string) func(context.Context, *testing.T, *scenario.World) {
	return func(_ context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		members := 0
		for _, c := range engine.Story().Calls() {
			if c.Account != w.Consumer.Account && c.Account != w.Producer.Account {
				continue
			}
			if members++; !c.Reads() && c.Action != "AssumeRole" && !slices.Contains(actions, c.Action) {
				t.Errorf("%s calls %s %s in %s", c.Function, c.Name(), c.Resource, c.Account)
			}
		}
		if members == 0 {
			t.Error("nothing was looked at")
		}
	}
}
