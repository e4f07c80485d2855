package ledger_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

func TestWhatWasSeenIsKnownUntilItIsGone(t *testing.T) {
	l, _ := ledgertest.New()
	const account, region = "111111111111", "eu-west-1"
	var all []ledger.Seen
	for n := range 250 { // more than a transaction holds
		all = append(all, ledger.Seen{Name: fmt.Sprintf("n%03d", n), Stamp: "2026-03-01T11:00:00Z", Subnet: "subnet-1", Groups: []string{"sg-1"}, Direct: n%2 == 0})
	}
	for range 2 { // somebody sees the same at the same time
		if err := l.See(t.Context(), account, region, "notebook", all, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.See(t.Context(), account, region, "profile of d-1", all[:1], nil); err != nil {
		t.Fatal(err)
	}
	rows, err := l.Store.List(t.Context(), "seen#"+account+"/"+region, "")
	if err != nil || len(rows) != len(all)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, r := range rows {
		if r.Expires == 0 {
			t.Fatalf("%v stays for ever", r.Key)
		}
	}
	anew := all[7]
	anew.Stamp, anew.Subnet = "2026-03-02T11:00:00Z", "subnet-2"
	if err := l.See(t.Context(), account, region, "notebook", []ledger.Seen{anew}, []string{"n001", "nobody"}); err != nil {
		t.Fatal(err)
	}
	want := append(append([]ledger.Seen{all[0]}, all[2:7]...), append([]ledger.Seen{anew}, all[8:]...)...)
	if got, err := l.Seen(t.Context(), account, region, "notebook"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%d are known, want %d; %v", len(got), len(want), err)
	}
	if got, err := l.Seen(t.Context(), account, "eu-central-1", "notebook"); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWhoDidNotSeeAllLooksAgain(t *testing.T) {
	l, _ := ledgertest.New()
	running := func(context.Context, ledger.Turn) (bool, error) { return false, nil }
	if err := l.LookAgain(t.Context(), "pcx-1", "one"); err != nil { // it has no lease
		t.Fatal(err)
	}
	for _, c := range []struct {
		who, next string
		want      ledger.Again
	}{{"one", "", ledger.Rest}, {"two", "", ""}, {"one", "two", ""}} {
		if _, _, err := l.Acquire(t.Context(), "pcx-1", ledger.Turn{Holder: "one"}, running); err != nil {
			t.Fatal(err)
		}
		if c.next != "" {
			if _, _, err := l.Acquire(t.Context(), "pcx-1", ledger.Turn{Holder: c.next}, running); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.LookAgain(t.Context(), "pcx-1", c.who); err != nil {
			t.Fatal(err)
		}
		if again, err := l.Yield(t.Context(), "pcx-1", "one"); err != nil || again != c.want {
			t.Errorf("%+v: %v, %v", c, again, err)
		}
	}
}
