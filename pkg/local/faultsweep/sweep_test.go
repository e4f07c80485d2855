package faultsweep

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// kind is one way in which a call fails.
type kind struct {
	name  string
	when  local.Moment
	fault local.Fault
	// ends are the error names with which the machine may stop; none means that
	// it must go on by itself.
	ends []string
}

// kinds are all ways. A time-out is a connection that closes without an answer,
// or RequestTimeout of AWS: what is left in the accounts is the same as after a
// real one, without the wait.
var kinds = []kind{
	{"throttled", local.Before, local.Fault{Status: 503, Code: "RequestLimitExceeded", Message: "Request limit exceeded."}, nil},
	{"server error", local.Before, local.Fault{Status: 500, Code: "InternalFailure", Message: "An internal error has occurred."}, nil},
	{"time-out before the effect", local.Before, local.Fault{Status: 408, Code: "RequestTimeout", Message: "The request timed out."}, nil},
	{"time-out after the effect", local.After, local.Fault{Reset: true}, nil},
	{"access denied", local.Before, local.Fault{Status: 403, Code: "AccessDenied", Message: "User is not authorized to perform this operation."}, []string{"Refused"}},
	{"connection reset", local.Before, local.Fault{Reset: true}, nil},
	{"function killed", local.After, local.Fault{Kill: true}, nil},
}

// call is one AWS call of the story: the n-th of its kind.
type call struct {
	function, service, action string
	n                         int
}

func (c call) String() string {
	return fmt.Sprintf("%s %s:%s #%d", c.function, c.service, c.action, c.n)
}

// numbered gives each call its number among those of the same name.
func numbered(calls []awscall.Call) []call {
	count := map[call]int{}
	var out []call
	for _, c := range calls {
		one := call{function: c.Function, service: c.Service, action: c.Action}
		count[one]++
		one.n = count[one]
		out = append(out, one)
	}
	return out
}

// once strikes one call, one time.
func once(at call, k kind, struck *atomic.Int32) local.Injector {
	var count atomic.Int32
	return func(c awscall.Call, when local.Moment) *local.Fault {
		if when != k.when || c.Function != at.function || c.Service != at.service || c.Action != at.action || int(count.Add(1)) != at.n {
			return nil
		}
		struck.Add(1)
		f := k.fault
		return &f
	}
}

// every says that no sample is enough.
var every = os.Getenv("DRAWBRIDGE_FAULTS") == "all"

// TestFaults strikes the calls of the first scenario, one at a time.
func TestFaults(t *testing.T) {
	ctx := limited(t, 30*time.Minute)
	w := world(ctx, t, nil)
	settle(ctx, t, 0)
	engine.Cool()
	engine.Story().Begin()
	must(t, w.Request(ctx))
	if ends := settle(ctx, t, 1); len(ends) != 1 || ends[0].State != "Connected" {
		t.Fatalf("the undisturbed story ends with %+v", ends)
	}
	want := snapshot(ctx, t, w)
	calls := numbered(engine.Story().Calls())
	if len(calls) < 20 {
		t.Fatalf("the story has only %d calls", len(calls))
	}
	var tried, survived, changes int
	for i, c := range sample(calls) {
		for j, k := range kinds {
			if !every && !picked(c, i, j, k) {
				continue
			}
			tried++
			name := c.String() + ", " + k.name
			if t.Run(name, func(t *testing.T) { changes += strike(ctx, t, c, k, want) }) {
				survived++
			}
		}
	}
	which := "a sample; DRAWBRIDGE_FAULTS=all tries all"
	if every {
		which = "every kind at every call"
	}
	fmt.Printf("%d faults, %d survived, %d foreign changes (%s)\n", tried, survived, changes, which)
	if tried == 0 || survived != tried || changes != 0 {
		t.Errorf("%d of %d faults survived with %d foreign changes", survived, tried, changes)
	}
}

// picked chooses the sample: each call gets one kind in turn, and one that
// changes something also loses its answer after the effect.
func picked(c call, i, j int, k kind) bool {
	changes := c.action != "AssumeRole" && !awscall.Call{Action: c.action}.Reads()
	return i%len(kinds) == j || changes && k.when == local.After && k.fault.Reset
}

// sample returns all calls, or the first of each name.
func sample(calls []call) []call {
	if every {
		return calls
	}
	return slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return c.n > 1 })
}

// strike plays the story with one fault and returns how many things of others
// it changed.
func strike(ctx context.Context, t *testing.T, at call, k kind, want []string) int {
	w := world(ctx, t, nil)
	before := snapshot(ctx, t, w)
	begin(ctx, t)
	var struck atomic.Int32
	fault := once(at, k, &struck)
	injector.Store(&fault)
	t.Cleanup(func() { injector.Store(nil) })
	must(t, w.Request(ctx))
	ends := settle(ctx, t, 1)
	injector.Store(nil)
	if struck.Load() != 1 {
		t.Errorf("the fault struck %d times, want once", struck.Load())
	}
	middle := snapshot(ctx, t, w)
	changes := taken(t, before, middle)
	if len(ends) != 1 {
		t.Errorf("%d executions ended, want one: %+v", len(ends), ends)
		return changes
	}
	end := ends[0]
	if end.Status == "SUCCEEDED" {
		if end.State != "Connected" {
			t.Errorf("it ends as %s, want Connected", end.State)
		}
		if d := difference(want, middle); d != "" {
			t.Errorf("the end is not the undisturbed one:\n%s", d)
		}
		return changes
	}
	if !slices.Contains(k.ends, end.Error) {
		t.Errorf("it stops with %s, want %q or the end by retries: %s", end.Error, k.ends, end.Cause)
	}
	if !named(w, end) {
		t.Errorf("the message names nothing: %s", end.Cause)
	}
	engine.Story().Begin()
	again(ctx, t, end)
	if ends := settle(ctx, t, 1); len(ends) != 1 || ends[0].State != "Connected" || ends[0].Status != "SUCCEEDED" {
		t.Errorf("with the fault gone it ends with %+v", ends)
	}
	after := snapshot(ctx, t, w)
	if d := difference(want, after); d != "" {
		t.Errorf("with the fault gone the end is not the undisturbed one:\n%s", d)
	}
	return changes + taken(t, before, after)
}

// taken counts what stood in the world before and does not any more.
func taken(t *testing.T, before, after []string) int {
	t.Helper()
	gone := lacking(before, after)
	for _, l := range gone {
		t.Errorf("somebody else's: %s", l)
	}
	return len(gone)
}

// named reports whether the message of a failure names a thing in the world.
func named(w *scenario.World, end story.End) bool {
	things := []string{w.Connection, w.Consumer.Account, w.Producer.Account, w.Notebook.Name, w.Database.Name, "/drawbridge/policy"}
	for id := range w.Names() {
		things = append(things, id)
	}
	return slices.ContainsFunc(things, func(s string) bool { return strings.Contains(end.Cause, s) })
}
