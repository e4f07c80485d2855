package lease_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// stepFunctions knows executions by their ARNs.
type stepFunctions map[string]types.ExecutionStatus

func (s stepFunctions) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	status, ok := s[aws.ToString(in.ExecutionArn)]
	if !ok {
		return nil, &smithy.GenericAPIError{Code: "ExecutionDoesNotExist"}
	}
	return &sfn.DescribeExecutionOutput{Status: status}, nil
}

// bus counts the events that were put on it.
type bus int

func (b *bus) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	*b += bus(len(in.Entries))
	return &eventbridge.PutEventsOutput{}, nil
}

// step is a look: who looks, and what an earlier look of the same execution read.
type step struct{ who, known string }

const machine = "arn:aws:states:eu-west-1:123456789012:execution:drawbridge-peering"

func all(k lease.Keeper, do func(context.Context, step) (string, error)) func(context.Context, step) (string, error) {
	return lease.Look[step, string]{
		Claim: func(s step) lease.Claim {
			return lease.Claim{Of: "pcx-1", Execution: s.who, Event: "event of " + s.who}
		},
		Fresh: func(s step) step { return step{who: s.who} },
		Busy: func(_ context.Context, s step, now ledger.Lease) (string, error) {
			return lease.Said("pcx-1", now), nil
		},
		Ends: func(out string) bool { return out == "nothing" },
	}.One(k, do)
}

// hub is a machine's executions around one connection.
type hub struct {
	*testing.T
	lease.Keeper
	memory *ledgertest.Memory
	now    time.Time
	looked []step
	asked  bus // looks that were asked for
}

func open(t *testing.T, running stepFunctions) *hub {
	h := &hub{T: t}
	l, memory := ledgertest.New()
	h.now, h.memory = l.Now(), memory
	l.Now = func() time.Time { return h.now }
	h.Keeper = lease.Keeper{Ledger: l, API: running, Of: machine}
	return h
}

// look is an execution's first step.
func (h *hub) look(who, known string) (string, error) {
	return all(h.Keeper, func(_ context.Context, s step) (string, error) {
		h.looked = append(h.looked, s)
		return "connect", nil
	})(h.Context(), step{who, known})
}

// last is its last.
func (h *hub) last(who, known string) (string, error) {
	return lease.Last(h.Ledger, look.Asker{API: &h.asked, Bus: "bus"}, func(s step) (lease.Claim, look.Look) {
		return lease.Claim{Of: "pcx-1", Execution: s.who}, event.Inspection{Account: "111111111111", Region: "eu-west-1", PeeringID: "pcx-1"}
	}, func(_ context.Context, s step) (string, error) {
		if s.known == "trouble" {
			return "", errors.New("trouble")
		}
		return "Connected", nil
	})(h.Context(), step{who, known})
}

func TestOneLooksTheNextWaitsTheOthersEnd(t *testing.T) {
	h := open(t, stepFunctions{machine + ":one": types.ExecutionStatusRunning, machine + ":two": types.ExecutionStatusRunning})
	if out, err := h.look("one", ""); out != "connect" || err != nil {
		t.Fatal(out, err)
	}
	if out, err := h.look("two", "facts"); fault.Of(err) != fault.NotYet || !strings.Contains(err.Error(), "execution one, which is at pcx-1") {
		t.Fatalf("two is not next: %s, %v", out, err)
	}
	for _, who := range []string{"three", "four"} {
		if out, err := h.look(who, ""); err != nil || !strings.Contains(out, "execution two looks at pcx-1 next") {
			t.Fatalf("%s: %s, %v", who, out, err)
		}
	}
	if out, err := h.look("one", "facts"); out != "connect" || err != nil || len(h.looked) != 2 || h.looked[1].known != "facts" {
		t.Fatalf("one looks once more: %s, %v, with %+v", out, err, h.looked)
	}
	if _, err := h.last("two", ""); fault.Of(err) != fault.NotYet {
		t.Fatalf("two concludes what one is at: %v", err)
	}
	if _, err := h.last("one", "trouble"); err == nil {
		t.Fatal("a step that fails gives the lease away")
	}
	if out, err := h.last("one", ""); out != "Connected" || err != nil || h.asked != 0 {
		t.Fatalf("%s, %v, %d looks asked for, though two is next", out, err, h.asked)
	}
	if out, err := h.look("two", "facts"); out != "connect" || err != nil || len(h.looked) != 3 || h.looked[2].known != "" {
		t.Fatalf("%s, %v: what two read before it had the lease is read anew: %+v", out, err, h.looked)
	}
	if _, err := h.last("two", ""); err != nil || h.asked != 0 || len(h.memory.Rows()) != 0 {
		t.Fatalf("nobody came: %v, %d looks asked for, left %v", err, h.asked, h.memory.Rows())
	}
}

