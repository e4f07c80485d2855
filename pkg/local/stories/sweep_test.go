package stories

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// sweeps are the stories about events that never came.
var sweeps = []tale{
	{
		name:  "sweep-everywhere",
		title: "A sweep visits every account of the organization",
		acts: []act{
			{"Somebody starts drawbridge-sweep for a Region in which nothing is.", sweepEverywhere, []string{"Swept"}},
		},
		unruly: true,
	},
	{
		name:  "sweep-request",
		title: "A sweep finds the request that no event announced",
		about: `
As in s1-peering.md, but alpha's forwarding rule is switched off: the event of the request is lost. The next sweep finds
the pending request where its accepter is and asks for a look at it; the second one looks at the connection again.`,
		prepare: deafen,
		acts: []act{
			request(),
			{"The clock starts drawbridge-sweep.", startSweep, []string{"PartlySwept", "Connected"}},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"PartlySwept", "Connected"}},
		},
		connected: true, // no fault strikes it: an account that cannot be swept is told, and the sweep ends PartlySwept
	},
	{
		name:  "sweep-drift",
		title: "A sweep repairs what somebody took away",
		about: `
As in s1-peering.md. Then somebody deletes a route that Drawbridge added. That event starts nothing, since owners may do
as they like; the next sweep looks at the connection and puts the route back.`,
		acts: []act{
			request("Connected"),
			{"The owner of beta deletes the route to alpha from a table.", removeRoute, []string{"Announced", "Connected", "Nothing"}},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Swept", "Connected"}},
		},
		connected: true,
	},
	{
		name:  "sweep-leftovers",
		title: "A sweep takes away what a lost event left behind",
		about: `
As in s1-peering.md. Then alpha's forwarding rule is switched off and alpha's owner deletes the peering: that event is
lost. The next sweep finds Drawbridge's status on the deleted peering, on both sides, and everything goes.`,
		acts: []act{
			request("Connected"),
			{"The owner of alpha deletes the peering; the event is lost.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				deafen(ctx, t, w)
				remove(false)(ctx, t, w)
			}, nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"InSync", "PartlySwept", "Removed"}},
		},
		unruly: true, // each side has the status, so two executions take the same away
	},
	{
		name:  "sweep-partly",
		title: "A sweep goes on where one account fails",
		about: `
As in sweep-request.md, but alpha, which comes first, refuses to list its peerings. The request is found in beta all the
same, and people are told once that alpha was not swept.`,
		prepare: deafen,
		fault: func(w *scenario.World) local.Injector {
			return func(c awscall.Call, when local.Moment) *local.Fault {
				if when != local.Before || c.Function != "drawbridge-sweep-account" || c.Action != "DescribeVpcPeeringConnections" || c.Account != w.Consumer.Account {
					return nil
				}
				return &local.Fault{Status: 403, Code: "UnauthorizedOperation", Message: "no identity-based policy allows the action"}
			}
		},
		acts: []act{
			request(),
			{"The clock starts drawbridge-sweep.", startSweep, []string{"PartlySwept", "Connected"}},
		},
		connected: true,
		also:      toldOnce("drawbridge-tally-sweep"),
		unruly:    true,
	},
	{
		name:    "sweep-asked-once",
		title:   "A sweep does not ask again",
		about:   "A request waits for its owner's approval. A sweep looks at it, and tells nobody again.",
		change:  func(s *scenario.Spec) { s.Accept = "ask" },
		prepare: deafen,
		acts: []act{
			request(),
			{"The clock starts drawbridge-sweep.", startSweep, []string{"PartlySwept", "AwaitingApproval"}},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"PartlySwept", "AwaitingApproval"}},
		},
		also:   toldOnce("drawbridge-ask-approval"),
		unruly: true,
	},
	{
		name:  "sweep-stuck",
		title: "A request waits too long, and expires",
		about: `
A request waits for its owner's approval. After four days a sweep reminds people, once. After a week AWS ends the request;
no event says so, but the next sweep finds it, takes the status away and tells people, once.`,
		change: func(s *scenario.Spec) { s.Accept = "" },
		acts: []act{
			request("AwaitingApproval"),
			{"Four days pass. The clock starts drawbridge-sweep.", daysLater(4), []string{"Swept", "AwaitingApproval"}},
			{"The next day it starts again.", daysLater(1), []string{"Swept", "AwaitingApproval"}},
			{"Three days later the request has expired. The clock starts drawbridge-sweep.", daysLater(3), []string{"Expired", "Swept"}},
			{"The next day nothing is left to say.", startSweep, []string{"Swept"}},
		},
	},
	{
		name:  "sweep-notebook",
		title: "A sweep brings a notebook back in line",
		about: `
As in s1-peering.md. Then the owner saves the on-start script anew, without Drawbridge's block; nobody hears of that. The
next sweep finds the notebook without its host routes.`,
		acts: []act{
			request("Connected"),
			{"The owner of alpha saves the script of the notebook as it was.", restore, []string{"Announced", "InSync"}},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Connected", "Swept"}},
		},
		connected: true,
		unruly:    true, // the connection and the notebook are looked at side by side
	},
}

