package brake_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

const cause = "the policy does not allow it any more"

// clock is a ledger in memory whose time passes.
func clock() (ledger.Ledger, *time.Time) {
	l, _ := ledgertest.New()
	now := l.Now()
	l.Now = func() time.Time { return now }
	return l, &now
}

func ask(t *testing.T, b brake.Brake, id string) bool {
	t.Helper()
	err := b.Ask(t.Context(), id, cause)
	if err != nil && fault.Of(err) != fault.Held {
		t.Fatal(err)
	}
	return err == nil
}

func TestFiveGoAndTheRestWaits(t *testing.T) {
	l, now := clock()
	b := brake.Brake{Ledger: l, Limit: brake.Limit{Connections: 5, Percent: 5}}
	for n := range 5 {
		if !ask(t, b, fmt.Sprint("pcx-", n)) {
			t.Fatalf("number %d waits", n)
		}
	}
	if !ask(t, b, "pcx-3") {
		t.Error("a step that is done again is a second removal")
	}
	err := b.Ask(t.Context(), "pcx-5", cause)
	if fault.Of(err) != fault.Held || !strings.HasPrefix(err.Error(), "Braked: ") || !strings.Contains(err.Error(), "pcx-5") || !strings.Contains(err.Error(), cause) {
		t.Errorf("the sixth: %v", err)
	}
	if first, err := b.Tell(t.Context()); !first || err != nil {
		t.Errorf("people are not told: %v", err)
	}
	if again, _ := b.Tell(t.Context()); again {
		t.Error("people are told twice")
	}
	*now = now.Add(2 * brake.Window)
	if ask(t, b, "pcx-5") || ask(t, b, "pcx-6") {
		t.Error("what waits for a person went by itself the next day")
	}
	waiting, err := b.Waiting(t.Context())
	if err != nil || len(waiting) != 2 || waiting[0].ID != "pcx-5" || waiting[0].Cause != cause {
		t.Errorf("%+v, %v", waiting, err)
	}
}

