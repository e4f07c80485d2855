package story

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/lambdahost"
)

// Recorder collects the facts of a story. Its methods may be called from
// anywhere at any time.
type Recorder struct {
	mu         sync.Mutex
	facts      []Fact
	calls      []awscall.Call
	running    map[string]*execution     // by execution name
	over       map[string]bool           // names of executions that ended
	ended      map[string]End            // by execution name
	underway   map[string][]awscall.Call // calls by trace id of a running invocation
	executions map[string]string         // trace id → execution name
	events     map[string]string         // trace id → id of the event that started it
	waits      map[string]wait           // by "machine/state"
	counts     Counts
	watcher    func(Fact)
	tracers    []func(awscall.Call)
	forgetful  bool
	changed    chan struct{} // closed and renewed at every change
	touched    time.Time
	changes    int
}

type execution struct {
	machine, state  string
	tasks, attempts int // task states entered, tasks scheduled
}

// Counts are the numbers of a story.
type Counts struct {
	// Transitions are the states entered, and the retries of tasks: what Step
	// Functions bills.
	Transitions int
	// Invocations of functions.
	Invocations int
	// ColdStarts are processes that had to be started for them.
	ColdStarts int
}

// NewRecorder returns an empty recorder.
func NewRecorder() *Recorder {
	return &Recorder{
		running: map[string]*execution{}, over: map[string]bool{}, ended: map[string]End{},
		underway: map[string][]awscall.Call{}, executions: map[string]string{}, events: map[string]string{},
		waits: map[string]wait{}, changed: make(chan struct{}), touched: time.Now(),
	}
}

// Watch hands every further fact to f, one after the other, and to nobody who watched before; nil: to nobody.
func (r *Recorder) Watch(f func(Fact)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watcher = f
}

// Trace hands every further call of Drawbridge to f, one after the other.
func (r *Recorder) Trace(f func(awscall.Call)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tracers = append(r.tracers, f)
}

// Begin forgets what was recorded, so that a story starts with the next fact.
// Executions that still run are not forgotten.
func (r *Recorder) Begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.facts, r.calls, r.counts = nil, nil, Counts{}
	clear(r.ended)
}

// Forget makes the recorder keep nothing from now on but what still runs:
// who watches sees the facts, nobody else does.
func (r *Recorder) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetful, r.facts, r.calls = true, nil, nil
	clear(r.ended)
}

// Machine learns from a definition how long each Wait state waits.
func (r *Recorder) Machine(name string, definition []byte) error {
	var m machine
	if err := json.Unmarshal(definition, &m); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m.waits(func(state string, w wait) { r.waits[name+"/"+state] = w })
	return nil
}

// machine is as much of the Amazon States Language as a story needs.
type machine struct {
	States map[string]struct {
		Type string
		wait
		ItemProcessor *machine
		Iterator      *machine
		Branches      []machine
	}
}

// wait is how long a Wait state waits: always, or as a field of its input says, such as $.pause.
type wait struct {
	Seconds     float64
	SecondsPath string
}

// of is how many seconds it waits with an input; zero if that cannot be told.
func (w wait) of(input string) float64 {
	var fields map[string]any
	if w.SecondsPath == "" || json.Unmarshal([]byte(input), &fields) != nil {
		return w.Seconds
	}
	n, _ := fields[strings.TrimPrefix(w.SecondsPath, "$.")].(float64)
	return n
}

// waits visits the Wait states, also those in maps and branches.
func (m machine) waits(visit func(state string, w wait)) {
	for name, s := range m.States {
		if s.Type == "Wait" {
			visit(name, s.wait)
		}
		inner := s.Branches
		for _, one := range []*machine{s.ItemProcessor, s.Iterator} {
			if one != nil {
				inner = append(inner, *one)
			}
		}
		for _, one := range inner {
			one.waits(visit)
		}
	}
}

// Facts are those recorded so far.
func (r *Recorder) Facts() []Fact {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Fact(nil), r.facts...)
}

// Calls are those that Drawbridge made so far.
func (r *Recorder) Calls() []awscall.Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]awscall.Call(nil), r.calls...)
}

// Counts are the numbers so far.
func (r *Recorder) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

// Started takes an invocation that begins.
func (r *Recorder) Started(inv lambdahost.Invocation) {
	var in struct {
		Execution, ID string
		DetailType    string `json:"detail-type"`
	}
	_ = json.Unmarshal(inv.Payload, &in) // a payload without one belongs to no execution
	r.mu.Lock()
	defer r.mu.Unlock()
	r.underway[inv.TraceID] = nil
	r.executions[inv.TraceID] = in.Execution
	if in.DetailType != "" {
		r.events[inv.TraceID] = in.ID
	}
}

// ExecutionOf returns the execution that a call is made for by a function that is at work; empty if it is for none.
func (r *Recorder) ExecutionOf(c awscall.Call) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.executions[c.TraceID]
}

// Finished takes an invocation with its result.
func (r *Recorder) Finished(inv lambdahost.Invocation) {
	r.mu.Lock()
	s := Step{
		State: StateOf(inv.Function), Function: inv.Function, Execution: r.executions[inv.TraceID], Event: r.events[inv.TraceID],
		Calls: r.underway[inv.TraceID], Result: inv.Result, Failed: inv.Failed,
		ColdStart: inv.ColdStart, Seconds: inv.Took.Seconds(),
	}
	s.Account, s.Region = about(inv.Payload, inv.Result)
	delete(r.underway, inv.TraceID)
	delete(r.executions, inv.TraceID)
	delete(r.events, inv.TraceID)
	r.counts.Invocations++
	if inv.ColdStart {
		r.counts.ColdStarts++
	}
	r.mu.Unlock()
	r.add(s)
}

