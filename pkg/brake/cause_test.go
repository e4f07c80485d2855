package brake_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

func in(m mode.Mode) func(context.Context) (mode.Setting, error) {
	return func(context.Context) (mode.Setting, error) { return mode.Setting{Mode: m}, nil }
}

func TestWhatCounts(t *testing.T) {
	for _, why := range []brake.Why{brake.Forbidden, brake.Lost, brake.Outside, brake.Ended, "", "something new"} {
		if brake.Counts(brake.Removal{Why: why}) {
			t.Errorf("%q counts where nothing stands", why)
		}
		if got, want := brake.Counts(brake.Removal{Why: why, Stands: true}), why != brake.Ended; got != want {
			t.Errorf("%q counts: %v, want %v", why, got, want)
		}
	}
}

func TestOnlyTheModeFullCounts(t *testing.T) {
	for _, m := range mode.Modes() {
		l, _ := clock()
		ask := brake.Brake{Ledger: l}.Asker(in(m)) // a limit of zero
		err := ask.Ask(t.Context(), brake.Removal{ID: "a", Why: brake.Lost, Stands: true})
		if held := fault.Of(err) == fault.Held; held != (m == mode.Full) {
			t.Errorf("in %s: %v", m, err)
		}
	}
}

func TestWithoutABrakeNothingGoes(t *testing.T) {
	var none brake.Asker
	if err := none.Ask(t.Context(), brake.Removal{ID: "a", Why: brake.Ended, Stands: true}, brake.Removal{ID: "b", Why: brake.Lost}); err != nil {
		t.Errorf("what does not count: %v", err)
	}
	if err := none.Ask(t.Context(), brake.Removal{ID: "a", Why: brake.Lost, Stands: true}); err == nil {
		t.Error("it goes")
	}
}

// Both parameters count: the number, and the percentage of what a sweep counted, whichever is more.
func TestBothParametersCount(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := brake.Limit{Connections: rapid.IntRange(0, 8).Draw(r, "connections"), Percent: rapid.IntRange(0, 100).Draw(r, "percent")}
		managed := rapid.IntRange(0, 200).Draw(r, "managed")
		l, _ := ledgertest.New()
		b := brake.Brake{Ledger: l, Limit: limit}
		// The sweep has no limit of its own: it only writes the number.
		if err := (brake.Brake{Ledger: l}).Managed(context.Background(), managed); err != nil {
			r.Fatal(err)
		}
		ask, want, went := b.Asker(in(mode.Full)), max(limit.Connections, managed*limit.Percent/100), 0
		for n := range want + 3 {
			owners := brake.Removal{ID: fmt.Sprint("owner's ", n), Why: brake.Ended, Stands: true}
			if err := ask.Ask(context.Background(), owners); err != nil {
				r.Fatalf("what its owner ended waits: %v", err)
			}
			err := ask.Ask(context.Background(), brake.Removal{ID: fmt.Sprint(n), Why: brake.Forbidden, Stands: true})
			if err == nil {
				went++
			} else if fault.Of(err) != fault.Held {
				r.Fatal(err)
			}
		}
		if went != want {
			r.Fatalf("of %d connections %d go, want %d", managed, went, want)
		}
	})
}

func TestUnreadIsHeldOnlyForWhatIsManaged(t *testing.T) {
	l, _ := clock()
	if _, err := l.Begin(t.Context(), ledger.Connection{ID: "pcx-1", Kind: "peering"}); err != nil {
		t.Fatal(err)
	}
	closed := fmt.Errorf("reading: %w", &fault.Error{Kind: fault.Refused, Message: "the account 222222222222 lets nobody in", Cause: fault.ErrClosed})
	err := brake.Unread(t.Context(), l, "pcx-1", closed)
	if held, parsing := mode.Parse(fmt.Sprint(err)); fault.Of(err) != fault.Held || parsing != nil || held.End != mode.Unreadable || !strings.Contains(held.Reason, "222222222222") {
		t.Errorf("a managed one: %v, %v", err, parsing)
	}
	for name, c := range map[string]struct {
		id  string
		err error
	}{"one that is not managed": {"pcx-2", closed}, "another error": {"pcx-1", errors.New("broken")}, "a conflict": {"pcx-1", fault.NewConflict("a", "b")}, "no error": {"pcx-1", nil}} {
		if err := brake.Unread(t.Context(), l, c.id, c.err); err != nil {
			t.Errorf("%s is held: %v", name, err)
		}
	}
}
