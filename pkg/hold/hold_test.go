package hold_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// world is a hub with a mode, a ledger, and what was told and started.
type world struct {
	mode            mode.Mode
	ledger          ledger.Ledger
	told, published int
	started         []string
	inputs          []string
	already         bool
}

func (w *world) PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	w.told++
	return &eventbridge.PutEventsOutput{}, nil
}

func (w *world) Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error) {
	w.published++
	return &sns.PublishOutput{}, nil
}

func (w *world) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	if w.already {
		return nil, &smithy.GenericAPIError{Code: "ExecutionAlreadyExists"}
	}
	w.started, w.inputs = append(w.started, *in.StateMachineArn+" "+*in.Name), append(w.inputs, *in.Input)
	return &sfn.StartExecutionOutput{}, nil
}

func (w *world) now(context.Context) (mode.Setting, error) { return mode.Setting{Mode: w.mode}, nil }

func hub() *world {
	l, _ := ledgertest.New()
	return &world{mode: mode.Observe, ledger: l}
}

const machine = "drawbridge-peering"

// request is the event of a peering's request, the n-th of its kind.
func request(pcx string, n int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":"event-%d","source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1","time":"2026-03-01T12:00:%02dZ",
		"detail":{"eventSource":"ec2.amazonaws.com","eventName":"DeleteVpcPeeringConnection","eventID":"%d","requestParameters":{"vpcPeeringConnectionId":%q}}}`, n, n%60, n, pcx))
}

func (w *world) hold(t *testing.T, machine string, input json.RawMessage, held error) workflow.HoldExecutionOutput {
	t.Helper()
	cause, _ := json.Marshal(map[string]string{"errorType": "Held", "errorMessage": held.Error()})
	out, err := hold.Holder{Ledger: w.ledger, Mode: w.now, Brake: brake.Brake{Ledger: w.ledger, Limit: brake.Limit{Connections: 0}}, Bus: notice.Bus{API: w}, Topic: notice.Topic{API: w}}.
		Hold(t.Context(), workflow.HoldExecutionInput{Execution: "x", Machine: machine, Input: input, Held: workflow.Failure{Error: "Held", Cause: string(cause)}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) resume(t *testing.T, braked string) workflow.ResumeExecutionsOutput {
	t.Helper()
	out, err := hold.Resumer{Ledger: w.ledger, Mode: w.now, Brake: brake.Brake{Ledger: w.ledger}, API: w}.
		Resume(t.Context(), workflow.ResumeExecutionsInput{Machine: "arn:aws:states:us-east-1:123456789012:stateMachine:drawbridge-sweep", Sweep: workflow.Sweep{Braked: braked}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAThousandEventsAboutOneThingAreOneRow(t *testing.T) {
	w := hub()
	for n := range 1000 {
		out := w.hold(t, machine, request("pcx-0123456789abcdef0", n), mode.Hold(mode.Planned, "it only observes", "add a route"))
		if out.Answer != "Planned" || !out.Kept || len(out.Changes) != 1 {
			t.Fatalf("%+v", out)
		}
	}
	if w.told != 1 {
		t.Errorf("it was told %d times", w.told)
	}
	w.hold(t, machine, request("pcx-0123456789abcdef0", 1), mode.Hold(mode.Planned, "it only observes", "add another route"))
	if w.told != 2 {
		t.Error("what changed was not told")
	}
	w.mode = mode.Full
	if out := w.resume(t, ""); out.Resumed != 1 || out.Answer != "done" {
		t.Errorf("%+v", out)
	}
	if len(w.started) != 1 || !strings.HasPrefix(w.started[0], "arn:aws:states:us-east-1:123456789012:stateMachine:drawbridge-peering resumed-") || !strings.Contains(w.inputs[0], "event-0") {
		t.Errorf("started %q with %q", w.started, w.inputs)
	}
	if again := w.resume(t, ""); again.Resumed != 0 {
		t.Error("it is started twice")
	}
}

func TestWhatGoesOnWhen(t *testing.T) {
	for _, c := range []struct {
		end     mode.End
		at, now mode.Mode
		braked  string
		resumed int
	}{
		{mode.Paused, mode.Stopped, mode.Full, "", 1}, {mode.Paused, mode.Stopped, mode.Observe, "", 1},
		{mode.Planned, mode.Observe, mode.Observe, "", 0}, {mode.Planned, mode.Observe, mode.Add, "", 1}, {mode.Kept, mode.Add, mode.Add, "", 0}, {mode.Kept, mode.Add, mode.Full, "", 1},
		{mode.Planned, mode.Full, mode.Add, "", 0}, // an account that only lets itself be observed: the sweep looks
		{mode.Braked, mode.Full, mode.Full, "", 0}, {mode.Braked, mode.Full, mode.Add, "", 0}, {mode.Braked, mode.Full, mode.Full, "let through", 1}, {mode.Braked, mode.Full, mode.Full, "dismiss", 1},
	} {
		w := hub()
		w.mode = c.at
		w.hold(t, machine, request("pcx-0123456789abcdef0", 0), mode.Hold(c.end, "so"))
		w.mode = c.now
		if out := w.resume(t, c.braked); out.Resumed != c.resumed {
			t.Errorf("%s in %s, then %s %q: %d resumed, want %d", c.end, c.at, c.now, c.braked, out.Resumed, c.resumed)
		}
	}
}

func TestNothingIsResumedWhilePausedAndTheSweepIsNotKept(t *testing.T) {
	w := hub()
	w.mode = mode.Stopped
	for _, machine := range []string{"drawbridge-sweep", "drawbridge-rebuild"} {
		if out := w.hold(t, machine, json.RawMessage(`{}`), mode.Hold(mode.Paused, "so")); out.Kept {
			t.Errorf("%s is kept, which a change of the mode or a person starts", machine)
		}
	}
	_, err := hold.Resumer{Ledger: w.ledger, Mode: w.now, API: w}.Resume(t.Context(), workflow.ResumeExecutionsInput{})
	if fault.Of(err) != fault.Held || w.told != 0 {
		t.Errorf("%v, told %d times", err, w.told)
	}
	w.mode = mode.Full
	_, err = hold.Resumer{Ledger: w.ledger, Mode: w.now, API: w}.Resume(t.Context(), workflow.ResumeExecutionsInput{Sweep: workflow.Sweep{Braked: "yes"}})
	if fault.Of(err) != fault.Invalid {
		t.Errorf("a decision that is none: %v", err)
	}
}

func TestOnePageAtATime(t *testing.T) {
	w := hub()
	for n := range 400 {
		w.hold(t, machine, request(fmt.Sprintf("pcx-%017x", n), n), mode.Hold(mode.Planned, "so"))
	}
	w.mode = mode.Full
	for _, want := range []workflow.Answer{workflow.AnswerMore, workflow.AnswerMore, workflow.AnswerDone} {
		if out := w.resume(t, ""); out.Answer != want {
			t.Errorf("%+v, want %s", out, want)
		}
	}
	if len(w.started) != 400 {
		t.Errorf("%d of 400 started", len(w.started))
	}
}

func TestAnExecutionThatWasStartedAlreadyIsDone(t *testing.T) {
	w := hub()
	w.hold(t, machine, request("pcx-0123456789abcdef0", 0), mode.Hold(mode.Planned, "so"))
	w.mode, w.already = mode.Full, true // its answer was lost
	if out := w.resume(t, ""); out.Resumed != 1 {
		t.Errorf("%+v", out)
	}
	if out := w.resume(t, ""); out.Resumed != 0 {
		t.Error("the row stays")
	}
}

func TestPeopleHearOfTheBrakeOnce(t *testing.T) {
	w := hub()
	w.mode = mode.Full
	b := brake.Brake{Ledger: w.ledger}
	for n := range 3 {
		err := b.Ask(t.Context(), fmt.Sprint("pcx-", n), "so")
		if fault.Of(err) != fault.Held {
			t.Fatal(err)
		}
		w.hold(t, machine, request(fmt.Sprintf("pcx-%017x", n), n), err)
	}
	if w.published != 1 || w.told != 3 {
		t.Errorf("people were told %d times, programs %d times", w.published, w.told)
	}
}

func TestEventsThatNameNoOneThingAreOneRowForWhatTheySay(t *testing.T) {
	w := hub()
	tagged := func(n int, value string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"id":"%d","time":"t%d","source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1",
			"detail":{"eventName":"CreateTags","eventID":"%d","eventTime":"%d","requestParameters":{"value":%q}}}`, n, n, n, n, value))
	}
	for n := range 5 {
		w.hold(t, "drawbridge-change", tagged(n, "true"), mode.Hold(mode.Planned, "so"))
	}
	w.hold(t, "drawbridge-change", tagged(9, "false"), mode.Hold(mode.Planned, "so"))
	w.mode = mode.Full
	if out := w.resume(t, ""); out.Resumed != 2 {
		t.Errorf("%d rows, want 2", out.Resumed)
	}
}

