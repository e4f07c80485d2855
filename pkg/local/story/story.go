// Package story tells what happened in the local engine: which event set
// Drawbridge in motion, which rules carried it, what each state did in which
// account with which result, how long it waited and how it ended.
//
// A [Recorder] collects the facts while they happen and hands each to whoever
// watches. Two renderers make text of them: [Live] for a terminal, and [Golden]
// for a file that is the same in every run.
package story

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// Fact is one thing that happened: an [Event], [Delivery], [Start], [Step],
// [Entered] or [End].
type Fact interface{ fact() }

// Event arrived on a bus.
type Event struct {
	Account, Region, Bus string
	// ID stays the same when the event is forwarded.
	ID string
	// Name is the API action, or the detail type of an event that is none.
	Name string
	// Resource is the thing that the event is about, if it names one.
	Resource string
	// Error is the code of the failed call that the event reports.
	Error string
}

// Delivery of an event from a bus to a target by a rule.
type Delivery struct {
	Account, Region, Bus, Rule, Target, EventID string
	// Error says why it could not be delivered.
	Error string
}

// Start of an execution, or its going on after it failed.
type Start struct {
	Execution, Machine string
	Redriven           bool
}

// Step is one run of a function for a state.
type Step struct {
	// State as the machine names it.
	State string
	// Function that ran.
	Function string
	// Execution it ran for.
	Execution string
	// Event it ran for, if a rule started it.
	Event string
	// Account and Region of the thing it was about, where its input says so.
	Account, Region string
	// Calls are the AWS calls it made, in order.
	Calls []awscall.Call
	// Result is its output, or its error.
	Result json.RawMessage
	// Failed says that Result is an error.
	Failed bool
	// ColdStart says that a process was started for it.
	ColdStart bool
	// Seconds it took.
	Seconds float64
}

// Entered is a state that an execution entered.
type Entered struct {
	Execution, State string
	// Type of the state: Task, Choice, Wait, Map, Pass, Succeed, …
	Type string
	// Seconds that a Wait state waits, as the machine is written; zero if it
	// cannot be told.
	Seconds float64
}

// End of an execution.
type End struct {
	Execution, Machine string
	// Status is SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
	Status string
	// State is the last one that was entered.
	State string
	// Error and Cause of a failure.
	Error, Cause string
	// Output of a success.
	Output json.RawMessage
}

func (Event) fact()    {}
func (Delivery) fact() {}
func (Start) fact()    {}
func (Step) fact()     {}
func (Entered) fact()  {}
func (End) fact()      {}

// StateOf names the state that a function belongs to: drawbridge-add-routes runs
// for AddRoutes.
func StateOf(function string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(strings.TrimPrefix(function, "drawbridge-"), "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// Outcome says in a few words what a step found or did.
func (s Step) Outcome() string {
	if s.Failed {
		var e struct{ ErrorType, ErrorMessage string }
		_ = json.Unmarshal(s.Result, &e)
		return e.ErrorType + ": " + e.ErrorMessage
	}
	var out struct {
		Answer, Result, Reason, Status string
		What, Kind, Why, Remedy        string // of what needs attention
		Decision                       struct{ Policy string }
	}
	if json.Unmarshal(s.Result, &out) != nil {
		return ""
	}
	if out.What != "" {
		return fmt.Sprintf("%s: %s: %s; remedy: %s", out.What, out.Kind, out.Why, out.Remedy)
	}
	head := out.Answer
	if head == "" {
		head = out.Result
	}
	if head != "" && out.Reason != "" {
		head += ": " + out.Reason
	}
	return head
}

// Hop is one line of what a step says about the path.
type Hop struct {
	Hop     string `json:"hop"`
	OK      bool   `json:"ok"`
	Unknown bool   `json:"unknown,omitempty"`
	Detail  string `json:"detail"`
}

// Mark is what stands before a hop.
func (h Hop) Mark() string {
	if h.Unknown && !h.OK {
		return "?"
	}
	return Mark(h.OK)
}

// Hops are what the step says about the path.
func (s Step) Hops() []Hop {
	var out struct {
		Hops    []Hop
		Verdict []struct {
			Hop
			Hops []Hop
		}
	}
	if s.Failed {
		return nil
	}
	_ = json.Unmarshal(s.Result, &out) // where hops are a number, they stand in the ledger
	for _, c := range s.Calls {
		var told []Hop
		if c.Error == "" && c.Told != "" && json.Unmarshal([]byte(c.Told), &told) == nil {
			out.Hops = append(out.Hops, told...)
		}
	}
	for _, v := range out.Verdict {
		out.Hops = append(out.Hops, v.Hop)
		for _, h := range v.Hops {
			h.Hop = "  " + h.Hop // of the path before it
			out.Hops = append(out.Hops, h)
		}
	}
	return out.Hops
}
