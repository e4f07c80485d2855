package sweep

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

var (
	alpha = event.Place{Account: "111111111111", Region: "us-east-1"}
	beta  = event.Place{Account: "222222222222", Region: "eu-west-1"}
)

func one(status, says string) Peering {
	return Peering{ID: "pcx-0a", Status: status, Requester: End{alpha, "vpc-a"}, Accepter: End{beta, "vpc-b"}, Managed: says == "managed", Asked: says == "asked"}
}

func TestWanted(t *testing.T) {
	for name, c := range map[string]struct {
		p    Peering
		at   event.Place
		want bool
	}{
		"a request that no event announced":            {one("pending-acceptance", ""), beta, true},
		"the same, where the requester is":             {one("pending-acceptance", ""), alpha, false},
		"an active peering that nobody gave to us":     {one("active", ""), beta, false},
		"one whose owner asks for it":                  {one("active", "asked"), beta, true},
		"the same, where the other owner is":           {one("active", "asked"), alpha, true},
		"a connection":                                 {one("active", "managed"), beta, true},
		"a connection, where the requester is":         {one("active", "managed"), alpha, false},
		"a deleted one that the ledger has":            {one("deleted", "managed"), beta, true},
		"the same deleted one, where the requester is": {one("deleted", "managed"), alpha, true},
		"a deleted one that the ledger does not have":  {one("deleted", ""), beta, false},
		"an expired request that the ledger has":       {one("expired", "managed"), beta, true},
		"a failed one":                                 {one("failed", ""), beta, false},
		"a managed one on its way":                     {one("provisioning", "managed"), beta, true},
		"one on its way that nobody gave to us":        {one("provisioning", ""), beta, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Wanted(c.p, c.at); (got != "") != c.want {
				t.Errorf("Wanted = %q, want %v", got, c.want)
			}
		})
	}
}

func TestUnmanaged(t *testing.T) {
	for name, c := range map[string]struct {
		p    Peering
		at   event.Place
		want bool
	}{
		"made by hand":                {one("active", ""), beta, true},
		"the same, seen by the other": {one("active", ""), alpha, false},
		"a connection":                {one("active", "managed"), beta, false},
		"a request":                   {one("pending-acceptance", ""), beta, false},
		"one that is over":            {one("deleted", ""), beta, false},
	} {
		if got := Unmanaged(c.p, c.at); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestConcerned(t *testing.T) {
	for name, c := range map[string]struct {
		p    Peering
		at   event.Place
		vpc  string
		want bool
	}{
		"the requester's VPC":                {one("active", ""), alpha, "vpc-a", true},
		"the accepter's VPC, pending":        {one("pending-acceptance", ""), beta, "vpc-b", true},
		"another VPC of the account":         {one("active", ""), alpha, "vpc-c", false},
		"the same id in another Region":      {one("active", ""), event.Place{Account: alpha.Account, Region: "eu-west-1"}, "vpc-a", false},
		"any VPC of the place":               {one("active", ""), alpha, "", true},
		"any VPC of a place that has no end": {one("active", ""), event.Place{Account: "333333333333", Region: "us-east-1"}, "", false},
		"a peering that is over":             {one("deleted", ""), alpha, "vpc-a", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Concerned(c.p, c.at, c.vpc); got != c.want {
				t.Errorf("Concerned = %v, want %v", got, c.want)
			}
		})
	}
}

func TestLost(t *testing.T) {
	pair := ledger.Connection{ID: "tgw-00000001:vpc-0000000a:vpc-0000000b", Kind: "transit", Sides: []ledger.Side{
		{Account: alpha.Account, Region: alpha.Region, ID: "vpc-0000000a"}, {Account: beta.Account, Region: alpha.Region, ID: "vpc-0000000b"}}}
	for gateway, want := range map[string]int{"": 1, "tgw-00000001": 0, "tgw-00000002": 1} {
		got := Lost(alpha, []ledger.Connection{pair}, map[[2]string]bool{{gateway, "vpc-0000000a"}: true})
		if len(got) != want {
			t.Errorf("attached to %q: %v, want %d", gateway, got, want)
		}
	}
	if got := Lost(event.Place{Account: "333333333333", Region: alpha.Region}, []ledger.Connection{pair}, nil); len(got) != 0 {
		t.Errorf("where no side is: %v", got)
	}
}
