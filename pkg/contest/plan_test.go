package contest_test

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

func TestTheReasonIsASentence(t *testing.T) {
	item := func(kind ledger.Kind, account string) ledger.Item { return ledger.Item{Kind: kind, Account: account} }
	got := contest.Reason([]ledger.Item{item("managed-policy", "1"), item(ledger.Route, "2"), item("managed-policy", "1"), item(ledger.Route, "1")})
	if want := "somebody takes away what Drawbridge adds, and it is left to them: 2 managed policies in account 1, 1 route in account 1, 1 route in account 2"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