// What cannot be read is told once, by thing to programs and by reason to people, however many sweeps look again.
func TestWhatCannotBeReadIsToldOnceAndLookedAtByEachSweep(t *testing.T) {
	w := hub()
	w.mode = mode.Full
	unread := func() error {
		return mode.Hold(mode.Unreadable, "account 222222222222 is SUSPENDED", "nothing of it is taken away")
	}
	for day := range 4 {
		for n := range 3 {
			if out := w.hold(t, machine, request(fmt.Sprintf("pcx-%017x", n), day), unread()); out.Answer != "Unreadable" || !out.Kept {
				t.Fatalf("%+v", out)
			}
		}
		if out := w.resume(t, ""); out.Resumed != 3 {
			t.Errorf("day %d: the sweep looks at %d, want 3", day, out.Resumed)
		}
	}
	if w.told != 3 || w.published != 1 {
		t.Errorf("programs are told %d times of 3 things, people %d times", w.told, w.published)
	}
	w.hold(t, machine, request("pcx-00000000000000000", 9), mode.Hold(mode.Unreadable, "the account has not enabled the Region", "nothing"))
	if w.told != 4 || w.published != 2 {
		t.Errorf("another reason: programs %d times, people %d times", w.told, w.published)
	}
	w.mode = mode.Stopped
	w.hold(t, machine, request("pcx-00000000000000001", 9), unread())
	if _, err := (hold.Resumer{Ledger: w.ledger, Mode: w.now, API: w}).Resume(t.Context(), workflow.ResumeExecutionsInput{}); fault.Of(err) != fault.Held {
		t.Errorf("paused: %v", err)
	}
}

