package sweep

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// empty is a ledger without anything.
func empty() ledger.Ledger {
	l, _ := ledgertest.New()
	return l
}

// Over all visits of a sweep each connection that stands is counted once, in however many places it is listed; one that was taken back is not.
func TestEachConnectionIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l, ctx := empty(), context.Background()
		accounts, regions := []string{"111111111111", "222222222222", "333333333333"}, []string{"eu-west-1", "us-east-1"}
		want := 0
		for n := range rapid.IntRange(0, 12).Draw(r, "connections") {
			c := ledger.Connection{ID: string(rune('a' + n)), Kind: "peering",
				Status: rapid.SampledFrom([]ledger.Status{"", "Connected", "Conflict", "Unreadable", "Removed", "Refused", "Retracted"}).Draw(r, "status")}
			for _, role := range []string{"requester", "accepter", "other"}[:rapid.IntRange(1, 3).Draw(r, "sides")] {
				c.Sides = append(c.Sides, ledger.Side{Role: role, ID: "vpc-" + role, Account: rapid.SampledFrom(accounts).Draw(r, "account"), Region: rapid.SampledFrom(regions).Draw(r, "region")})
			}
			if _, err := l.Begin(ctx, c); err != nil {
				r.Fatal(err)
			}
			if c.Status != "Removed" && c.Status != "Refused" && c.Status != "Retracted" {
				want++
			}
		}
		got := 0
		for _, account := range accounts {
			n, err := Managed(ctx, l, workflow.Territory{Account: account, Regions: regions})
			if err != nil {
				r.Fatal(err)
			}
			got += n
		}
		if got != want {
			r.Fatalf("%d connections are counted, want %d", got, want)
		}
	})
}

func TestAClosedAccountIsCounted(t *testing.T) {
	l := empty()
	if _, err := l.Begin(t.Context(), ledger.Connection{ID: "pcx-1", Status: "Connected", Sides: []ledger.Side{{Role: "requester", Account: "1", Region: "us-east-1", ID: "vpc-1"}}}); err != nil {
		t.Fatal(err)
	}
	out, err := Sweeper{Ledger: l}.Sweep(t.Context(), workflow.SweepAccountInput{Territory: workflow.Territory{Account: "1", Regions: []string{"us-east-1"}}})
	if err != nil || out.Managed != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestThePeeringsOfAClosedAccountAreLookedAtFromTheOtherEnd(t *testing.T) {
	l := empty()
	for id, sides := range map[string][2]string{"pcx-1": {"1", "2"}, "pcx-2": {"2", "1"}, "pcx-3": {"2", "2"}} {
		if _, err := l.Begin(t.Context(), ledger.Connection{ID: id, Kind: "peering", Status: "Connected", Sides: []ledger.Side{
			{Role: "requester", Account: sides[0], Region: "us-east-1", ID: "vpc-1"}, {Role: "accepter", Account: sides[1], Region: "us-east-1", ID: "vpc-2"}}}); err != nil {
			t.Fatal(err)
		}
	}
	var asked []look.Look
	s := Sweeper{Ledger: l, Finders: []Finder{guide{"a", fault.ErrClosed}}, Ask: func(_ context.Context, looks ...look.Look) error { asked = append(asked, looks...); return nil }}
	out, err := s.Sweep(t.Context(), workflow.SweepAccountInput{Territory: workflow.Territory{Account: "2", Regions: []string{"us-east-1"}}})
	if err != nil || out.Closed == "" || len(asked) != 1 {
		t.Fatalf("%+v, %v, %v", out, err, asked)
	}
	if i := asked[0].(event.Inspection); i.PeeringID != "pcx-1" || i.Account != "1" {
		t.Errorf("%+v, want the one that the closed account accepted, where its requester is", i)
	}
}
