package notice_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// fail says that an execution failed, and whether people heard of it; programs do each time.
func (h *hub) fail(t *testing.T, name, cause string, redrives int32) bool {
	t.Helper()
	said, err := json.Marshal(map[string]string{"errorMessage": cause, "errorType": "Conflict"})
	if err != nil {
		t.Fatal(err)
	}
	h.execution.Name, h.execution.Cause, h.execution.RedriveCount = &name, aws.String(string(said)), &redrives
	h.history[1].TaskFailedEventDetails.Cause = h.execution.Cause
	event, err := json.Marshal(map[string]any{"detail-type": "Step Functions Execution Status Change", "detail": map[string]any{"executionArn": arnOf(name)}})
	if err != nil {
		t.Fatal(err)
	}
	h.did = nil
	if _, err := h.watch().Tell(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	if len(h.did) == 0 || h.did[0] != "drawbridge/Attention Needed on drawbridge" {
		t.Errorf("%s: did %v", name, h.did)
	}
	return slices.Contains(h.did, "publish to topic")
}

func arnOf(name string) string {
	return "arn:aws:states:us-east-1:123456789012:execution:drawbridge-peering:" + name
}

// What fails with each sweep for the same reason is told once: until it says something else, or is about something else, or was mended meanwhile. Whoever redrives
// an execution hears what became of it.
func TestTheSameTroubleOfTheSameThingIsToldOnce(t *testing.T) {
	h := failed()
	h.watch()
	entry := ledger.Connection{ID: "pcx-0123456789abcdef0", Kind: road.Peering, Status: "Conflict", At: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	if _, err := h.book.Begin(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
	h.others = map[string]sfntypes.ExecutionStatus{}
	status := func(status ledger.Status, day int) {
		t.Helper()
		if _, err := h.book.Change(t.Context(), entry.ID, func(c *ledger.Connection) { c.Status, c.At = status, entry.At.AddDate(0, 0, day) }); err != nil {
			t.Fatal(err)
		}
	}
	full := func(request int) string {
		return fmt.Sprintf("adding a route: https response error StatusCode: 400, RequestID: %d, api error RouteLimitExceeded: full", request)
	}
	expect := func(about string, heard, want bool) {
		t.Helper()
		if heard != want {
			t.Errorf("%s: people heard of it: %v, want %v", about, heard, want)
		}
	}
	expect("at first", h.fail(t, "run-1", full(1), 0), true)
	expect("the record of it comes twice", h.fail(t, "run-1", full(1), 0), false)
	expect("the next sweep's", h.fail(t, "run-2", full(2), 0), false)
	expect("it says something else", h.fail(t, "run-3", "the group is full", 0), true)
	expect("and again what it said before", h.fail(t, "run-4", full(4), 0), true)
	expect("somebody redrove it", h.fail(t, "run-4", full(5), 1), true)
	expect("the next sweep's after that", h.fail(t, "run-5", full(6), 0), false)

	status("Connected", 1)
	status("Conflict", 2)
	expect("it stood meanwhile", h.fail(t, "run-6", full(7), 0), true)
	expect("the next sweep's after that", h.fail(t, "run-7", full(8), 0), false)

	h.others[arnOf("run-7")] = sfntypes.ExecutionStatusSucceeded
	expect("the last one was redriven, and succeeded", h.fail(t, "run-8", full(9), 0), true)
	h.others[arnOf("run-8")] = sfntypes.ExecutionStatusFailed
	expect("the last one failed again", h.fail(t, "run-9", full(10), 0), false)

	of := func(id string) {
		for _, n := range []int{4, 5} {
			h.history[n].StateEnteredEventDetails.Input = aws.String(fmt.Sprintf(`{"connection":{"id":%q},"side":{"role":"accepter","vpc":{"account":"222222222222","region":"eu-west-1"}}}`, id))
		}
	}
	of("pcx-00000000000000001")
	expect("another peering", h.fail(t, "run-10", full(11), 0), true)
	of("pcx-0123456789abcdef0")
	expect("the first one, beside it", h.fail(t, "run-11", full(12), 0), false)
}

// What may be about anything is told each time.
func TestWhatNamesNothingIsToldEachTime(t *testing.T) {
	h := failed()
	h.history, h.execution.Input = h.history[:2], aws.String("{}")
	for n := range 2 {
		if !h.fail(t, fmt.Sprint("run-", n), "no", 0) {
			t.Errorf("failure %d of what names nothing is not told", n+1)
		}
	}
	h.execution.StateMachineArn = aws.String("arn:aws:states:us-east-1:123456789012:stateMachine:drawbridge-sweep")
	for n, want := range []bool{true, false} {
		if got := h.fail(t, fmt.Sprint("sweep-", n), "no policy", 0); got != want {
			t.Errorf("sweep %d fails: told is %v", n+1, got)
		}
	}
	if err := h.book.Unsaid(t.Context(), notice.SweepFailures); err != nil || !h.fail(t, "sweep-3", "no policy", 0) {
		t.Errorf("sweeps fail again after one that did not, and people hear nothing; %v", err)
	}
	if got := (notice.Attention{Why: "a"}).Trouble(); got == (notice.Attention{Why: "b"}).Trouble() || len(got) != 16 {
		t.Errorf("digest %q", got)
	}
}

// Whoever hears anything hears how far Drawbridge goes: programs in each kind of event, people in each message.
func TestEveryNoticeShowsTheMode(t *testing.T) {
	h := &hub{}
	observes := func(context.Context) (mode.Setting, error) { return mode.Setting{Mode: mode.Observe}, nil }
	for kind, detail := range details {
		e := reflect.ValueOf(detail).Elem().Interface().(notice.Event)
		if err := (notice.Bus{API: h, Name: "drawbridge", Mode: observes}).Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		var said struct{ Mode string }
		if err := json.Unmarshal([]byte(h.raw), &said); err != nil || said.Mode != "observe" {
			t.Errorf("%s says the mode %q, %v", kind, said.Mode, err)
		}
	}
	for _, long := range []int{1, 1 << 20} {
		if err := (notice.Topic{API: h, ARN: "topic", Mode: observes}).Publish(t.Context(), notice.Notification{Subject: "s", Body: strings.Repeat("x", long)}); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(*h.published.Message, "\nDrawbridge's mode: observe\n") {
			t.Errorf("a message of %d bytes does not end with the mode", long)
		}
	}
}
