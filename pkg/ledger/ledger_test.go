package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

func route(table, destination, target string) ledger.Item {
	return ledger.Item{Account: "111111111111", Region: "us-east-1", Resource: table, Kind: ledger.Route, Key: destination, Left: target}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestAnItemGoesWithTheLastWhoNeedsIt(t *testing.T) {
	ctx := context.Background()
	l, memory := ledgertest.New()
	r := route("rtb-1", "10.2.0.0/16", "tgw-1")
	recorded := must[[]ledger.Item](t)(l.Record(ctx, "a", r))
	if recorded[0].State != ledger.Intended {
		t.Fatalf("recorded as %s", recorded[0].State)
	}
	must[[]ledger.Item](t)(l.Confirm(ctx, recorded...))
	shared := must[[]ledger.Item](t)(l.Record(ctx, "b", r))
	if shared[0].State != ledger.Confirmed || !slices.Equal(shared[0].Needed, []string{"a", "b"}) {
		t.Fatalf("%+v", shared[0])
	}
	if last := must[[]ledger.Item](t)(l.Release(ctx, "a", must[[]ledger.Item](t)(l.Items(ctx, "a")))); len(last) != 0 {
		t.Fatalf("b needs it, and %+v is leaving", last)
	}
	last := must[[]ledger.Item](t)(l.Release(ctx, "b", must[[]ledger.Item](t)(l.Items(ctx, "b"))))
	if len(last) != 1 || last[0].State != ledger.Leaving {
		t.Fatalf("%+v", last)
	}
	if got := must[[]ledger.Item](t)(l.Items(ctx, "b")); len(got) != 1 {
		t.Fatalf("what is leaving is not found again: %+v", got)
	}
	if _, err := l.Record(ctx, "c", r); fault.Of(err) != fault.NotYet {
		t.Fatalf("what is leaving was needed anew: %v", err)
	}
	if err := l.Forget(ctx, "b", last); err != nil {
		t.Fatal(err)
	}
	if rows := memory.Rows(); len(rows) != 0 {
		t.Fatalf("left: %v", rows)
	}
}

func TestWhoWasTakingAwayAndDiedIsOvertaken(t *testing.T) {
	ctx := context.Background()
	l, _ := ledgertest.New()
	r := route("rtb-1", "10.2.0.0/16", "pcx-1")
	r.Before = "pcx-old"
	must[[]ledger.Item](t)(l.Confirm(ctx, must[[]ledger.Item](t)(l.Record(ctx, "a", r))...))
	last := must[[]ledger.Item](t)(l.Release(ctx, "a", must[[]ledger.Item](t)(l.Items(ctx, "a"))))
	then := l.Now()
	l.Now = func() time.Time { return then.Add(ledger.Lifetime) }
	r.Before = "pcx-1"
	got := must[[]ledger.Item](t)(l.Record(ctx, "b", r))
	if got[0].State != ledger.Intended || got[0].Before != "pcx-old" || !slices.Equal(got[0].Needed, []string{"b"}) {
		t.Fatalf("%+v", got[0])
	}
	if err := l.Forget(ctx, "a", last); err != nil {
		t.Fatal(err)
	}
	if got := must[[]ledger.Item](t)(l.Items(ctx, "b")); len(got) != 1 {
		t.Fatalf("a forgot what b needs: %+v", got)
	}
}

func TestAConnectionIsListedInItsPlaces(t *testing.T) {
	ctx := context.Background()
	l, memory := ledgertest.New()
	c := ledger.Connection{ID: "pcx-1", Kind: "peering", Origin: ledger.Requested, Sides: []ledger.Side{
		{Role: "requester", Account: "111111111111", Region: "us-east-1", ID: "vpc-1"}, {Role: "accepter", Account: "222222222222", Region: "eu-west-1", ID: "vpc-2"}}}
	must[ledger.Connection](t)(l.Begin(ctx, c))
	c.Status = "Refused"
	if again := must[ledger.Connection](t)(l.Begin(ctx, c)); again.Status != "" {
		t.Fatalf("an entry was begun anew: %+v", again)
	}
	must[ledger.Connection](t)(l.Change(ctx, "pcx-1", func(c *ledger.Connection) { c.Status = "Connected" }))
	for _, place := range [][2]string{{"111111111111", "us-east-1"}, {"222222222222", "eu-west-1"}} {
		got := must[[]ledger.Connection](t)(l.Connections(ctx, place[0], place[1]))
		if len(got) != 1 || got[0].Status != "Connected" {
			t.Fatalf("%v: %+v", place, got)
		}
	}
	if got := must[[]ledger.Connection](t)(l.Connections(ctx, "111111111111", "eu-west-1")); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	must[[]ledger.Item](t)(l.Record(ctx, "pcx-1", route("rtb-1", "10.2.0.0/16", "pcx-1")))
	if err := l.End(ctx, "pcx-1"); fault.Of(err) != fault.NotYet {
		t.Fatalf("ended with an item: %v", err)
	}
	if err := l.LetGo(ctx, "pcx-1"); err != nil {
		t.Fatal(err)
	}
	if rows := memory.Rows(); len(rows) != 0 {
		t.Fatalf("left: %v", rows)
	}
	if c := must[ledger.Connection](t)(l.Change(ctx, "pcx-1", func(c *ledger.Connection) { c.Status = "Connected" })); c.ID != "" {
		t.Fatalf("what is not managed got an entry: %+v", c)
	}
}

func TestWhatIsOnlyWantedGoesWithTheNeed(t *testing.T) {
	ctx := context.Background()
	l, memory := ledgertest.New()
	r := route("rtb-1", "10.2.0.0/16", "tgw-1")
	r.State = ledger.Wanted
	must[[]ledger.Item](t)(l.Record(ctx, "pair", r))
	if last := must[[]ledger.Item](t)(l.Release(ctx, "pair", must[[]ledger.Item](t)(l.Items(ctx, "pair")))); len(last) != 0 {
		t.Fatalf("nothing was made, and %+v is to be taken back", last)
	}
	if rows := memory.Rows(); len(rows) != 0 {
		t.Fatalf("left: %v", rows)
	}
}

// Whatever connections come and go, with answers lost and calls refused, and each step repeated until it is done: a thing is taken back
// exactly when nobody needs it, what was there before is remembered from the first, and nothing is left of connections that are over.
func TestWhoeverComesAndGoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		l, memory := ledgertest.New()
		trouble := rapid.IntRange(0, 3).Draw(t, "trouble")
		memory.Fault = func(string) ledgertest.Fault {
			if rapid.IntRange(0, 9).Draw(t, "fault") >= trouble {
				return ledgertest.None
			}
			return rapid.SampledFrom([]ledgertest.Fault{ledgertest.Refused, ledgertest.Lost}).Draw(t, "kind of fault")
		}
		insist := func(f func() error) { insist(t, f) }
		there := map[string]bool{} // what the calls made
		needs := map[string][]string{}
		items := func() []ledger.Item {
			var out []ledger.Item
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 4), 1, 4, rapid.ID[int]).Draw(t, "items") {
				out = append(out, route("rtb-1", fmt.Sprintf("10.%d.0.0/16", n), "tgw-1"))
			}
			return out
		}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "connection")
			if rapid.Bool().Draw(t, "comes") {
				wanted := items()
				var recorded []ledger.Item
				insist(func() (err error) { recorded, err = l.Record(ctx, id, wanted...); return })
				for _, i := range recorded {
					there[i.Key] = true
					if !slices.Contains(needs[i.Key], id) {
						needs[i.Key] = append(needs[i.Key], id)
					}
				}
				insist(func() error { _, err := l.Confirm(ctx, recorded...); return err })
				continue
			}
			var mine, leaving []ledger.Item
			insist(func() (err error) { mine, err = l.Items(ctx, id); return })
			insist(func() (err error) { leaving, err = l.Release(ctx, id, mine); return })
			for _, i := range leaving {
				if others := slices.DeleteFunc(slices.Clone(needs[i.Key]), func(n string) bool { return n == id }); len(others) > 0 {
					t.Fatalf("%s is taken back, and %v need it", i.Key, others)
				}
				delete(there, i.Key)
			}
			for key, ids := range needs {
				needs[key] = slices.DeleteFunc(ids, func(n string) bool { return n == id })
				if there[key] != (len(needs[key]) > 0) {
					t.Fatalf("%s is there: %v, needed by %v", key, there[key], needs[key])
				}
			}
			insist(func() error { return l.Forget(ctx, id, leaving) })
		}
		memory.Fault = nil
		for _, id := range []string{"a", "b", "c"} {
			if err := l.LetGo(ctx, id); err != nil {
				t.Fatal(err)
			}
		}
		if rows := memory.Rows(); len(rows) != 0 {
			t.Fatalf("left: %v", rows)
		}
	})
}

// insist calls f until no fault is in the way.
func insist(t *rapid.T, f func() error) {
	for range 1000 {
		err := f()
		if err == nil {
			return
		}
		if !errors.Is(err, ledgertest.ErrFault) {
			t.Fatal(err)
		}
	}
	t.Fatal("nothing but faults")
}
