package sweep

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
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
//	initiating-request, likewise                  → yes: the machine waits for what becomes of it
//	managed and provisioning, likewise            → yes, for the same reason
//	managed and active, likewise                  → yes: routes, rules and scripts can only be compared by reading them
//	managed, and over before it was active        → yes: the entry is the last thing that a removal takes away
//	managed and deleted, on either side           → yes, for the same reason
//	not managed, and its owner asks that it be    → yes: nobody may have heard of it
//	anything else                                 → no: it was not given to Drawbridge
//
// A peering counts only where its accepter is, so that it is found, and people are told of it, once. One that was deleted counts on
// either side, since one side may be gone or closed.
func Wanted(p Peering, at event.Place) string {
	here := p.Accepter.Place == at
	switch {
	case p.Status == "pending-acceptance" && here:
		return "the request is still pending"
	case here && (p.Status == "initiating-request" || p.Managed && p.Status == "provisioning"):
		return "the peering is " + p.Status
	case p.Managed && here && p.Status == "active":
		return "the peering is active: is everything in place?"
	case p.Managed && (p.Status == "deleted" || here && slices.Contains([]string{"rejected", "expired", "failed"}, p.Status)):
		return "the peering is " + p.Status + ", but the ledger still has it"
	case !p.Managed && p.Asked && p.Status == "active":
		return "its owner asks Drawbridge to take it over"
	}
	return ""
}

// Unmanaged reports whether a peering is there and in use, and was not given to Drawbridge; of one that several places show, the
// accepter's tells.
func Unmanaged(p Peering, at event.Place) bool {
	return !p.Managed && p.Accepter.Place == at && (p.Status == "active" || p.Status == "provisioning")
}

// Attached says why an attachment wants a look, or "" if it wants none:
//
//	there, or on its way, of a VPC that asks for a gateway → no: the VPC is looked at, with all its live attachments
//	there, or on its way                                   → yes: nobody may have looked at it, and what is in place can
//	                                                         only be told by reading it, as its owner and the gateway's
//	over, with a tag of Drawbridge's that says how it stood → yes: what was added for it may not be gone
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
	if a.Tags[tag.Status] != "" {
		return a.ID + " is " + a.State + ", but Drawbridge's tags are still on it"
	}
	return ""
}

// Lost returns a look at each managed pair on a gateway that no look at an attachment asks for: the VPC in this place is not attached to the
// gateway any more, or neither attachment is managed. attached has a gateway and a VPC for each attachment that is there, or on its way, in this
// place, and managed for each that the ledger has, wherever it is: of the pairs of those, [Attachments] tells.
func Lost(at event.Place, pairs []ledger.Connection, attached, managed map[[2]string]bool) []look.Look {
	var out []look.Look
	for _, p := range pairs {
		gateway := workflow.TargetOf(p.ID)
		look := event.TransitInspection{TransitGatewayID: gateway}
		known := slices.ContainsFunc(p.Sides, func(s ledger.Side) bool { return managed[[2]string{gateway, s.ID}] })
		for n, s := range p.Sides {
			look.VPCs = append(look.VPCs, event.VPCPlace{Account: s.Account, Region: s.Region, VPC: s.ID})
			if s.Account != at.Account || s.Region != at.Region {
				continue
			}
			switch {
			case !attached[[2]string{gateway, s.ID}]:
				look.Reason = s.ID + " is not attached to " + gateway + " any more, but the ledger still has the pair"
			case !known && n == 0: // once, not in the place of each side
				look.Reason = "neither VPC's attachment to " + gateway + " is managed, but the ledger has the pair"
			}
		}
		if look.Reason != "" {
			out = append(out, look)
		}
	}
	return out
}

// Elsewhere returns the look at a managed connection that has a side in a place in which nothing can be read: from its other end, if that is in
// another account. It returns none if nothing of the connection stands; nor for a peering whose accepter is in another account, since that
// one's own visit asks for it.
func Elsewhere(c ledger.Connection, at event.Place, reason string) (look.Look, bool) {
	from := at
	for _, s := range c.Sides {
		if s.Account == at.Account {
			continue
		}
		if from = (event.Place{Account: s.Account, Region: s.Region}); c.Kind == road.Peering && s.Role == "accepter" {
			return nil, false
		}
	}
	if !Standing(c) {
		return nil, false
	}
	return look.At(c, from, reason)
}

