package story

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// notice is one report of the emulated AWS about what it did.
type notice struct {
	Kind         string
	Account      string
	Region       string
	Bus          string
	Rule         string
	EventID      string `json:"eventId"`
	Target       string
	Error        string
	ExecutionARN string `json:"executionArn"`
	StateMachine string `json:"stateMachine"`
	Event        json.RawMessage
}

// envelope is as much of an EventBridge event as a story needs.
type envelope struct {
	ID         string
	Source     string
	DetailType string `json:"detail-type"`
	Account    string
	Region     string
	Detail     struct {
		EventName              string
		ErrorCode              string
		NotebookInstanceName   string
		NotebookInstanceStatus string
		RequestParameters      json.RawMessage
		ResponseElements       json.RawMessage
		// Of Step Functions.
		StateMachineARN string `json:"stateMachineArn"`
		Status          string
		// Of Drawbridge's own events.
		Connection json.RawMessage
		Where      json.RawMessage
	}
}

// told reports whether an execution's history tells the same.
func (e envelope) told() bool {
	return e.Source == "aws.states" && (e.Detail.Status == "RUNNING" || e.Detail.Status == "SUCCEEDED")
}

// moment is one event of an execution's history.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
type moment struct {
	Type         string
	StateEntered struct{ Name, Input string } `json:"stateEnteredEventDetails"`
	Failed       failure                      `json:"executionFailedEventDetails"`
	TimedOut     failure                      `json:"executionTimedOutEventDetails"`
	Aborted      failure                      `json:"executionAbortedEventDetails"`
	Succeeded    struct{ Output string }      `json:"executionSucceededEventDetails"`
}

type failure struct{ Error, Cause string }

// thing finds what an event is about.
var thing = regexp.MustCompile(`\b(pcx|tgw-attach|tgw|vpc|eni)-[0-9a-f]+`)

func (e envelope) event(bus string) Event {
	out := Event{Account: e.Account, Region: e.Region, Bus: bus, ID: e.ID, Name: e.Detail.EventName, Error: e.Detail.ErrorCode}
	if out.Name == "" {
		out.Name = e.DetailType
	}
	switch {
	case e.Detail.NotebookInstanceName != "":
		out.Resource = e.Detail.NotebookInstanceName
		if s := e.Detail.NotebookInstanceStatus; s != "" {
			out.Resource += " " + s
		}
	case e.Detail.StateMachineARN != "":
		out.Resource = last(e.Detail.StateMachineARN) + " " + e.Detail.Status
	default:
		for _, part := range []json.RawMessage{e.Detail.ResponseElements, e.Detail.RequestParameters, e.Detail.Connection, e.Detail.Where} {
			if id := thing.FindString(string(part)); id != "" {
				out.Resource = id
				break
			}
		}
	}
	return out
}

// Notice takes one report as JSON.
func (r *Recorder) Notice(body []byte) error {
	var n notice
	if err := json.Unmarshal(body, &n); err != nil {
		return fmt.Errorf("reading a notice: %w", err)
	}
	switch n.Kind {
	case "event":
		var e envelope
		if err := json.Unmarshal(n.Event, &e); err != nil {
			return fmt.Errorf("reading the event in a notice: %w", err)
		}
		if !e.told() {
			r.add(e.event(n.Bus))
		}
	case "rule":
		r.add(Delivery{Account: n.Account, Region: n.Region, Bus: n.Bus, Rule: n.Rule, Target: n.Target, EventID: n.EventID, Error: n.Error})
	case "history":
		var m moment
		if err := json.Unmarshal(n.Event, &m); err != nil {
			return fmt.Errorf("reading the history in a notice: %w", err)
		}
		r.history(last(n.ExecutionARN), last(n.StateMachine), m)
	default:
		return fmt.Errorf("reading a notice: unknown kind %q", n.Kind)
	}
	return nil
}

// last is the last part of an ARN.
func last(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }
