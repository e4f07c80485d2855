package sweep

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/transit"
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
//	pending-acceptance, in the accepter's place   → yes: nobody may have looked at it, the policy may be another one now,
//	                                                an approval may be lost, or its owner may have to be reminded
//	initiating-request, provisioning, likewise    → yes: the machine waits for what becomes of it
//	active, in the accepter's place               → yes: routes, rules and scripts can only be compared by reading them
//	deleted with a status tag                     → yes: the tag is the last thing that a removal takes away
//	rejected, expired with a status tag, likewise,
//	  in the accepter's place                     → yes
//	anything else                                 → no
//
// A peering counts only where its accepter is, so that it is found, and people are told of it, once. One that is deleted
// counts on either side, since one side may have been taken away already; nothing but tags is left of one that was never
// accepted, and AWS forgets those within days.
func Wanted(p Peering, at event.Place) string {
	switch p.Status {
	case "pending-acceptance":
		if p.Accepter.Place != at {
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
		if p.Label != "" && (p.Status == "deleted" || p.Accepter.Place == at) {
			return "the peering is " + p.Status + ", but Drawbridge's status is still on it"
		}
	}
	return ""
}

// Untold reports whether a peering is over, and [Wanted] does not want it because no tag says that Drawbridge had to do with it.
func Untold(p Peering) bool {
	return p.Label == "" && slices.Contains([]string{"deleted", "rejected", "expired", "failed"}, p.Status)
}

// Attached says why an attachment wants a look, or "" if it wants none:
//
//	there, or on its way, of a VPC that asks for a gateway → no: the VPC is looked at, with all its live attachments
//	there, or on its way                                   → yes: nobody may have looked at it, and what is in place can
//	                                                         only be told by reading it, as its owner and the gateway's
//	over, with a tag of Drawbridge's that says what the
//	VPC was connected to, or how it stood                  → yes: what was added for it may not be gone
//	over otherwise                                         → no
//
// AWS shows an attachment that is over for about two hours.
func Attached(a Attachment) string {
	if attachment.Live(workflow.Attachment{State: a.State}) {
		if a.Asked {
			return ""
		}
		return a.ID + " is " + a.State + ": is everything in place?"
	}
	for key := range a.Tags {
		if key == connection.TagStatus || strings.HasPrefix(key, connection.TagPeer) {
			return a.ID + " is " + a.State + ", but Drawbridge's tags are still on it"
		}
	}
	return ""
}

// Lost returns a look at each pair on a gateway, by its id, that rules of a place name, if the VPC of the rule is not among
// those that are attached to that gateway. vpcs are those of the rules' groups:
//
//	the group is gone                                       → no: its rules went with it
//	the rule's VPC, its peer and the gateway are not those
//	that the connection's id names, or are none             → no: a tag is for everybody to write, and this is not ours
//	the VPC is attached to the gateway, or was lately       → no: [Attached] tells
//	else                                                    → yes
func Lost(at event.Place, rules []firewall.Tagged, vpcs map[string]string, attached map[[2]string]bool) map[string]look.Look {
	out := map[string]look.Look{}
	for _, r := range rules {
		vpc := vpcs[r.Group]
		gateway := transit.GatewayOf(r.Connection, vpc, r.Peer.VPC)
		if vpc == "" || !event.IsGateway(gateway) || attached[[2]string{gateway, vpc}] {
			continue
		}
		out[r.Connection] = event.TransitInspection{TransitGatewayID: gateway,
			VPCs:   []event.VPCPlace{{Account: at.Account, Region: at.Region, VPC: vpc}, r.Peer},
			Reason: "rules are left in " + vpc + ", which is not attached any more"}
	}
	return out
}

// Drift says how the lines of a configuration differ from the host routes that the notebooks of a subnet need, or "".
//
//	no line for the subnet, and routes wanted   → missing
//	a line with other destinations than wanted  → stale
//	the same                                    → ""
//
// An IPv6 route is for the line of the subnet's IPv6 CIDR, an IPv4 one for that of its IPv4 CIDR.
func Drift(lines []lifecycle.Line, subnet route.Subnet, wanted []netip.Prefix) string {
	for _, side := range []struct {
		of netip.Prefix
		v4 bool
	}{{subnet.V4, true}, {subnet.V6, false}} {
		if !side.of.IsValid() {
			continue
		}
		var mine []netip.Prefix
		for _, p := range wanted {
			if p.Addr().Is4() == side.v4 {
				mine = append(mine, p)
			}
		}
		if !lifecycle.Holds(lines, side.of, mine) {
			return fmt.Sprintf("the host routes of %s are not those of its route table", side.of)
		}
	}
	return ""
}

// named is how many accounts of each kind a [workflow.Tally] names.
const named = 20

// Count adds the visits of a page of accounts to a tally. An account without an answer failed, in a way that its visit
// could not tell.
func Count(t workflow.Tally, accounts []workflow.Territory, visits []*workflow.Visit) workflow.Tally {
	t.Accounts += len(accounts)
	found, closed, barred, failed := slices.Clone(t.Found), slices.Clone(t.Closed), slices.Clone(t.Barred), slices.Clone(t.Failed)
	answered := map[string]*workflow.Visit{}
	for _, v := range visits {
		if v != nil {
			answered[v.Account] = v
		}
	}
	for _, a := range accounts {
		v := answered[a.Account]
		switch {
		case v == nil:
			failed = append(failed, workflow.Missed{Account: a.Account, Why: "the visit left no answer; its own execution in the Map Run says why"})
			continue
		case v.Error != "":
			failed = append(failed, workflow.Missed{Account: a.Account, Why: clip(v.Error + ": " + message(v.Cause))})
			continue
		case v.Closed != "":
			closed = append(closed, workflow.Missed{Account: a.Account, Why: clip(v.Closed)})
		}
		for _, b := range v.Barred {
			barred = append(barred, workflow.Missed{Account: a.Account, Regions: b.Regions, Why: clip(b.Why)})
		}
		for _, f := range v.Found {
			i := slices.IndexFunc(found, func(known workflow.Found) bool { return known.Kind == f.Kind })
			if i < 0 {
				found = append(found, f)
				continue
			}
			found[i].Seen, found[i].Announced = found[i].Seen+f.Seen, found[i].Announced+f.Announced
		}
	}
	more := func(all []workflow.Missed) int { return max(0, len(all)-named) }
	t.More.Closed, t.More.Barred, t.More.Failed = t.More.Closed+more(closed), t.More.Barred+more(barred), t.More.Failed+more(failed)
	t.Found, t.Closed, t.Barred, t.Failed = list(found, len(found)), list(closed, named), list(barred, named), list(failed, named)
	return t
}

// list returns the first ones, and never null.
func list[T any](all []T, most int) []T {
	return append([]T{}, all[:min(most, len(all))]...)
}

// message is what a function's error says; its cause is JSON.
func message(cause string) string {
	var told struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &told) == nil && told.Message != "" {
		return told.Message
	}
	return cause
}

// Bar adds a Region to those that are barred from an account; only the first reason for it counts.
func Bar(known []workflow.Barred, region, why string) []workflow.Barred {
	if slices.ContainsFunc(known, func(b workflow.Barred) bool { return slices.Contains(b.Regions, region) }) {
		return known
	}
	for i := range known {
		if known[i].Why == why {
			known[i].Regions = append(known[i].Regions, region)
			return known
		}
	}
	return append(known, workflow.Barred{Regions: []string{region}, Why: why})
}

// clip keeps a tally small: 40 texts have to fit into the data of a machine many times over.
func clip(text string) string {
	const most = 300
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