// An inspection whose calls got no answer, after all its retries, could not read something.
func TestACallThatTookTooLongIsUnreadable(t *testing.T) {
	w := hub()
	w.mode = mode.Full
	for _, name := range []string{"Transient", "Sandbox.Timedout", "States.Timeout"} {
		out, err := hold.Holder{Ledger: w.ledger, Mode: w.now, Bus: notice.Bus{API: w}, Topic: notice.Topic{API: w}}.Hold(t.Context(), workflow.HoldExecutionInput{
			Execution: "x", Machine: machine, Input: request("pcx-0123456789abcdef0", 1), Held: workflow.Failure{Error: name, Cause: `{"errorType":"Transient","errorMessage":"reading vpc-1:\ncontext deadline exceeded"}`}})
		if err != nil || out.Answer != "Unreadable" || !out.Kept || !strings.Contains(out.Reason, "deadline") || !strings.HasPrefix(out.Reason, name) {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// Whoever plans a sweep is told what it lets go on, with the input that each execution goes on with.
func TestWhatGoesOnIsTold(t *testing.T) {
	w := hub()
	w.hold(t, machine, request("pcx-0123456789abcdef0", 7), mode.Hold(mode.Planned, "so", "add a route"))
	w.hold(t, machine, request("pcx-0123456789abcdef1", 8), mode.Hold(mode.Braked, "so"))
	for at, want := range map[mode.Mode]int{mode.Full: 1, mode.Observe: 0, mode.Stopped: 0} {
		got, err := hold.GoesOn(t.Context(), w.ledger, at)
		if err != nil || len(got) != want || want == 1 && (got[0].Machine != machine || !strings.Contains(string(got[0].Input), "event-7")) {
			t.Errorf("in %s: %+v, %v", at, got, err)
		}
	}
}
