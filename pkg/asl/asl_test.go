package asl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/asl"
)

// Every machine that is deployed is understood: a field or type that is new must be learned before it is used.
func TestAllMachinesAreUnderstood(t *testing.T) {
	files, err := filepath.Glob("../../infra/template/*.asl.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d machines, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := asl.Parse(string(text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

const machine = `{"StartAt": "Receive", "States": {
 "Receive": {"Type": "Pass", "Parameters": {"event.$": "$", "known": {}}, "Next": "Look"},
 "Look": {"Type": "Task", "Resource": "r", "Parameters": {"FunctionName": "f", "Payload": {"event.$": "$.event", "known.$": "$.known", "execution.$": "$$.Execution.Name"}},
  "Retry": [{}], "Catch": [{"ErrorEquals": ["Held"], "ResultPath": "$.held", "Next": "Hold"}], "OutputPath": "$.Payload", "Next": "Choose"},
 "Choose": {"Type": "Choice", "Choices": [
  {"Variable": "$.answer", "StringEquals": "do", "Next": "Accept"},
  {"Variable": "$.answer", "StringEquals": "wait", "Next": "Wait"},
  {"Not": {"Variable": "$.sides", "IsPresent": true}, "Next": "Nothing"},
  {"Variable": "$.answer", "StringEquals": "each", "Next": "Each"}]},
 "Wait": {"Type": "Wait", "Seconds": 5, "Next": "Look"},
 "Accept": {"Type": "Task", "Resource": "r", "Parameters": {"Payload": {}}, "ResultPath": null, "Next": "Look"},
 "Each": {"Type": "Map", "ItemsPath": "$.sides", "ItemSelector": {"side.$": "$$.Map.Item.Value", "all.$": "$.answer"}, "ItemProcessor": {"StartAt": "Side", "States": {
   "Side": {"Type": "Task", "Resource": "r", "Parameters": {"Payload": {"side.$": "$.side"}}, "ResultSelector": {"of.$": "$.Payload.name"}, "ResultPath": "$.done", "Next": "Judge"},
   "Judge": {"Type": "Choice", "Choices": [{"Variable": "$.done.of", "StringEquals": "side", "Next": "SideDone"}]}, "SideDone": {"Type": "Succeed", "OutputPath": "$.done"}}},
  "ResultPath": "$.result", "Next": "Done"},
 "Hold": {"Type": "Succeed"}, "Nothing": {"Type": "Succeed"}, "Done": {"Type": "Succeed"}}}`

// play runs the machine; each call of Look gets the next answer.
func play(t *testing.T, turn func() bool, looks ...string) (asl.End, error, []string) {
	t.Helper()
	m, err := asl.Parse(machine)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	x := asl.Execution{Machine: "m", Name: "x", Turn: turn, Task: func(_ context.Context, state string, payload []byte) ([]byte, error) {
		calls = append(calls, fmt.Sprintf("%s %s", state, payload))
		switch {
		case state == "Side":
			return []byte(`{"name":"side","more":1}`), nil
		case state == "Accept":
			return []byte(`{"thrown":"away"}`), nil
		case strings.HasPrefix(looks[0], "!"):
			return nil, &asl.Failure{State: state, Name: looks[0][1:], Cause: "why"}
		}
		answer := looks[0]
		looks = looks[1:]
		return []byte(answer), nil
	}}
	end, err := x.Run(t.Context(), m, map[string]any{"id": "pcx-1"})
	return end, err, calls
}

func TestRun(t *testing.T) {
	end, err, calls := play(t, nil, `{"answer":"do","event":{"id":"pcx-1"},"known":{"a":1}}`, `{"answer":"each","sides":[{"n":1},{"n":2}]}`)
	if err != nil || end.State != "Done" || end.Waits {
		t.Fatalf("%+v, %v", end, err)
	}
	want := []string{`Look {"event":{"id":"pcx-1"},"execution":"x","known":{}}`, `Accept {}`, `Look {"event":{"id":"pcx-1"},"execution":"x","known":{"a":1}}`,
		`Side {"side":{"n":1}}`, `Side {"side":{"n":2}}`}
	if !reflect.DeepEqual(calls, want) {
		t.Errorf("%q", calls)
	}
	const out = `{"answer":"each","result":[{"of":"side"},{"of":"side"}],"sides":[{"n":1},{"n":2}]}`
	if got, _ := json.Marshal(end.Output); string(got) != out {
		t.Errorf("%s", got)
	}
	if end.States != 14 {
		t.Errorf("%d states", end.States)
	}
}

func TestRunEndsWhereItMust(t *testing.T) {
	never, once := func() bool { return false }, true
	turn := func() bool { was := once; once = false; return was }
	const waits = `{"answer":"wait","event":{},"known":{}}`
	if end, err, _ := play(t, never, waits); err != nil || end.State != "Wait" || !end.Waits {
		t.Errorf("%+v, %v", end, err)
	}
	if end, err, calls := play(t, turn, waits, waits); err != nil || !end.Waits || len(calls) != 2 {
		t.Errorf("%+v, %v, %q", end, err, calls)
	}
	if end, err, _ := play(t, never, `{"answer":"other"}`); err != nil || end.State != "Nothing" {
		t.Errorf("%+v, %v", end, err)
	}
	if end, err, _ := play(t, never, "!Held"); err != nil || end.State != "Hold" {
		t.Errorf("%+v, %v", end, err)
	} else if got, _ := json.Marshal(end.Output); string(got) != `{"event":{"id":"pcx-1"},"held":{"Cause":"why","Error":"Held"},"known":{}}` {
		t.Errorf("%s", got)
	}
	var failed *asl.Failure
	if end, err, _ := play(t, never, "!Conflict"); !errors.As(err, &failed) || failed.Name != "Conflict" || end.State != "Look" {
		t.Errorf("%+v, %v", end, err)
	}
	if _, err, _ := play(t, never, `{"answer":"other","sides":[]}`); !errors.As(err, &failed) || failed.Name != "States.NoChoiceMatched" {
		t.Errorf("%v", err)
	}
	if _, err, _ := play(t, never, `{"answer":"do","sides":[]}`); !errors.As(err, &failed) || failed.Name != "States.Runtime" { // no event for the second look
		t.Errorf("%v", err)
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"a type":  `{"StartAt":"A","States":{"A":{"Type":"Parallel"}}}`,
		"a field": `{"StartAt":"A","States":{"A":{"Type":"Pass","InputPath":"$.a","End":true}}}`,
		"a path":  `{"StartAt":"A","States":{"A":{"Type":"Pass","ResultPath":"$.a[*]","End":true}}}`,
		"a state": `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}`,
		"a start": `{"StartAt":"B","States":{"A":{"Type":"Pass","End":true}}}`,
		"more":    `{"StartAt":"A","States":{"A":{"Type":"Succeed"}}} {}`,
	} {
		if _, err := asl.Parse(text); err == nil {
			t.Errorf("%s is understood", name)
		}
	}
}

// A wait that leads on, and not back to what was done, ends nothing.
func TestAWaitThatLeadsOnIsPassed(t *testing.T) {
	m, err := asl.Parse(`{"StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 300, "Next": "Done"}, "Done": {"Type": "Succeed"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	x := asl.Execution{Machine: "m", Name: "x", Turn: func() bool { return false }}
	if end, err := x.Run(t.Context(), m, map[string]any{}); err != nil || end.State != "Done" || end.Waits {
		t.Errorf("%+v, %v", end, err)
	}
}
