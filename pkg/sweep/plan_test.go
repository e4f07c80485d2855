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

func one(status string, managed bool) Peering {
	return Peering{ID: "pcx-0a", Status: status, Requester: End{alpha, "vpc-a"}, Accepter: End{beta, "vpc-b"}, Managed: managed}
}

func TestWanted(t *testing.T) {
	asked := one("active", false)
	asked.Asked = true
	for name, c := range map[string]struct {
		p               Peering
		at              event.Place
		want, unmanaged bool
	}{
		"a request that no event announced":             {one("pending-acceptance", false), beta, true, false},
		"the same, where the requester is":              {one("pending-acceptance", false), alpha, false, false},
		"a request that waits for its owner":            {one("pending-acceptance", true), beta, true, false},
		"an active peering that nobody gave us":         {one("active", false), beta, false, true},
		"that one, where the requester is":              {one("active", false), alpha, false, false},
		"one whose owner asks, wherever":                {asked, alpha, true, false},
		"a connection":                                  {one("active", true), beta, true, false},
		"a connection, where the requester is":          {one("active", true), alpha, false, false},
		"a deleted one that the ledger has":             {one("deleted", true), beta, true, false},
		"the same, where the requester of it is":        {one("deleted", true), alpha, true, false},
		"a deleted one that was not ours":               {one("deleted", false), beta, false, false},
		"an expired request that the ledger has":        {one("expired", true), beta, true, false},
		"the same, where its requester is":              {one("expired", true), alpha, false, false},
		"a failed one that the ledger has":              {one("failed", true), beta, true, false},
		"one that is on its way, where the accepter is": {one("provisioning", true), beta, true, false},
		"one that is on its way, and not ours":          {one("provisioning", false), beta, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Wanted(c.p, c.at); (got != "") != c.want {
				t.Errorf("Wanted = %q, want %v", got, c.want)
			}
			if got := Unmanaged(c.p, c.at); got != c.unmanaged {
				t.Errorf("Unmanaged = %v", got)
			}
		})
	}
}

func TestConcerned(t *testing.T) {
	for name, c := range map[string]struct {
		p    Peering
		at   event.Place
		vpc  string
		want bool
	}{
		"the requester's VPC":                {one("active", false), alpha, "vpc-a", true},
		"the accepter's VPC, pending":        {one("pending-acceptance", false), beta, "vpc-b", true},
		"another VPC of the account":         {one("active", false), alpha, "vpc-c", false},
		"the same id in another Region":      {one("active", false), event.Place{Account: alpha.Account, Region: "eu-west-1"}, "vpc-a", false},
		"any VPC of the place":               {one("active", false), alpha, "", true},
		"any VPC of a place that has no end": {one("active", false), event.Place{Account: "333333333333", Region: "us-east-1"}, "", false},
		"a peering that is over":             {one("deleted", false), alpha, "vpc-a", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Concerned(c.p, c.at, c.vpc); got != c.want {
				t.Errorf("Concerned = %v, want %v", got, c.want)
			}
		})
	}
}

func TestLost(t *testing.T) {
	pair := ledger.Connection{ID: "tgw-1:vpc-a:vpc-b", Sides: []ledger.Side{{Account: alpha.Account, Region: alpha.Region, ID: "vpc-a"}, {Account: beta.Account, Region: beta.Region, ID: "vpc-b"}}}
	for name, c := range map[string]struct {
		at       event.Place
		attached [2]string
		managed  string
		want     bool
	}{
		"its VPC is not attached":              {alpha, [2]string{}, "vpc-a", true},
		"it is":                                {alpha, [2]string{"tgw-1", "vpc-a"}, "vpc-a", false},
		"it is, neither is managed":            {alpha, [2]string{"tgw-1", "vpc-a"}, "", true},
		"to another gateway":                   {alpha, [2]string{"tgw-2", "vpc-a"}, "vpc-a", true},
		"the other VPC, where that is":         {beta, [2]string{"tgw-1", "vpc-a"}, "vpc-a", true},
		"a place that has nothing of the two":  {event.Place{Account: "333333333333", Region: "us-east-1"}, [2]string{}, "vpc-a", false},
		"it is, the other is managed":          {alpha, [2]string{"tgw-1", "vpc-a"}, "vpc-b", false},
		"neither is, of the other VPC's place": {beta, [2]string{"tgw-1", "vpc-b"}, "", false},
	} {
		got := Lost(c.at, []ledger.Connection{pair}, map[[2]string]bool{c.attached: true}, map[[2]string]bool{{"tgw-1", c.managed}: true})
		if (len(got) == 1) != c.want {
			t.Errorf("%s: %v", name, got)
		}
		for _, l := range got {
			if look := l.(event.TransitInspection); look.TransitGatewayID != "tgw-1" || len(look.VPCs) != 2 || look.Reason == "" {
				t.Errorf("%s: %+v", name, look)
			}
		}
	}
}
