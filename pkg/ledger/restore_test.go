package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

func TestWhatIsRestoredIsNeededAndGoesWithTheLastWhoNeedsIt(t *testing.T) {
	ctx := context.Background()
	l, memory := ledgertest.New()
	item := ledger.Item{Account: "111111111111", Region: "eu-west-1", Resource: "scripts", Kind: ledger.HostRoute, Key: "10.1.0.0/24 10.2.0.0/16", Left: "line", Needed: []string{"subnet-b", "subnet-a", "subnet-b"}}
	done, err := l.Restore(ctx, item)
	if err != nil || len(done) != 1 || done[0].State != ledger.Confirmed || !slices.Equal(done[0].Needed, []string{"subnet-a", "subnet-b"}) || done[0].At.IsZero() {
		t.Fatalf("%+v, %v", done, err)
	}
	rows := memory.Rows()
	if done, err := l.Restore(ctx, item); err != nil || len(done) != 0 || !slices.Equal(memory.Rows(), rows) {
		t.Fatalf("the second time %v, %v", done, err)
	}
	for n, id := range []string{"subnet-a", "subnet-b"} {
		items, err := l.Items(ctx, id)
		if err != nil || len(items) != 1 {
			t.Fatal(items, err)
		}
		leaving, err := l.Release(ctx, id, items)
		if err != nil || len(leaving) != n {
			t.Fatalf("%s releases %v, %v", id, leaving, err)
		}
		if err := l.Forget(ctx, id, leaving); err != nil {
			t.Fatal(err)
		}
	}
	if rows := memory.Rows(); len(rows) != 0 {
		t.Fatalf("left: %v", rows)
	}
}

// What the ledger has stays as it is, in whatever state.
func TestWhatTheLedgerHasIsNotRestored(t *testing.T) {
	ctx := context.Background()
	l, memory := ledgertest.New()
	rule := func(key string) ledger.Item {
		return ledger.Item{Account: "111111111111", Region: "eu-west-1", Resource: "sg-1", Kind: ledger.Rule, Key: key}
	}
	for _, key := range []string{"intended", "leaving", "contested"} {
		if _, err := l.Record(ctx, "pcx-1", rule(key)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Mark(ctx, rule("contested"), func(i *ledger.Item) { i.State = ledger.Contested }); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Release(ctx, "pcx-1", []ledger.Item{rule("leaving")}); err != nil {
		t.Fatal(err)
	}
	before, err := l.Of(ctx, "111111111111", "eu-west-1", "sg-1")
	if err != nil {
		t.Fatal(err)
	}
	rows := memory.Rows()
	var all []ledger.Item
	for _, key := range []string{"intended", "leaving", "contested", "new"} {
		i := rule(key)
		i.Left, i.Needed = "sgr-1", []string{"pcx-2"}
		all = append(all, i)
	}
	done, err := l.Restore(ctx, all...)
	if err != nil || len(done) != 1 || done[0].Key != "new" {
		t.Fatal(done, err)
	}
	after, err := l.Of(ctx, "111111111111", "eu-west-1", "sg-1")
	if err != nil || len(after) != 4 || len(memory.Rows()) != len(rows)+2 {
		t.Fatal(after, err)
	}
	for _, i := range before {
		if !slices.ContainsFunc(after, func(a ledger.Item) bool { return fmt.Sprint(a) == fmt.Sprint(i) }) {
			t.Errorf("%+v is not as it was among %+v", i, after)
		}
	}
}

// As many as there are, in writes of at most 100 rows; a write whose answer is lost, or that another one was before, counts once.
func TestManyAreRestoredAlsoAfterFaults(t *testing.T) {
	ctx := context.Background()
	l, memory := ledgertest.New()
	var all []ledger.Item
	for n := range 130 {
		i := ledger.Item{Account: "111111111111", Region: "eu-west-1", Resource: fmt.Sprintf("rtb-%d", n), Kind: ledger.Route, Key: "10.0.0.0/8", Left: "pcx-1", Needed: []string{"pcx-1"}}
		if n%50 == 7 {
			for m := range 120 {
				i.Needed = append(i.Needed, fmt.Sprintf("pcx-%d", m+2))
			}
		}
		all = append(all, i)
	}
	writes := 0
	memory.Fault = func(call string) ledgertest.Fault {
		if call == "Write" {
			if writes++; writes == 2 {
				return ledgertest.Lost
			}
		}
		return ledgertest.None
	}
	first, err := l.Restore(ctx, all...)
	if err == nil {
		t.Fatal("the fault was not seen")
	}
	second, err := l.Restore(ctx, all...)
	if err != nil || len(first)+len(second) >= len(all) || len(second) == 0 {
		t.Fatalf("%d and %d, %v", len(first), len(second), err)
	}
	items, err := l.Items(ctx, "pcx-1")
	if err != nil || len(items) != len(all) {
		t.Fatalf("%d items, %v", len(items), err)
	}
}
