package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

// One does it at a time; who began two minutes ago has ended, and an execution does not wait for itself.
func TestWhile(t *testing.T) {
	l, memory := ledgertest.New()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l.Now = func() time.Time { return now }
	try := func(by string) error { return l.While(t.Context(), "role a", by, func() error { return nil }) }
	failed := errors.New("failed")
	err := l.While(t.Context(), "role a", "first", func() error {
		if err := try("second"); fault.Of(err) != fault.NotYet {
			t.Errorf("meanwhile: %v", err)
		}
		if err := l.While(t.Context(), "role b", "second", func() error { return nil }); err != nil {
			t.Errorf("another name: %v", err)
		}
		return failed
	})
	if !errors.Is(err, failed) || len(memory.Rows()) > 0 {
		t.Fatalf("%v; left %v", err, memory.Rows())
	}
	// The function was killed: its lease is still there.
	acquire := func() error {
		_, _, err := l.Acquire(t.Context(), "role a", ledger.Lease{Holder: "first " + now.Format(time.RFC3339Nano)}, nil)
		return err
	}
	if err := acquire(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	if err := try("second"); fault.Of(err) != fault.NotYet {
		t.Errorf("a second later: %v", err)
	}
	if err := try("first"); err != nil {
		t.Errorf("the same execution, retried: %v", err)
	}
	if err := acquire(); err != nil {
		t.Fatal(err)
	}
	if now = now.Add(2 * time.Minute); try("second") != nil || len(memory.Rows()) > 0 {
		t.Errorf("two minutes later: left %v", memory.Rows())
	}
}

// world is what Step Functions says of the executions.
type world map[string]bool // by name, whether it is over

func (w world) ended(_ context.Context, l ledger.Lease) (bool, error) { return w[l.Holder], nil }

func TestALeaseIsOnesAndTheSecondIsSeen(t *testing.T) {
	ctx := t.Context()
	l, memory := ledgertest.New()
	w := world{}
	acquire := func(who string) (ledger.Lease, bool) {
		t.Helper()
		now, taken, err := l.Acquire(ctx, "pcx-1", ledger.Lease{Holder: who, Event: "event of " + who}, w.ended)
		if err != nil {
			t.Fatal(err)
		}
		return now, taken
	}
	yield := func(who string) bool {
		t.Helper()
		again, err := l.Yield(ctx, "pcx-1", who)
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	if now, taken := acquire("one"); !taken || now.Holder != "one" || now.Again {
		t.Fatalf("one has it not: %+v", now)
	}
	for range 3 {
		if now, taken := acquire("two"); taken || now.Holder != "one" || !now.Again || now.Event != "event of one" {
			t.Fatalf("two has it as well: %+v", now)
		}
	}
	if now, taken := acquire("one"); taken || !now.Again {
		t.Fatalf("one asks once more, and forgets that two came: %+v", now)
	}
	if yield("two") || !yield("one") || !yield("one") {
		t.Fatal("one was not told of two, or not again after the answer was lost")
	}
	if now, taken := acquire("two"); !taken || now.Again {
		t.Fatalf("two looks again: %+v", now)
	}
	if yield("one") { // late
		t.Fatal("one took the lease of two")
	}
	w["two"] = true // it failed
	if now, taken := acquire("three"); !taken || now.Holder != "three" {
		t.Fatalf("who is over keeps the lease: %+v", now)
	}
	if yield("two") || yield("three") {
		t.Fatal("nobody came")
	}
	if rows := memory.Rows(); len(rows) != 0 {
		t.Fatalf("left: %v", rows)
	}
}

// A step of an execution that was redriven works if nobody else is at it, and then has the lease again.
func TestAStepWorksOnlyWithTheLease(t *testing.T) {
	ctx := t.Context()
	l, memory := ledgertest.New()
	w := world{}
	take := func(who string) {
		t.Helper()
		if now, _, err := l.Acquire(ctx, "pcx-1", ledger.Lease{Holder: who}, w.ended); err != nil || now.Holder != who {
			t.Fatalf("%s has it not: %+v, %v", who, now, err)
		}
	}
	record := func(who string) error {
		_, err := l.Under("pcx-1", who).Record(ctx, "pcx-1", route("rtb-1", "10.2.0.0/16", "pcx-1"))
		return err
	}
	take("one")
	if err := record("one"); err != nil {
		t.Fatal(err)
	}
	w["one"] = true
	take("two")
	before := memory.Rows()
	items, err := l.Items(ctx, "pcx-1")
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"Record":  record("one"),
		"Hold":    l.Hold(ctx, "pcx-1", "one"),
		"Forget":  l.Under("pcx-1", "one").Forget(ctx, "pcx-1", items),
		"Release": func() error { _, err := l.Under("pcx-1", "one").Release(ctx, "pcx-1", items); return err }(),
	} {
		if fault.Of(err) != fault.NotYet {
			t.Errorf("%s of who lost the lease: %v", what, err)
		}
	}
	if !slices.Equal(before, memory.Rows()) {
		t.Errorf("it wrote all the same: %v, then %v", before, memory.Rows())
	}
	if _, err := l.Under("", "one").Release(ctx, "pcx-1", nil); err != nil {
		t.Errorf("under no lease: %v", err)
	}
	if again, err := l.Yield(ctx, "pcx-1", "two"); again || err != nil {
		t.Fatal(again, err)
	}
	if err := record("one"); err != nil {
		t.Fatalf("two is through, and one is redriven: %v", err)
	}
	if now, taken, err := l.Acquire(ctx, "pcx-1", ledger.Lease{Holder: "three"}, world{}.ended); err != nil || taken || now.Holder != "one" {
		t.Errorf("it works without the lease: %+v, %v", now, err)
	}
}

// However executions come, die, are redriven and end, whatever answers are lost and calls refused: never do two work with the lease that
// are both alive, and what is news when somebody comes is seen by a look that begins after that.
func TestNobodyIsForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		l, memory := ledgertest.New()
		memory.Fault = func(string) ledgertest.Fault {
			return rapid.SampledFrom([]ledgertest.Fault{ledgertest.None, ledgertest.None, ledgertest.None, ledgertest.Refused, ledgertest.Lost}).Draw(t, "fault")
		}
		insist := func(f func() error) { insist(t, f) }
		w := world{}
		news, seen := 0, 0        // what happened to the thing, and what of it somebody looked at to the end
		looks := map[string]int{} // by execution at work: which news it read
		asked := 0                // looks that are asked for and have not begun
		came := 0
		come := func() {
			name := fmt.Sprintf("execution %d", came)
			came++
			var now ledger.Lease
			insist(func() (err error) {
				now, _, err = l.Acquire(ctx, "pcx-1", ledger.Lease{Holder: name}, w.ended)
				return err
			})
			if now.Holder != name {
				if _, alive := looks[now.Holder]; !alive {
					t.Fatalf("%s is told that %s is at it, which is over", name, now.Holder)
				}
				return
			}
			if len(looks) > 0 {
				t.Fatalf("%s works beside %v", name, looks)
			}
			looks[name] = news
		}
		t.Repeat(map[string]func(*rapid.T){
			"news": func(*rapid.T) { news++; come() },
			"a look that was asked for": func(*rapid.T) {
				if asked > 0 {
					asked--
					come()
				}
			},
			"the end": func(*rapid.T) {
				for name, read := range looks {
					var again bool
					insist(func() (err error) {
						again, err = l.Yield(ctx, "pcx-1", name)
						return err
					})
					if again {
						asked++
					}
					seen = max(seen, read)
					delete(looks, name)
					w[name] = true
				}
			},
			"a death": func(*rapid.T) {
				for name := range looks {
					delete(looks, name)
					w[name] = true
					asked++ // people are told that it failed, and the sweep looks
				}
			},
			"": func(t *rapid.T) {
				if len(looks) > 1 {
					t.Fatalf("at work at once: %v", looks)
				}
				if len(looks) == 0 && asked == 0 && seen < news {
					t.Fatalf("news %d is seen by nobody: the last that was is %d", news, seen)
				}
			},
		})
	})
}
