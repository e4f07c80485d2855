package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
			n, err := Managed(ctx, l, workflow.Territory{Account: account, Regions: regions}, func(event.Place, ledger.Connection) {})
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
	out, err := Sweeper{Hears: hears, Ledger: l}.Sweep(t.Context(), workflow.SweepAccountInput{Territory: workflow.Territory{Account: "1", Regions: []string{"us-east-1"}}})
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
	s := Sweeper{Hears: hears, Ledger: l, Account: members, Finders: []Finder{guide{"a", fault.ErrClosed}}, Ask: func(_ context.Context, looks ...look.Look) error { asked = append(asked, looks...); return nil }}
	out, err := s.Sweep(t.Context(), workflow.SweepAccountInput{Territory: workflow.Territory{Account: "2", Regions: []string{"us-east-1"}}})
	if err != nil || out.Closed == "" || len(asked) != 2 {
		t.Fatalf("%+v, %v, %v", out, err, asked)
	}
	if i := asked[0].(event.Inspection); i.PeeringID != "pcx-1" || i.Account != "1" {
		t.Errorf("%+v, want the one that the closed account accepted, where its requester is", i)
	}
	if i := asked[1].(event.Inspection); i.PeeringID != "pcx-3" || i.Account != "2" {
		t.Errorf("%+v, want the one that has no other account", i)
	}
}

// members says of every account that it is in the organization.
func members(_ context.Context, id string) (workflow.AccountFacts, error) {
	return workflow.AccountFacts{ID: id, Organization: "o-1"}, nil
}

func TestAPeeringWhoseAccepterLeftTheOrganizationIsLookedAt(t *testing.T) {
	l := empty()
	peering := func(id, requester, accepter, status string) {
		t.Helper()
		if _, err := l.Begin(t.Context(), ledger.Connection{ID: id, Kind: "peering", Status: ledger.Status(status), Sides: []ledger.Side{
			{Role: "requester", Account: requester, Region: "us-east-1", ID: "vpc-1"}, {Role: "accepter", Account: accepter, Region: "us-east-1", ID: "vpc-2"}}}); err != nil {
			t.Fatal(err)
		}
	}
	peering("pcx-1", "1", "left", "Connected")
	peering("pcx-2", "1", "member", "Connected")
	peering("pcx-3", "1", "suspended", "Connected") // its own visit asks
	peering("pcx-4", "left", "1", "Connected")      // the finder of peerings asks
	peering("pcx-5", "1", "left", "Removed")
	facts := map[string]workflow.AccountFacts{"left": {}, "member": {Organization: "o-1"}, "suspended": {Suspended: "SUSPENDED"}}
	var asked []look.Look
	s := Sweeper{Hears: hears, Ledger: l, Ask: func(_ context.Context, looks ...look.Look) error { asked = append(asked, looks...); return nil },
		Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
			known, ok := facts[id]
			if !ok {
				t.Errorf("Organizations is asked about %s", id)
			}
			return known, nil
		}}
	if _, err := s.Sweep(t.Context(), workflow.SweepAccountInput{Territory: workflow.Territory{Account: "1", Regions: []string{"us-east-1"}}}); err != nil || len(asked) != 1 {
		t.Fatalf("%v, %v", err, asked)
	}
	if i := asked[0].(event.Inspection); i.PeeringID != "pcx-1" || i.Account != "1" {
		t.Errorf("%+v", i)
	}
}

// A suspended account is listed as such, is not entered, and what is managed there is looked at from elsewhere; one that never was active is not listed.
func TestWhatIsManagedInASuspendedAccountIsLookedAt(t *testing.T) {
	l := empty()
	const here, there, region = "222222222222", "111111111111", "us-east-1"
	side := func(role, account, id string) ledger.Side {
		return ledger.Side{Role: role, Account: account, Region: region, ID: id}
	}
	for _, c := range []ledger.Connection{
		{ID: "pcx-1", Kind: "peering", Status: "Connected", Sides: []ledger.Side{side("requester", there, "vpc-1"), side("accepter", here, "vpc-2")}},
		{ID: "pcx-2", Kind: "peering", Status: "Connected", Sides: []ledger.Side{side("requester", here, "vpc-2"), side("accepter", there, "vpc-1")}},
		{ID: "pcx-3", Kind: "peering", Status: "Removed", Sides: []ledger.Side{side("requester", there, "vpc-1"), side("accepter", here, "vpc-2")}},
		{ID: "tgw-1:vpc-1:vpc-2", Kind: "transit", Status: "Connected", Sides: []ledger.Side{side("requester", there, "vpc-1"), side("accepter", here, "vpc-2")}},
		{ID: "tgw-attach-1", Kind: "attachment", Status: "Attached", Sides: []ledger.Side{side("requester", here, "vpc-2"), side("accepter", there, "tgw-1")}},
		{ID: "arn:aws:rds:us-east-1:222222222222:cluster:sales", Kind: "data-api", Status: "Exposed", Sides: []ledger.Side{side("producer", here, "sales")}},
	} {
		if _, err := l.Begin(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	listed, err := Lister{API: &registry{}, Regions: []string{region}, Policy: readable}.List(t.Context(), workflow.ListAccountsInput{Page: "2"})
	if err != nil || len(listed.Accounts) != 2 || listed.Accounts[0].Account != here || listed.Accounts[0].Suspended != "SUSPENDED" || listed.Accounts[1].Suspended != "" {
		t.Fatalf("%+v, %v", listed.Accounts, err)
	}
	var asked []string
	s := Sweeper{Hears: hears, Ledger: l, Finders: []Finder{guide{"a", errors.New("it was entered")}}, Ask: func(_ context.Context, looks ...look.Look) error {
		for _, l := range looks {
			asked = append(asked, fmt.Sprintf("%T %+v", l, l))
		}
		return nil
	}}
	out, err := s.Sweep(t.Context(), workflow.SweepAccountInput{Territory: listed.Accounts[0]})
	if err != nil || out.Closed != "account 222222222222 is SUSPENDED" {
		t.Fatalf("%+v, %v", out, err)
	}
	const why = "account 222222222222 is SUSPENDED: what of it can be read?}"
	want := []string{
		"event.DataAPIInspection {Account:" + here + " Region:us-east-1 Cluster:arn:aws:rds:us-east-1:222222222222:cluster:sales Reason:" + why,
		"event.Inspection {Account:" + there + " Region:us-east-1 PeeringID:pcx-1 Reason:" + strings.TrimSuffix(why, "}") + " Follows:}",
		"event.AttachmentInspection {Account:" + there + " Region:us-east-1 TransitGatewayID: AttachmentID:tgw-attach-1 VPC: Reason:" + why,
		"event.TransitInspection {TransitGatewayID:tgw-1 VPCs:[{Account:" + there + " Region:us-east-1 VPC:vpc-1} {Account:" + here + " Region:us-east-1 VPC:vpc-2}] Reason:" + strings.TrimSuffix(why, "}") + " Follows:}",
	}
	slices.Sort(asked)
	slices.Sort(want)
	if !slices.Equal(asked, want) {
		t.Errorf("asked for\n%s\nwant\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
	}
}