// A holder that takes longer than the next one waits asks for a look at its end.
func TestWhoWaitedLongEndsAndALookIsAskedFor(t *testing.T) {
	h := open(t, stepFunctions{machine + ":one": types.ExecutionStatusRunning})
	if _, err := h.look("one", ""); err != nil {
		t.Fatal(err)
	}
	for n := range ledger.Asks {
		if _, err := h.look("two", ""); fault.Of(err) != fault.NotYet {
			t.Fatalf("ask %d: %v", n+1, err)
		}
	}
	if out, err := h.look("two", ""); err != nil || !strings.Contains(out, "execution one is at pcx-1, and it is looked at again") {
		t.Fatalf("%s, %v", out, err)
	}
	if _, err := h.last("one", ""); err != nil || h.asked != 1 {
		t.Fatalf("%v, %d looks asked for", err, h.asked)
	}
}

// One call waits a little for its turn, before the machine does.
func TestTheNextWaitsALittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, stepFunctions{machine + ":one": types.ExecutionStatusRunning})
		h.Patience = 3 * time.Second
		if _, err := h.look("one", ""); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := h.look("two", ""); fault.Of(err) != fault.NotYet || time.Since(began) != 3*time.Second {
			t.Fatalf("after %s: %v", time.Since(began), err)
		}
		go func() {
			time.Sleep(time.Second / 2)
			if _, err := h.last("one", ""); err != nil {
				t.Error(err)
			}
		}()
		if out, err := h.look("two", ""); out != "connect" || err != nil {
			t.Fatalf("one is through, and two gets %s, %v", out, err)
		}
	})
}

// An answer that ends the execution gives the lease back, whatever it is; what is tried again keeps it, and so does an execution that fails, until somebody comes.
func TestALookThatEndsGivesItBack(t *testing.T) {
	for name, c := range map[string]struct {
		out  string
		err  error
		free bool
	}{
		"nothing to do":    {"nothing", nil, true},
		"something to do":  {"connect", nil, false},
		"held back":        {"", fault.New(fault.Held, "paused"), true},
		"a person must":    {"", fault.NewConflict("in the way", "move it"), false},
		"not yet":          {"", fault.New(fault.NotYet, "provisioning"), false},
		"throttled":        {"", fault.New(fault.Transient, "slow down"), false},
		"closed to us":     {"", fault.New(fault.Refused, "no"), false},
		"an event is lost": {"", fault.New(fault.Invalid, "what?"), false},
	} {
		t.Run(name, func(t *testing.T) {
			l, memory := ledgertest.New()
			k := lease.Keeper{Ledger: l, API: stepFunctions{machine + ":one": types.ExecutionStatusRunning}, Of: machine}
			out, err := all(k, func(context.Context, step) (string, error) { return c.out, c.err })(t.Context(), step{who: "one"})
			if out != c.out || !errors.Is(err, c.err) || (len(memory.Rows()) == 0) != c.free {
				t.Errorf("%s, %v; left %v", out, err, memory.Rows())
			}
		})
	}
}

