package ledger_test

import (
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

func TestWordsAreKeptOnceAndGoWithTheEntry(t *testing.T) {
	l, _ := ledgertest.New()
	at := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
	yes := ledger.Word{Thing: "pcx-1", Said: "drawbridge:approval", Value: "approved", By: ledger.Hand{Who: "arn:aws:sts::222222222222:assumed-role/owner/ben"}, Account: "222222222222", Region: "eu-west-1", At: at, Call: "b"}
	no := yes
	no.Value, no.At, no.Call = "rejected", at.Add(-time.Hour), "a"
	other := yes
	other.Thing = "pcx-10"
	for range 2 { // EventBridge delivers at least once
		if err := l.Hear(t.Context(), yes, no, other); err != nil {
			t.Fatal(err)
		}
	}
	got, err := l.Words(t.Context(), "pcx-1")
	if err != nil || len(got) != 2 || got[0] != no || got[1] != yes {
		t.Fatalf("%+v, %v", got, err)
	}
	// What is said before the entry begins stays; items are not taken for words, nor words for items.
	if _, err := l.Begin(t.Context(), ledger.Connection{ID: "pcx-1", Kind: "peering"}); err != nil {
		t.Fatal(err)
	}
	if got, err = l.Words(t.Context(), "pcx-1"); err != nil || len(got) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if items, err := l.Items(t.Context(), "pcx-1"); err != nil || len(items) > 0 {
		t.Errorf("%+v, %v", items, err)
	}
	if err := l.End(t.Context(), "pcx-1"); err != nil {
		t.Fatal(err)
	}
	if got, err = l.Words(t.Context(), "pcx-1"); err != nil || len(got) > 0 {
		t.Errorf("after the end: %+v, %v", got, err)
	}
	if got, err = l.Words(t.Context(), "pcx-10"); err != nil || len(got) != 1 {
		t.Errorf("the other's: %+v, %v", got, err)
	}
}