// Accepter returns the account of the accepter of a peering that stands, if the requester is in a place and the accepter in another account.
func Accepter(c ledger.Connection, at event.Place) (account string, ok bool) {
	here := false
	for _, s := range c.Sides {
		here = here || s.Role == "requester" && s.Account == at.Account && s.Region == at.Region
		if s.Role == "accepter" {
			account = s.Account
		}
	}
	return account, here && Standing(c) && account != "" && account != at.Account
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

// Ours are lines without the destinations that nobody wants and the ledger does not have: they are their owner's, and no look takes them away. items are what the
// ledger has of the configuration.
func Ours(lines []lifecycle.Line, wanted []netip.Prefix, items []ledger.Item) []lifecycle.Line {
	var out []lifecycle.Line
	for _, l := range lines {
		l.Destinations = slices.DeleteFunc(slices.Clone(l.Destinations), func(d netip.Prefix) bool {
			return !slices.Contains(wanted, d) && !slices.ContainsFunc(items, func(i ledger.Item) bool { return i.Kind == ledger.HostRoute && i.Key == lifecycle.Key(l.Subnet, d) })
		})
		if len(l.Destinations) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// named is how many accounts of each kind a [workflow.Tally] names, and things of each kind, if they have room.
const named = 20

// Count adds the visits of a page of accounts to a tally. An account without an answer failed, in a way that its visit
// could not tell.
func Count(t workflow.Tally, accounts []workflow.Territory, visits []*workflow.Visit) workflow.Tally {
	t.Accounts += len(accounts)
	found, closed, barred, failed, deaf := slices.Clone(t.Found), slices.Clone(t.Closed), slices.Clone(t.Barred), slices.Clone(t.Failed), slices.Clone(t.Deaf)
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
		t.Managed += v.Managed
		for _, b := range v.Barred {
			barred = append(barred, workflow.Missed{Account: a.Account, Regions: b.Regions, Why: clip(b.Why)})
		}
		for _, d := range v.Deaf {
			deaf = append(deaf, workflow.Missed{Account: a.Account, Regions: d.Regions, Why: clip(d.Why)})
		}
		for _, f := range v.Found {
			i := slices.IndexFunc(found, func(known workflow.Found) bool { return known.Kind == f.Kind })
			if i < 0 {
				found = append(found, f)
				continue
			}
			found[i].Seen, found[i].Announced, found[i].Unmanaged = found[i].Seen+f.Seen, found[i].Announced+f.Announced, found[i].Unmanaged+f.Unmanaged
			found[i].Written, found[i].Untold = found[i].Written+f.Written, found[i].Untold+f.Untold
			for _, name := range f.Names {
				found[i].Names = Name(found[i].Names, name)
			}
		}
	}
	for _, of := range []struct {
		all  []workflow.Missed
		into *[]workflow.Missed
		more *int
	}{{closed, &t.Closed, &t.More.Closed}, {barred, &t.Barred, &t.More.Barred}, {failed, &t.Failed, &t.More.Failed}, {deaf, &t.Deaf, &t.More.Deaf}} {
		*of.into = fitting(of.all)
		*of.more += len(of.all) - len(*of.into)
	}
	t.Found = append([]workflow.Found{}, found...)
	for n := 0; size(t.Found) > workflow.TallySize; n++ { // the last name of each in turn
		names := &t.Found[n%len(t.Found)].Names
		*names = slices.Clone((*names)[:max(0, len(*names)-1)])
	}
	return t
}

// fitting returns the first ones, as many as are named and have room; never null.
func fitting(all []workflow.Missed) []workflow.Missed {
	n := min(named, len(all))
	for n > 0 && size(all[:n]) > workflow.TallySize {
		n--
	}
	return append([]workflow.Missed{}, all[:n]...)
}

func size(v any) int {
	text, _ := json.Marshal(v) // strings and numbers always encode
	return len(text)
}

// Name adds a name to those of things that are not managed, while there is room.
func Name(names []string, one string) []string {
	if len(names) >= named {
		return names
	}
	return append(slices.Clip(names), one)
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
