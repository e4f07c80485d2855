package sweep

import (
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

var (
	alpha = event.Place{Account: "111111111111", Region: "us-east-1"}
	beta  = event.Place{Account: "222222222222", Region: "eu-west-1"}
)

func one(status, label string) Peering {
	return Peering{ID: "pcx-0a", Status: status, Requester: End{alpha, "vpc-a"}, Accepter: End{beta, "vpc-b"}, Label: label}
}

func TestWanted(t *testing.T) {
	for name, c := range map[string]struct {
		p    Peering
		at   event.Place
		want bool
	}{
		"a request that no event announced":            {one("pending-acceptance", ""), beta, true},
		"the same, where the requester is":             {one("pending-acceptance", ""), alpha, false},
		"a request that waits for its owner":           {one("pending-acceptance", "AwaitingApproval"), beta, true},
		"an expired one, where the requester is":       {one("expired", "AwaitingApproval"), alpha, false},
		"a refused request: the policy may be another": {one("pending-acceptance", "Refused"), beta, true},
		"an active peering that nobody looked at":      {one("active", ""), beta, true},
		"a connection":                                  {one("active", "Connected"), beta, true},
		"a connection, where the requester is":          {one("active", "Connected"), alpha, false},
		"a deleted peering with our status":             {one("deleted", "Connected"), beta, true},
		"the same deleted one, where the requester is":  {one("deleted", "Connected"), alpha, true},
		"a deleted peering without our status":          {one("deleted", ""), beta, false},
		"an expired request with our status":            {one("expired", "AwaitingApproval"), beta, true},
		"a failed one":                                  {one("failed", "Refused"), beta, false},
		"one that is on its way, where the accepter is": {one("provisioning", ""), beta, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Wanted(c.p, c.at); (got != "") != c.want {
				t.Errorf("Wanted = %q, want %v", got, c.want)
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
	peer := event.VPCPlace{Account: "222222222222", Region: "us-east-1", VPC: "vpc-0000000b"}
	for name, c := range map[string]struct {
		rule     firewall.Tagged
		attached string
		want     bool
	}{
		"its VPC is not attached":          {firewall.Tagged{Group: "sg-1", Connection: "tgw-00000001:vpc-0000000a:vpc-0000000b", Peer: peer}, "", true},
		"it is":                            {firewall.Tagged{Group: "sg-1", Connection: "tgw-00000001:vpc-0000000a:vpc-0000000b", Peer: peer}, "tgw-00000001", false},
		"to another gateway":               {firewall.Tagged{Group: "sg-1", Connection: "tgw-00000001:vpc-0000000a:vpc-0000000b", Peer: peer}, "tgw-00000002", true},
		"a pair of two others":             {firewall.Tagged{Group: "sg-1", Connection: "tgw-00000001:vpc-0000000b:vpc-0000000c", Peer: peer}, "", false},
		"a peer that the id does not name": {firewall.Tagged{Group: "sg-1", Connection: "tgw-00000001:vpc-0000000a:vpc-0000000c", Peer: peer}, "", false},
		"the group went, and its rules":    {firewall.Tagged{Group: "sg-2", Connection: "tgw-00000001:vpc-0000000a:vpc-0000000b", Peer: peer}, "", false},
		"an id that is none":               {firewall.Tagged{Group: "sg-1", Connection: "tgw-00000001", Peer: peer}, "", false},
		"a gateway that is none":           {firewall.Tagged{Group: "sg-1", Connection: "tgw-$(reboot):vpc-0000000a:vpc-0000000b", Peer: peer}, "", false},
	} {
		got := Lost(alpha, []firewall.Tagged{c.rule}, map[string]string{"sg-1": "vpc-0000000a"}, map[[2]string]bool{{c.attached, "vpc-0000000a"}: true})
		if (len(got) > 0) != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if want := (event.TransitInspection{TransitGatewayID: "tgw-00000001", VPCs: []event.VPCPlace{{Account: alpha.Account, Region: alpha.Region, VPC: "vpc-0000000a"}, peer},
			Reason: "rules are left in vpc-0000000a, which is not attached any more"}); c.want && fmt.Sprint(got) != fmt.Sprint(map[string]look.Look{"tgw-00000001:vpc-0000000a:vpc-0000000b": want}) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
