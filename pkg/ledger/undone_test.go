package ledger_test

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

// What is undone stays so, of that thing alone, until it is asked for anew.
func TestWhatIsUndoneStaysUndone(t *testing.T) {
	l, _ := ledgertest.New()
	ctx := t.Context()
	is := func(asks, of string, want bool) {
		t.Helper()
		if got, err := l.IsUndone(ctx, asks, of); err != nil || got != want {
			t.Errorf("%s of %s: %v, %v; want %v", of, asks, got, err, want)
		}
	}
	is("vpc-1", "tgw-1", false)
	for _, of := range []string{"tgw-1", "tgw-1", "tgw-2"} {
		if err := l.Undo(ctx, "vpc-1", of); err != nil {
			t.Fatal(err)
		}
	}
	is("vpc-1", "tgw-1", true)
	is("vpc-2", "tgw-1", false)
	is("vpc-1", "tgw-3", false)
	for range 2 {
		if err := l.Anew(ctx, "vpc-1"); err != nil {
			t.Fatal(err)
		}
	}
	is("vpc-1", "tgw-1", false)
	is("vpc-1", "tgw-2", false)
}