// deafen switches off the rule that forwards the consumer's peering events.
func deafen(ctx context.Context, t *testing.T, w *scenario.World) {
	client := eventbridge.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	if _, err := client.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: aws.String("drawbridge-forward-peering")}); err != nil {
		t.Fatal(err)
	}
}

// daysLater lets days pass for the request, and then starts a sweep.
func daysLater(days int) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		if err := engine.Age(ctx, w.Connection, time.Duration(days)*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		startSweep(ctx, t, w)
	}
}

// startSweep starts a sweep of the two accounts of the world; the engine has those of all stories.
func startSweep(ctx context.Context, t *testing.T, w *scenario.World) {
	accounts := []string{w.Consumer.Account, w.Producer.Account}
	sweep(ctx, t, workflow.Sweep{Accounts: slices.Compact(accounts), Regions: []string{engine.Region()}})
}

// sweepEverywhere starts a sweep of all the accounts that the engine knows, where it can find nothing.
func sweepEverywhere(ctx context.Context, t *testing.T, _ *scenario.World) {
	sweep(ctx, t, workflow.Sweep{Regions: []string{"ap-south-1"}})
}

func sweep(ctx context.Context, t *testing.T, s workflow.Sweep) {
	t.Helper()
	if err := asked(ctx, s); err != nil {
		t.Fatal(err)
	}
}

// asked starts a sweep.
func asked(ctx context.Context, s workflow.Sweep) error { return started(ctx, "drawbridge-sweep", s) }

// started starts a machine that visits accounts.
func started(ctx context.Context, name string, s workflow.Sweep) error {
	input, err := json.Marshal(s)
	if err != nil {
		return err
	}
	client := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	machine := arn.New(arn.Partition(engine.Region()), "states", engine.Region(), local.HubAccount, "stateMachine:"+name)
	_, err = client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(machine), Input: aws.String(string(input))})
	return err
}

// deaf switches off every rule that forwards events of the two accounts.
func deaf(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	for _, home := range []scenario.Home{w.Consumer, w.Producer} {
		if err := silence(ctx, home.Account, home.Region); err != nil {
			t.Fatal(err)
		}
	}
}

// silence switches off every rule that forwards events of an account and Region.
func silence(ctx context.Context, account, region string) error {
	client := eventbridge.NewFromConfig(engine.Config(account, region))
	rules, err := client.ListRules(ctx, &eventbridge.ListRulesInput{NamePrefix: aws.String("drawbridge-forward-")})
	if err != nil {
		return err
	}
	if len(rules.Rules) == 0 {
		return fmt.Errorf("account %s has no rule that forwards events", account)
	}
	for _, r := range rules.Rules {
		if _, err := client.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: r.Name}); err != nil {
			return err
		}
	}
	return nil
}