// Who came, and waits no more, while an execution looks and finds nothing to do is looked for at once, by the same.
func TestALookIsRepeatedForWhoCame(t *testing.T) {
	ctx := t.Context()
	l, memory := ledgertest.New()
	k := lease.Keeper{Ledger: l, API: stepFunctions{machine + ":one": types.ExecutionStatusRunning}, Of: machine}
	for coming, want := range map[int]int{0: 1, 1: 2, 2: 2} {
		looks := 0
		_, err := all(k, func(context.Context, step) (string, error) {
			if looks++; looks <= coming {
				for range ledger.Asks + 1 { // it waits no more
					if _, _, err := l.Acquire(ctx, "pcx-1", ledger.Turn{Holder: "other"}, func(context.Context, ledger.Turn) (bool, error) { return false, nil }); err != nil {
						t.Fatal(err)
					}
				}
			}
			return "nothing", nil
		})(ctx, step{who: "one"})
		if looks != want || (err != nil) != (coming > 1) || coming > 1 && fault.Of(err) != fault.NotYet {
			t.Errorf("%d come: %d looks, %v", coming, looks, err)
		}
		if _, _, err := l.Acquire(ctx, "pcx-1", ledger.Turn{Holder: "clean"}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Yield(ctx, "pcx-1", "clean"); err != nil || len(memory.Rows()) > 0 {
			t.Fatal(err, memory.Rows())
		}
	}
}

func TestAHolderThatEndedHasNoLease(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		status types.ExecutionStatus
		age    time.Duration
		taken  bool
	}{
		"it runs":                             {types.ExecutionStatusRunning, time.Hour, false},
		"it is about to be redriven":          {types.ExecutionStatusPendingRedrive, time.Hour, false},
		"it failed":                           {types.ExecutionStatusFailed, 0, true},
		"a person stopped it":                 {types.ExecutionStatusAborted, 0, true},
		"it took longer than an hour":         {types.ExecutionStatusTimedOut, time.Hour, true},
		"it was held back, and ended well":    {types.ExecutionStatusSucceeded, 0, true},
		"Step Functions does not know it":     {"", time.Hour, true},
		"Step Functions does not know it yet": {"", time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := ledgertest.New()
			now := l.Now()
			l.Now = func() time.Time { return now }
			if _, _, err := l.Acquire(ctx, "pcx-1", ledger.Turn{Holder: "one"}, nil); err != nil {
				t.Fatal(err)
			}
			now = now.Add(c.age)
			executions := stepFunctions{}
			if c.status != "" {
				executions[machine+":one"] = c.status
			}
			out, err := all(lease.Keeper{Ledger: l, API: executions, Of: machine}, func(context.Context, step) (string, error) { return "connect", nil })(ctx, step{who: "two"})
			if (out == "connect") != c.taken || (fault.Of(err) == fault.NotYet) == c.taken {
				t.Errorf("%s, %v", out, err)
			}
		})
	}
}

// Who fails has the lease until somebody comes: nobody worked on the thing since. Whoever waits has it at once, and whoever came and waits no more has it
// looked at again.
func TestWhoFailsKeepsItUntilSomebodyComes(t *testing.T) {
	ctx := t.Context()
	running := stepFunctions{machine + ":one": types.ExecutionStatusRunning, machine + ":two": types.ExecutionStatusRunning}
	fails := func(k lease.Keeper, meanwhile func()) (looks int, err error) {
		_, err = all(k, func(context.Context, step) (string, error) {
			if looks++; looks == 1 {
				meanwhile()
			}
			return "", fault.NewConflict("in the way", "move it")
		})(ctx, step{who: "one"})
		return looks, err
	}
	come := func(k lease.Keeper, times int) func() {
		return func() {
			for range times {
				if _, _, err := k.Ledger.Acquire(ctx, "pcx-1", ledger.Turn{Holder: "two"}, k.Ended); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for name, c := range map[string]struct {
		comes, looks int
		holder       string
	}{
		"nobody comes":           {0, 1, "one"},
		"somebody waits":         {1, 1, ""},
		"somebody waits no more": {ledger.Asks + 1, 2, "one"},
	} {
		l, _ := ledgertest.New()
		k := lease.Keeper{Ledger: l, API: running, Of: machine}
		looks, err := fails(k, come(k, c.comes))
		holder, failed := l.Holder(ctx, "pcx-1")
		if fault.Of(err) != fault.Conflict || looks != c.looks || holder != c.holder || failed != nil {
			t.Errorf("%s: %d looks, %v; %q has it, %v", name, looks, err, holder, failed)
		}
	}
	l, _ := ledgertest.New()
	k := lease.Keeper{Ledger: l, API: running, Of: machine}
	if _, err := fails(k, func() {}); err == nil {
		t.Fatal("it failed")
	}
	running[machine+":one"] = types.ExecutionStatusFailed
	if _, err := all(k, func(context.Context, step) (string, error) { return "connect", nil })(ctx, step{who: "two"}); err != nil {
		t.Fatal(err)
	}
	if holder, _ := l.Holder(ctx, "pcx-1"); holder != "two" {
		t.Errorf("%q has the lease of an execution that ended", holder)
	}
}