// about finds the account and Region that a step's input singles out or, where that has the number of a row, its result.
func about(payload, result []byte) (account, region string) {
	var in struct {
		Row      int
		Notebook *place
	}
	_ = json.Unmarshal(payload, &in)
	switch {
	case in.Notebook != nil:
		return in.Notebook.Account, in.Notebook.Region
	case in.Row > 0:
		var side place
		_ = json.Unmarshal(result, &side) // a failure names none
		return side.Account, side.Region
	}
	return "", ""
}

type place struct{ Account, Region string }

// Called takes an AWS call of a Drawbridge function; it completes and returns
// it.
func (r *Recorder) Called(c awscall.Call) awscall.Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.executions[c.TraceID]; ok {
		c.Execution = e
		r.underway[c.TraceID] = append(r.underway[c.TraceID], c)
	}
	if !r.forgetful {
		r.calls = append(r.calls, c)
	}
	r.touch()
	for _, f := range r.tracers {
		f(c)
	}
	return c
}

// history takes one event of an execution's history.
func (r *Recorder) history(name, machine string, m moment) {
	r.mu.Lock()
	if m.Type == "ExecutionRedriven" {
		delete(r.over, name)
	}
	if r.over[name] { // a branch that was under way when another one failed
		r.mu.Unlock()
		return
	}
	e := r.running[name]
	if e == nil {
		e = &execution{machine: machine}
		r.running[name] = e
	}
	var f Fact
	switch {
	case m.Type == "ExecutionStarted" || m.Type == "ExecutionRedriven":
		f = Start{Execution: name, Machine: machine, Redriven: m.Type == "ExecutionRedriven"}
	case strings.HasSuffix(m.Type, "StateEntered"):
		r.counts.Transitions++
		e.state = m.StateEntered.Name
		kind := strings.TrimSuffix(m.Type, "StateEntered")
		entered := Entered{Execution: name, State: e.state, Type: kind}
		switch kind {
		case "Task":
			e.tasks++
		case "Wait":
			entered.Seconds = r.waits[machine+"/"+e.state].of(m.StateEntered.Input)
		}
		f = entered
	case m.Type == "TaskScheduled":
		// A task scheduled more often than entered is a retry.
		if e.attempts++; e.attempts > e.tasks {
			e.tasks++
			r.counts.Transitions++
		}
	case strings.HasPrefix(m.Type, "Execution"):
		end := End{Execution: name, Machine: machine, State: e.state}
		switch m.Type {
		case "ExecutionSucceeded":
			end.Status, end.Output = "SUCCEEDED", json.RawMessage(m.Succeeded.Output)
		case "ExecutionFailed":
			end.Status, end.Error, end.Cause = "FAILED", m.Failed.Error, m.Failed.Cause
		case "ExecutionTimedOut":
			end.Status, end.Error, end.Cause = "TIMED_OUT", m.TimedOut.Error, m.TimedOut.Cause
		case "ExecutionAborted":
			end.Status, end.Error, end.Cause = "ABORTED", m.Aborted.Error, m.Aborted.Cause
		default:
			r.mu.Unlock()
			return
		}
		delete(r.running, name)
		r.over[name] = true
		if !r.forgetful {
			r.ended[name] = end
		}
		f = end
	}
	r.touch()
	r.mu.Unlock()
	if f != nil {
		r.add(f)
	}
}

// add appends a fact and hands it to who watches.
func (r *Recorder) add(f Fact) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.forgetful {
		r.facts = append(r.facts, f)
	}
	if r.watcher != nil {
		r.watcher(f)
	}
	r.touch()
}

// touch wakes whoever waits; the lock is held.
func (r *Recorder) touch() {
	r.touched = time.Now()
	r.changes++
	close(r.changed)
	r.changed = make(chan struct{})
}

// Changes counts what was recorded, told or not; it never falls.
func (r *Recorder) Changes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changes
}

// First waits for the first end that is as wanted.
func (r *Recorder) First(ctx context.Context, wanted func(End) bool) (End, error) {
	for {
		r.mu.Lock()
		changed := r.changed
		for _, f := range r.facts {
			if e, ok := f.(End); ok && wanted(e) {
				r.mu.Unlock()
				return e, nil
			}
		}
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return End{}, context.Cause(ctx)
		}
	}
}

// Wait waits until at least n executions ended, neither an execution nor a
// function runs any more, and nothing happened for the time quiet; it returns
// the ends in the order in which they came.
func (r *Recorder) Wait(ctx context.Context, n int, quiet time.Duration) ([]End, error) {
	for {
		r.mu.Lock()
		done := len(r.ended) >= n && len(r.running) == 0 && len(r.underway) == 0
		rest := quiet - time.Since(r.touched)
		changed := r.changed
		var ends []End
		for _, f := range r.facts {
			if e, ok := f.(End); ok {
				ends = append(ends, e)
			}
		}
		r.mu.Unlock()
		if done && rest <= 0 {
			return ends, nil
		}
		var timer <-chan time.Time
		if done {
			timer = time.After(rest)
		}
		select {
		case <-changed:
		case <-timer:
		case <-ctx.Done():
			return ends, context.Cause(ctx)
		}
	}
}
