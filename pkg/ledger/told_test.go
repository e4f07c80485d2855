package ledger_test

import (
	"context"
	"errors"
	"testing"

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