// restore saves the notebook's on-start script as its owner has it.
func restore(ctx context.Context, t *testing.T, w *scenario.World) {
	client := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	script := base64.StdEncoding.EncodeToString([]byte(w.Notebook.OnStart))
	if _, err := client.UpdateNotebookInstanceLifecycleConfig(ctx, &sagemaker.UpdateNotebookInstanceLifecycleConfigInput{
		NotebookInstanceLifecycleConfigName: aws.String(w.Notebook.LifecycleConfig),
		OnStart:                             []sagemakertypes.NotebookInstanceLifecycleHook{{Content: aws.String(script)}},
	}); err != nil {
		t.Fatal(err)
	}
}

// TestTheSweepAfterAnOutageRepairsEverything loses every event of four pairs of accounts, in which a request, a change, a
// removal happen and a notebook loses its host routes; after one sweep all is as if the events had come.
func TestTheSweepAfterAnOutageRepairsEverything(t *testing.T) {
	ctx := timeout(t)
	build := func(n int) *scenario.World {
		spec := scenario.S1()
		cast(&spec, n)
		w, err := spec.Build(ctx, engine.Config)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	requested, changed, removed, restored := build(9501), build(9502), build(9503), build(9504)
	before := []*scenario.World{changed, removed, restored}
	if _, err := engine.Settle(ctx, 0); err != nil {
		t.Fatal(err)
	}
	untouched := []string{snapshot(ctx, t, removed, removed.Consumer), snapshot(ctx, t, removed, removed.Producer)}
	engine.Story().Begin()
	for _, w := range before {
		if err := w.Request(ctx); err != nil {
			t.Fatal(err)
		}
	}
	ended(t, until(ctx, t, len(before)), "Connected", "Connected", "Connected")

	all := append(before, requested)
	for _, w := range all {
		deaf(ctx, t, w)
	}
	engine.Story().Begin()
	if err := requested.Request(ctx); err != nil {
		t.Fatal(err)
	}
	wholeVPCs(ctx, t, changed)
	associate("10.77.0.0/16")(ctx, t, changed)
	remove(false)(ctx, t, removed)
	restore(ctx, t, restored)
	if ends := until(ctx, t, 0); len(ends) != 0 {
		t.Fatalf("an event came through: %+v", ends)
	}

	engine.Story().Begin()
	var s workflow.Sweep
	for _, w := range all {
		s.Accounts = append(s.Accounts, w.Consumer.Account, w.Producer.Account)
	}
	s.Regions = []string{engine.Region()}
	sweep(ctx, t, s)
	ends := slices.DeleteFunc(until(ctx, t, 6), func(e story.End) bool { return met(e) || late(e) })
	ended(t, ends, "Connected", "InSync", "Removed", "PartlySwept")

	for name, w := range map[string]*scenario.World{"requested": requested, "changed": changed, "restored": restored} {
		verdict, err := w.Verdict(ctx)
		if err != nil || !scenario.Holds(verdict) {
			t.Errorf("%s is not connected: %v %+v", name, err, verdict)
		}
	}
	routed("10.77.0.0/16")(ctx, t, changed, nil)
	for n, home := range []scenario.Home{removed.Consumer, removed.Producer} {
		if now := snapshot(ctx, t, removed, home); now != untouched[n] {
			t.Errorf("the account of %s is not as before:\n%s", home.Name, difference(untouched[n], now))
		}
	}
}

// ended holds executions to the kinds of ends; each counts once.
func ended(t *testing.T, ends []story.End, want ...string) {
	t.Helper()
	var got []string
	for _, e := range ends {
		if e.Status != "SUCCEEDED" {
			t.Errorf("%s ended %s in %s: %s %s", e.Machine, e.Status, e.State, e.Error, e.Cause)
		}
		got = append(got, e.State)
	}
	slices.Sort(got)
	slices.Sort(want)
	if got, want = slices.Compact(got), slices.Compact(want); !slices.Equal(got, want) {
		t.Errorf("ended %s, want %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}
