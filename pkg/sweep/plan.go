package sweep

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Concerned reports whether a change of a VPC in one place concerns a peering: it is pending or active, and the VPC is
// one of its ends. An empty VPC is any VPC of the place.
func Concerned(p Peering, at event.Place, vpc string) bool {
	if p.Status != "pending-acceptance" && p.Status != "active" {
		return false
	}
	for _, e := range []End{p.Requester, p.Accepter} {
		if e.Place == at && (vpc == "" || e.VPC == vpc) {
			return true
		}
	}
	return false
}

// Wanted says why a peering that is listed in a place wants a look, or "" if it wants none:
//
//	pending-acceptance, in the accepter's place
//	  AwaitingApproval, without an approval       → no: its owner was asked, and asking again would be noise
//	  else                                        → yes
//	initiating-request, provisioning, likewise    → yes: the machine waits for what becomes of it
//	active, in the accepter's place               → yes: routes, rules and scripts can only be compared by reading them
//	deleted, rejected, expired with a status tag  → yes: the tag is the last thing that a removal takes away
//	anything else                                 → no
//
// A pending or active peering counts only where its accepter is, so that it is found once. One that is over counts on
// either side, since one side may have been taken away already.
func Wanted(p Peering, at event.Place) string {
	switch p.Status {
	case "pending-acceptance":
		if p.Accepter.Place != at || p.Label == string(workflow.AwaitingApproval) && p.Approval == "" {
			return ""
		}
		return "the request is still pending"
	case "initiating-request", "provisioning":
		if p.Accepter.Place != at {
			return ""
		}
		return "the peering is " + p.Status
	case "active":
		if p.Accepter.Place != at {
			return ""
		}
		return "the peering is active: is everything in place?"
	case "deleted", "rejected", "expired":
		if p.Label != "" {
			return "the peering is " + p.Status + ", but Drawbridge's status is still on it"
		}
	}
	return ""
}
