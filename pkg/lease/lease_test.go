package lease_test

import (
	"context"
	"errors"
	"strings"
	"testing"
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

func TestOneLooksTheOthersEnd(t *testing.T) {
	ctx := t.Context()
	l, memory := ledgertest.New()
	now := l.Now()
	l.Now = func() time.Time { return now }
	running := stepFunctions{machine + ":one": types.ExecutionStatusRunning}
	k := lease.Keeper{Ledger: l, API: running, Of: machine}
	var looked []step
	next := func(who, known string) (string, error) {
		return all(k, func(_ context.Context, s step) (string, error) {
			looked = append(looked, s)
			return "connect", nil
		})(ctx, step{who, known})
	}
	if out, err := next("one", ""); out != "connect" || err != nil {
		t.Fatal(out, err)
	}
	for _, who := range []string{"two", "three"} {
		if out, err := next(who, ""); err != nil || !strings.Contains(out, "execution one is at pcx-1") {
			t.Fatalf("%s: %s, %v", who, out, err)
		}
	}
	if out, err := next("one", "facts"); out != "connect" || err != nil || looked[len(looked)-1].known != "facts" {
		t.Fatalf("one looks once more: %s, %v, with %+v", out, err, looked)
	}
	if len(looked) != 2 {
		t.Fatalf("looked: %v", looked)
	}

	// The last step gives the lease back, and a look is asked for.
	var events bus
	last := lease.Last(l, look.Asker{API: &events, Bus: "bus"}, func(s step) (lease.Claim, look.Look) {
		return lease.Claim{Of: "pcx-1", Execution: s.who}, event.Inspection{Account: "111111111111", Region: "eu-west-1", PeeringID: "pcx-1"}
	}, func(_ context.Context, s step) (string, error) {
		if s.known == "trouble" {
			return "", errors.New("trouble")
		}
		return "Connected", nil
	})
	if _, err := last(ctx, step{"two", ""}); fault.Of(err) != fault.NotYet || events != 0 {
		t.Fatalf("two concludes what one is at: %v", err)
	}
	if _, err := last(ctx, step{"one", "trouble"}); err == nil || events != 0 {
		t.Fatalf("a step that fails gives nothing back: %v", err)
	}
	if out, err := last(ctx, step{"one", ""}); out != "Connected" || err != nil || events != 1 {
		t.Fatalf("%s, %v, %d looks asked for", out, err, events)
	}
	if out, err := next("four", "facts"); out != "connect" || err != nil || looked[len(looked)-1].known != "" {
		t.Fatalf("%s, %v: what four read before it had the lease is read anew: %+v", out, err, looked)
	}
	if _, err := last(ctx, step{"four", ""}); err != nil || events != 1 || len(memory.Rows()) != 0 {
		t.Fatalf("nobody came: %v, %d looks asked for, left %v", err, events, memory.Rows())
	}
}

// An answer that ends the execution gives the lease back, whatever it is; what is tried again keeps it.
func TestALookThatEndsGivesItBack(t *testing.T) {
	for name, c := range map[string]struct {
		out  string
		err  error
		free bool
	}{
		"nothing to do":    {"nothing", nil, true},
		"something to do":  {"connect", nil, false},
		"held back":        {"", fault.New(fault.Held, "paused"), true},
		"a person must":    {"", fault.NewConflict("in the way", "move it"), true},
		"not yet":          {"", fault.New(fault.NotYet, "provisioning"), false},
		"throttled":        {"", fault.New(fault.Transient, "slow down"), false},
		"closed to us":     {"", fault.New(fault.Refused, "no"), true},
		"an event is lost": {"", fault.New(fault.Invalid, "what?"), true},
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

// Who comes while an execution looks and finds nothing to do is looked for at once, by the same; who keeps coming waits.
func TestALookIsRepeatedForWhoCame(t *testing.T) {
	ctx := t.Context()
	l, memory := ledgertest.New()
	k := lease.Keeper{Ledger: l, API: stepFunctions{machine + ":one": types.ExecutionStatusRunning}, Of: machine}
	for coming, want := range map[int]int{0: 1, 1: 2, 2: 2} {
		looks := 0
		_, err := all(k, func(context.Context, step) (string, error) {
			if looks++; looks <= coming {
				if _, _, err := l.Acquire(ctx, "pcx-1", ledger.Lease{Holder: "other"}, func(context.Context, ledger.Lease) (bool, error) { return false, nil }); err != nil {
					t.Fatal(err)
				}
			}
			return "nothing", nil
		})(ctx, step{who: "one"})
		if looks != want || (err != nil) != (coming > 1) || coming > 1 && fault.Of(err) != fault.NotYet {
			t.Errorf("%d come: %d looks, %v", coming, looks, err)
		}
		if _, _, err := l.Acquire(ctx, "pcx-1", ledger.Lease{Holder: "clean"}, nil); err != nil {
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
			if _, _, err := l.Acquire(ctx, "pcx-1", ledger.Lease{Holder: "one"}, nil); err != nil {
				t.Fatal(err)
			}
			now = now.Add(c.age)
			executions := stepFunctions{}
			if c.status != "" {
				executions[machine+":one"] = c.status
			}
			out, err := all(lease.Keeper{Ledger: l, API: executions, Of: machine}, func(context.Context, step) (string, error) { return "connect", nil })(ctx, step{who: "two"})
			if err != nil || (out == "connect") != c.taken {
				t.Errorf("%s, %v", out, err)
			}
		})
	}
}
