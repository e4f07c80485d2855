package stories

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// reachedBefore is what decided who reaches whom before the gateway was shared.
var reachedBefore string

// offered lets both VPCs ask for the gateway, which nobody shares yet.
func offered(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	succeeds(t, w.Ask(ctx))
	_, err := engine.Settle(ctx, 0)
	succeeds(t, err)
	succeeds(t, w.Offer(ctx))
	reachedBefore, err = w.Reach(ctx)
	succeeds(t, err)
}

// sharedGateways is the fifth scenario from its one call to its end, where neither VPC is attached before. Two attachments
// tell of their pair: so executions meet, and what is held to is what they leave. The page s5-gateway.md has the owner's VPC
// attached before.
var sharedGateways = []tale{{
	name:  "s5-at-once",
	title: "Two VPCs are attached to a shared gateway at once",
	about: `
Account 111111111111 (alpha) owns the transit gateway core, whose tag drawbridge:accept=auto lets in whom the policy lets
in. Its VPC 10.0.0.0/16 has a Lambda function in 10.0.128.0/28, whose security group lets nothing out, and a notebook in
10.0.0.0/24. Account 222222222222 (beta) has a MySQL database in 10.1.128.0/28 with the tag drawbridge:share=true. Both
VPCs ask for the gateway by the tag drawbridge:attach=core. Nothing is attached, and nothing connects them.`,
	change:  onGateway,
	prepare: offered,
	acts: []act{
		{"The owner of alpha shares the gateway with beta: ram CreateResourceShare.", func(ctx context.Context, t *testing.T, w *scenario.World) {
			succeeds(t, w.Lend(ctx))
		}, []string{"Announced", "Attached", "Connected", "Nothing"}},
		{"The clock starts drawbridge-sweep.", startSweep, []string{"Attached", "Connected", "Swept"}},
		{"The owner of beta takes the tag drawbridge:attach off.", func(ctx context.Context, t *testing.T, w *scenario.World) {
			succeeds(t, w.Find(ctx))
			verdict, err := w.Verdict(ctx)
			succeeds(t, err)
			if !scenario.Holds(verdict) {
				t.Errorf("connected, but not every hop holds: %+v", verdict)
			}
			withHops(t, verdict, "attachment", "gateway route", "route there", "route back", "security group", "host route")
			succeeds(t, w.Leave(ctx))
		}, []string{"Announced", "Removed"}},
	},
	unruly: true,
	also: func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
		gone, err := w.Gone(ctx, reachedBefore)
		succeeds(t, err)
		if !scenario.Holds(gone) {
			t.Errorf("%+v", gone)
		}
		// However many executions meet: each VPC is attached once, and no more.
		made := 0
		for _, c := range calls {
			if c.Action == "CreateTransitGatewayVpcAttachment" && c.Status < 300 {
				made++
			}
		}
		if made != 2 {
			t.Errorf("%d attachments were made, want 2", made)
		}
	},
}}

// withHops holds a verdict to hops of all the given kinds.
func withHops(t *testing.T, verdict []story.Hop, kinds ...string) {
	t.Helper()
	var seen strings.Builder
	for _, h := range verdict {
		fmt.Fprintf(&seen, "%s: %s\n", h.Hop, h.Detail)
	}
	for _, kind := range kinds {
		if !strings.Contains("\n"+seen.String(), "\n"+kind+": ") {
			t.Errorf("the verdict lacks a %s:\n%s", kind, seen.String())
		}
	}
}
