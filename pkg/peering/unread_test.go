package peering_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestWhatCannotBeReadIsNotGone(t *testing.T) {
	for name, c := range map[string]struct {
		world  *world
		answer workflow.Answer
		reason string
	}{
		"the accepter is suspended":                      {&world{status: "active", entry: "Connected", suspended: []string{beta}}, workflow.AnswerUnreadable, "account 222222222222 is SUSPENDED"},
		"the requester is suspended":                     {&world{status: "active", entry: "Connected", left: []string{"route 222"}, suspended: []string{alpha}}, workflow.AnswerUnreadable, "account 111111111111 is SUSPENDED"},
		"both are":                                       {&world{status: "active", entry: "Connected", suspended: []string{alpha, beta}}, workflow.AnswerUnreadable, "SUSPENDED"},
		"it stays so":                                    {&world{status: "active", entry: "Unreadable", suspended: []string{beta}}, workflow.AnswerUnreadable, "SUSPENDED"},
		"the accepter lets nobody in":                    {&world{status: "active", entry: "Connected", closed: []string{beta}}, workflow.AnswerUnreadable, "access denied"},
		"nobody lets anybody in":                         {&world{status: "active", entry: "Connected", closed: []string{alpha, beta}}, workflow.AnswerUnreadable, "access denied"},
		"the accepter's account is throttled to the end": {&world{status: "active", entry: "Connected", slow: []string{beta}, tried: fault.TransientTries}, workflow.AnswerUnreadable, "throttled in 222222222222"},
		"suspended, and nobody shows it any more":        {&world{entry: "Connected", left: []string{"route 111"}, suspended: []string{beta}}, workflow.AnswerUnreadable, "SUSPENDED"},
		"deleted, while the accepter is suspended":       {&world{status: "deleted", entry: "Connected", left: []string{"route 111", "route 222"}, suspended: []string{beta}}, workflow.AnswerDisconnect, "deleted"},
		"a request to an account that is suspended":      {&world{status: "pending-acceptance", entry: "AwaitingApproval", suspended: []string{beta}}, workflow.AnswerRefuse, "outside the organization"},
		"one that is not managed":                        {&world{status: "active", suspended: []string{beta}}, workflow.AnswerNothing, "not given"},
		"the accepter left the organization for ever":    {&world{status: "active", entry: "Connected", left: []string{"route 111"}, outside: []string{beta}}, workflow.AnswerDisconnect, "outside the organization"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.world.inspect(t, "DeleteVpcPeeringConnection", alpha, workflow.Looked{})
			if err != nil || out.Answer != c.answer || !strings.Contains(out.Reason, c.reason) {
				t.Fatalf("got %s (%s), %v, want %s with %q", out.Answer, out.Reason, err, c.answer, c.reason)
			}
			items, err := c.world.book.Items(t.Context(), pcx)
			if kept := len(items) == len(c.world.left); err != nil || c.answer == workflow.AnswerUnreadable && !kept {
				t.Errorf("the ledger has %v of %v, %v", items, c.world.left, err)
			}
			if c.answer == workflow.AnswerUnreadable && (len(out.Sides) != 2 || out.Sides[0].VPC.ID == "" || out.Said.Accepter == "" || out.Connection.ID != pcx) {
				t.Errorf("nobody can be told: %+v", out)
			}
			// The item of a suspended account stays for another look, and the entry with it.
			if c.world.status == "deleted" && (out.Ended || !slices.ContainsFunc(out.Absent, func(h workflow.Hop) bool { return strings.Contains(h.Detail, "SUSPENDED") })) {
				t.Errorf("ended %v, absent %+v", out.Ended, out.Absent)
			}
		})
	}
}

// Before the last try nothing is said, and of what does not stand nothing at all: the machine tries again, or keeps it for the next sweep.
func TestWhatIsThrottledIsTriedAgain(t *testing.T) {
	for name, w := range map[string]*world{
		"it is tried again": {status: "active", entry: "Connected", slow: []string{beta}, tried: fault.TransientTries - 1},
		"it does not stand": {status: "pending-acceptance", slow: []string{alpha, beta}, tried: fault.TransientTries},
	} {
		if out, err := w.inspect(t, create, alpha, workflow.Looked{}); fault.Of(err) != fault.Transient {
			t.Errorf("%s: %s (%s), %v", name, out.Answer, out.Reason, err)
		}
	}
}

func TestTheBrakeIsAskedAboutWhatNobodyEnded(t *testing.T) {
	for name, c := range map[string]struct {
		world *world
		why   brake.Why
	}{
		"deleted":                      {&world{status: "deleted", entry: "Connected", left: []string{"route 111"}}, ""},
		"an account left":              {&world{status: "active", entry: "Connected", outside: []string{beta}}, brake.Outside},
		"its owner takes it back":      {&world{status: "active", entry: "Connected", accept: "never"}, ""},
		"its owner lets go of it":      {&world{status: "active", entry: "Connected", tags: map[string]map[string]string{beta: {"drawbridge:manage": "undo"}}}, ""},
		"removed already, a rest left": {&world{status: "active", entry: "Removed", left: []string{"route 222"}, outside: []string{alpha}}, ""},
	} {
		out, err := c.world.inspect(t, "DeleteVpcPeeringConnection", alpha, workflow.Looked{})
		if err != nil || out.Answer != workflow.AnswerDisconnect && c.world.entry != "Removed" {
			t.Fatalf("%s: %s (%s), %v", name, out.Answer, out.Reason, err)
		}
		if got := c.world.asked; len(got) > 0 != (c.why != "") || len(got) > 0 && (got[0].Why != c.why || got[0].ID != pcx) {
			t.Errorf("%s: the brake is asked about %+v, want %q", name, got, c.why)
		}
	}
}

// Whatever is closed or suspended, of a peering that stands nothing is ever taken away for it, and the ledger forgets nothing.
func TestNothingGoesForWhatCannotBeRead(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		some := func(name string) []string {
			return rapid.SampledFrom([][]string{{}, {alpha}, {beta}, {alpha, beta}}).Draw(r, name)
		}
		w := &world{status: "active", entry: rapid.SampledFrom([]string{"Connected", "Conflict", "Unreadable"}).Draw(r, "entry"),
			left: []string{"route 111", "route 222"}, closed: some("closed"), suspended: some("suspended"), hidden: some("hidden"), accept: rapid.SampledFrom([]string{"", "auto", "ask"}).Draw(r, "accept")}
		if len(w.closed)+len(w.suspended) == 0 {
			return
		}
		out, err := w.inspect(t, rapid.SampledFrom([]string{accepted, "DeleteVpcPeeringConnection"}).Draw(r, "event"), rapid.SampledFrom([]string{alpha, beta}).Draw(r, "from"), workflow.Looked{})
		if err != nil || out.Answer != workflow.AnswerUnreadable {
			r.Fatalf("%+v: %s (%s), %v", w, out.Answer, out.Reason, err)
		}
		if items, err := w.book.Items(t.Context(), pcx); err != nil || len(items) != 2 || len(w.asked) > 0 {
			r.Fatalf("the ledger has %v, %v; the brake was asked about %v", items, err, w.asked)
		}
	})
}
