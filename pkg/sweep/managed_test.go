package sweep

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
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
