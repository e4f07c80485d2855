package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
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
	if _, err := l.Acquire(t.Context(), "role a", "first "+now.Format(time.RFC3339Nano), nil); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	if err := try("second"); fault.Of(err) != fault.NotYet {
		t.Errorf("a second later: %v", err)
	}
	if err := try("first"); err != nil {
		t.Errorf("the same execution, retried: %v", err)
	}
	if _, err := l.Acquire(t.Context(), "role a", "first "+now.Format(time.RFC3339Nano), nil); err != nil {
		t.Fatal(err)
	}
	if now = now.Add(2 * time.Minute); try("second") != nil || len(memory.Rows()) > 0 {
		t.Errorf("two minutes later: left %v", memory.Rows())
	}
}