func TestThereIsRoomForSoMany(t *testing.T) {
	l, now := clock()
	b := brake.Brake{Ledger: l, Limit: brake.Limit{Connections: 2}}
	holds := func(want int, when string) {
		t.Helper()
		if got, err := b.Room(t.Context()); got != want || err != nil {
			t.Errorf("%s there is room for %d, %v, want %d", when, got, err, want)
		}
	}
	holds(2, "at first")
	ask(t, b, "a")
	holds(1, "after one")
	*now = now.Add(brake.Window)
	holds(2, "a day later")
	for _, id := range []string{"b", "c", "d"} {
		ask(t, b, id)
	}
	*now = now.Add(brake.Window)
	holds(0, "while the brake is on")
	if err := b.Release(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	holds(2, "after a person decided")
}

func TestAPersonLetsThemThrough(t *testing.T) {
	l, now := clock()
	b := brake.Brake{Ledger: l, Limit: brake.Limit{Connections: 1}}
	for _, id := range []string{"a", "b", "c"} {
		ask(t, b, id)
	}
	if err := b.Release(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the execution that is started again, and a redrive of it
		if !ask(t, b, "b") || !ask(t, b, "c") {
			t.Error("what was let through waits")
		}
	}
	if !ask(t, b, "d") || ask(t, b, "e") {
		t.Error("the count does not begin anew")
	}
	if err := b.Release(t.Context(), true); err != nil { // with rows of the first time
		t.Fatal(err)
	}
	*now = now.Add(25 * time.Hour)
	ask(t, b, "f")
	if ask(t, b, "b") {
		t.Error("what was let through once passes for ever")
	}
}

func TestAPersonDismissesThem(t *testing.T) {
	l, _ := clock()
	b := brake.Brake{Ledger: l, Limit: brake.Limit{Connections: 1}}
	ask(t, b, "a")
	ask(t, b, "b")
	if err := b.Release(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if waiting, err := b.Waiting(t.Context()); len(waiting) != 0 || err != nil {
		t.Errorf("%+v, %v", waiting, err)
	}
	if !ask(t, b, "b") || ask(t, b, "c") {
		t.Error("what was dismissed does not count anew")
	}
}

func TestTheLimitIsWhicheverIsMore(t *testing.T) {
	for managed, want := range map[int]int{0: 5, 99: 5, 100: 5, 120: 6, 1000: 50} {
		l, _ := clock()
		b := brake.Brake{Ledger: l, Limit: brake.Limit{Connections: 5, Percent: 5}}
		if err := b.Managed(t.Context(), managed); err != nil {
			t.Fatal(err)
		}
		n := 0
		for ask(t, b, fmt.Sprint(n)) {
			n++
		}
		if n != want {
			t.Errorf("of %d connections %d go, want %d", managed, n, want)
		}
	}
}

func TestTheWindowSlides(t *testing.T) {
	l, now := clock()
	b := brake.Brake{Ledger: l, Limit: brake.Limit{Connections: 2}}
	for n := range 10 { // one each half day: never more than two in a day
		if !ask(t, b, fmt.Sprint(n)) {
			t.Fatalf("number %d waits", n)
		}
		*now = now.Add(brake.Window / 2)
	}
}

func TestManyAtOnce(t *testing.T) {
	l, _ := clock()
	b := brake.Brake{Ledger: l, Limit: brake.Limit{Connections: 3}}
	var passed sync.Map
	var all sync.WaitGroup
	for n := range 12 {
		all.Go(func() {
			id := fmt.Sprint(n)
			for {
				err := b.Ask(context.Background(), id, cause)
				if fault.Of(err) == fault.Transient {
					continue // as its machine does
				}
				if err == nil {
					passed.Store(id, true)
				}
				return
			}
		})
	}
	all.Wait()
	count := 0
	passed.Range(func(any, any) bool { count++; return true })
	if count != 3 {
		t.Errorf("%d passed, want 3", count)
	}
}

// Whatever happens, with lost answers at any write: no more than the limit go in a window without a person, and nobody who waits goes
// without one.
func TestNeverMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l, rows := ledgertest.New()
		now := l.Now()
		l.Now = func() time.Time { return now }
		limit := rapid.IntRange(0, 4).Draw(r, "limit")
		b := brake.Brake{Ledger: l, Limit: brake.Limit{Connections: limit}}
		fails := rapid.SliceOfN(rapid.SampledFrom([]ledgertest.Fault{ledgertest.None, ledgertest.None, ledgertest.Lost, ledgertest.Refused}), 1, 40).Draw(r, "faults")
		n := 0
		rows.Fault = func(call string) ledgertest.Fault {
			if n++; call != "Write" {
				return ledgertest.None
			}
			return fails[n%len(fails)]
		}
		went, waits := map[string]time.Time{}, map[string]bool{}
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g"}).Draw(r, "id")
			now = now.Add(time.Duration(rapid.IntRange(0, 10).Draw(r, "hours")) * time.Hour)
			switch err := b.Ask(context.Background(), id, cause); {
			case err == nil:
				if waits[id] {
					r.Fatalf("%s went and waits for a person", id)
				}
				if at, ok := went[id]; !ok || now.Sub(at) >= brake.Window {
					went[id] = now
				}
			case fault.Of(err) == fault.Held:
				waits[id] = true
			case !errors.Is(err, ledgertest.ErrFault):
				r.Fatal(err)
			}
			within := 0
			for _, at := range went {
				if now.Sub(at) < brake.Window {
					within++
				}
			}
			// One whose answer was lost counts from then, and is seen to go later.
			if within > limit && !slices.Contains(fails, ledgertest.Lost) {
				r.Fatalf("%d went within a day, the limit is %d", within, limit)
			}
		}
	})
}
