package dryrun_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/dryrun"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

// The copy is a ledger like any other.
func TestStoreIsALedger(t *testing.T) {
	ledgertest.Examples(t, &dryrun.Store{Under: &ledgertest.Memory{}}, "")
}

// What was there is seen, changed and taken away in the copy alone; who is at work is not seen.
func TestOnlyTheCopyIsWritten(t *testing.T) {
	ctx, under := t.Context(), &ledgertest.Memory{}
	key := func(part, sort string) ledger.Key { return ledger.Key{Part: part, Sort: sort} }
	a, b, c := key("p", "a"), key("p", "b"), key("p", "c")
	body := json.RawMessage(`{"n":1}`)
	if err := under.Write(ctx, []ledger.Change{{Key: a, Body: body}, {Key: b, Body: body}, {Key: key("lease#pcx-1", "lease"), Body: body}}); err != nil {
		t.Fatal(err)
	}
	s := &dryrun.Store{Under: under}
	sorts := func() (out []string) {
		rows, err := s.List(ctx, "p", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			out = append(out, r.Sort+string(r.Body))
		}
		return out
	}
	if err := s.Write(ctx, []ledger.Change{{Key: a, Version: 1, Body: json.RawMessage(`{"n":2}`)}, {Key: b, Version: 1}, {Key: c, Body: body}}); err != nil {
		t.Fatal(err)
	}
	if got := sorts(); !slices.Equal(got, []string{`a{"n":2}`, `c{"n":1}`}) {
		t.Errorf("%q", got)
	}
	if rows, err := s.Read(ctx, []ledger.Key{a, b, key("lease#pcx-1", "lease")}); err != nil || len(rows) != 1 || rows[0].Version != 2 {
		t.Errorf("%v, %v", rows, err)
	}
	if rows, err := s.List(ctx, "lease#pcx-1", ""); err != nil || len(rows) != 0 {
		t.Errorf("%v, %v", rows, err)
	}
	if err := s.Write(ctx, []ledger.Change{{Key: c, Version: 7, Body: body}, {Key: a, Version: 2}}); !errors.Is(err, ledger.ErrChanged) || len(sorts()) != 2 {
		t.Errorf("%v", err)
	}
	if got := under.Rows(); len(got) != 3 || under.Calls["Write"] != 1 {
		t.Errorf("under: %v, %v", got, under.Calls)
	}
}
