package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

func TestPeopleAreToldOnceUntilItChanges(t *testing.T) {
	ctx := context.Background()
	l, _ := ledgertest.New()
	told := 0
	var fails error
	tell := func(id, what, holder string) (bool, error) {
		return l.Once(ctx, id, func(c *ledger.Connection) *string { return &c.Told }, what, holder, func() error { told++; return fails })
	}
	if did, err := tell("pcx-1", "a", "run-1"); did || err != nil || told != 0 {
		t.Fatalf("told %d times of what is not managed, %v", told, err)
	}
	if _, err := l.Begin(ctx, ledger.Connection{ID: "pcx-1"}); err != nil {
		t.Fatal(err)
	}
	fails = errors.New("throttled")
	if did, err := tell("pcx-1", "a", "run-1"); did || !errors.Is(err, fails) {
		t.Fatal(did, err)
	}
	fails = nil
	if did, err := tell("pcx-1", "a", "run-2"); did || err != nil || told != 1 {
		t.Fatalf("run-1 is about to tell, and run-2 did as well: %d, %v", told, err)
	}
	for n, c := range []struct {
		what, holder string
		want         int
	}{{"a", "run-1", 2}, {"a", "run-1", 2}, {"a", "run-3", 2}, {"b", "run-3", 3}, {"b", "run-1", 3}, {"a", "run-1", 4}} {
		if _, err := tell("pcx-1", c.what, c.holder); err != nil || told != c.want {
			t.Fatalf("%d: told %d times, want %d; %v", n, told, c.want, err)
		}
	}
}

// What has no entry is told in the same way; that all is well again is told as well, and nothing is left of it then.
func TestWhatHasNoEntryIsToldOnceUntilItChanges(t *testing.T) {
	ctx := context.Background()
	l, memory := ledgertest.New()
	clock := l.Now()
	l.Now = func() time.Time { return clock }
	told := 0
	tell := func(what, holder string, fails error) error {
		_, err := l.OnceOf(ctx, "the sweep", what, holder, func() error { told++; return fails })
		return err
	}
	throttled := errors.New("throttled")
	for n, c := range []struct {
		what, holder string
		fails        error
		later        time.Duration
		want         int
	}{
		{what: "", holder: "run-0", want: 0}, // nothing was ever told
		{what: "a", holder: "run-1", fails: throttled, want: 1},
		{what: "a", holder: "run-2", want: 1},                       // run-1 is about to
		{what: "a", holder: "run-1", want: 2},                       // and comes again
		{what: "a", holder: "run-3", want: 2},                       // the same
		{what: "b", holder: "run-4", want: 3},                       // it changed
		{what: "", holder: "run-5", want: 4},                        // it is over
		{what: "", holder: "run-6", want: 4},                        // that is told once
		{what: "b", holder: "run-7", fails: throttled, want: 5},     // it comes again, and run-7 dies of it
		{what: "b", holder: "run-8", later: 2 * time.Hour, want: 6}, // which somebody else finds
		{what: "b", holder: "run-9", later: 2 * time.Hour, want: 6},
	} {
		clock = clock.Add(c.later)
		if err := tell(c.what, c.holder, c.fails); !errors.Is(err, c.fails) || told != c.want {
			t.Fatalf("%d, %q by %s: told %d times, want %d; %v", n, c.what, c.holder, told, c.want, err)
		}
	}
	if n, err := l.News(ctx, "the sweep"); err != nil || n.Told != "b" || n.By != "run-9" {
		t.Errorf("%+v, %v", n, err)
	}
	if err := l.Unsaid(ctx, "the sweep"); err != nil {
		t.Fatal(err)
	}
	if err := tell("b", "run-10", nil); err != nil || told != 7 {
		t.Errorf("what was forgotten is no news: told %d times, %v", told, err)
	}
	if err := tell("", "run-11", nil); err != nil || len(memory.Rows()) != 0 {
		t.Errorf("left in the ledger: %v, %v", memory.Rows(), err)
	}
}
