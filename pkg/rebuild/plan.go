package rebuild

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Plan returns what the ledger gets of a connection. The first of these that holds:
//
//	an owner said that Drawbridge lets go of it                  → nothing
//	a peering that is neither active nor over                    → nothing: the sweep takes a request up by itself
//	a pair one of whose VPCs is not attached any more            → nothing, its rules untold
//	not both accounts have Drawbridge's mark                     → nothing, untold
//	else                                                         → the entry, as the marks say it, and its items
//
// The marks are drawbridge:status on a peering, and drawbridge:pairs on an attachment; a pair is found by its rules. The items:
//
//	a rule with the tags of the connection and of the other VPC, for one port, from or to addresses or a group of that VPC → an item
//	a rule with the tags that admits anything else               → untold: somebody changed it, or the other VPC is gone
//	a route to a range of the other VPC through the target, in a table that subnets use → an item
//	the same, in a table that no subnet uses, or through a carrier that was there before Drawbridge → untold
//	a route to anything else, or by a prefix list                → nothing: Drawbridge adds no such route
//	a DNS option that is on                                      → untold: it may have been on before
func Plan(c Connected) Rows {
	var kind, mark string
	var never, loose bool // never set up, or over; without one of its attachments
	switch c.Kind.Carrier() {
	case road.ByPeering, road.ByNothing:
		kind, mark = Peerings, tag.Status
		never = !slices.Contains([]string{"active", "deleting", "deleted"}, c.State)
	case road.ByGateway:
		kind, mark = Pairs, tag.Pairs
		loose = c.Sides[0].Attachment == "" || c.Sides[1].Attachment == ""
	}
	marks := [2]string{c.Sides[0].Tags[mark], c.Sides[1].Tags[mark]}
	out := Rows{Kind: kind}
	untold := func(kind, format string, args ...any) {
		out.Untold = append(out.Untold, Untold{kind, fmt.Sprintf(format, args...)})
	}
	switch {
	case tag.Letting(c.Sides[0].Tags, c.Sides[1].Tags) != "", never:
		return out
	case loose:
		for _, s := range c.Sides {
			for _, r := range s.Rules {
				untold(Rules, "%s of %s: one of the VPCs of %s is not attached any more", r.ID, r.Group, c.ID)
			}
		}
		return out
	case marks[0] == "" || marks[1] == "":
		missing := c.Sides[0].VPC.Account
		if marks[0] != "" {
			missing = c.Sides[1].VPC.Account
		}
		untold(kind, "%s: account %s does not have Drawbridge's tags", c.ID, missing)
		return out
	}
	entry := entryOf(c)
	out.Entry = &entry
	for n, s := range c.Sides {
		items, left := s.plan(c, c.Sides[1-n])
		out.Items, out.Untold = append(out.Items, items...), append(out.Untold, left...)
	}
	return out
}

// entryOf returns the entry of a connection, as far as the marks tell. A pair's attachments only count, so its status is what nearly all that
// stand have; the next look writes what is true.
func entryOf(c Connected) ledger.Connection {
	origin := ledger.Requested
	for _, s := range c.Sides {
		if s.Tags[tag.Manage] == tag.Take {
			origin = ledger.Adopted
		}
	}
	out := connection.Entry(workflow.Connection{ID: c.ID, Target: c.Target, Requester: c.Sides[0].VPC, Accepter: c.Sides[1].VPC}, c.Kind, origin)
	switch c.Kind.Carrier() {
	case road.ByGateway, road.ByNothing:
		out.Origin, out.Status = ledger.Requested, ledger.Status(workflow.Connected)
	case road.ByPeering:
		tags := c.Sides[1].Tags
		out.Status, out.Reason = ledger.Status(tags[tag.Status]), tags[tag.Reason]
		out.At, _ = time.Parse(time.RFC3339, tags[tag.Since])
	}
	return out
}

// plan returns the items of one side, and what of it cannot be told.
func (s Side) plan(c Connected, peer Side) (items []ledger.Item, untold []Untold) {
	item := func(kind ledger.Kind, resource, key, left string) {
		items = append(items, ledger.Item{Account: s.VPC.Account, Region: s.VPC.Region, Resource: resource, Kind: kind, Key: key, Left: left, Needed: []string{c.ID}})
	}
	other := Named(peer.VPC)
	for _, r := range s.Rules {
		switch {
		case r.Peer != other:
			untold = append(untold, Untold{Rules, fmt.Sprintf("%s of %s, of %s: it names another VPC", r.ID, r.Group, c.ID)})
		case len(peer.VPC.CIDRs) == 0:
			untold = append(untold, Untold{Rules, fmt.Sprintf("%s of %s, of %s: the other VPC is gone", r.ID, r.Group, c.ID)})
		case r.Rule.From != r.Rule.To || r.Of != peer.VPC.ID && !within(r.Rule.CIDR, peer.VPC.CIDRs):
			untold = append(untold, Untold{Rules, fmt.Sprintf("%s of %s, of %s: somebody changed what it admits", r.ID, r.Group, c.ID)})
		default:
			item(ledger.Rule, r.Group, firewall.Key(r.Rule, r.Egress), r.ID)
		}
	}
	used := route.InUse(s.Tables, s.Subnets)
	for _, t := range s.Tables {
		for _, r := range t.Routes {
			if r.Target != c.Target || r.List != "" || !peer.has(r.Destination) {
				continue
			}
			switch {
			case s.Adopted:
				untold = append(untold, Untold{Routes, fmt.Sprintf("%s to %s: %s was there before Drawbridge", t.ID, r.Destination, c.Target)})
			case !slices.ContainsFunc(used, func(u route.Table) bool { return u.ID == t.ID }):
				untold = append(untold, Untold{Routes, fmt.Sprintf("%s to %s: no subnet uses the table", t.ID, r.Destination)})
			default:
				item(ledger.Route, t.ID, r.Destination.String(), c.Target)
			}
		}
	}
	if s.DNS {
		untold = append(untold, Untold{DNSOptions, fmt.Sprintf("%s, of account %s", c.ID, s.VPC.Account)})
	}
	return items, untold
}

// has reports whether a route to a destination may be one of Drawbridge's: to a range of the VPC, or to subnets of it, all of each.
func (s Side) has(destination netip.Prefix) bool {
	var within []netip.Prefix
	for _, r := range s.Ranges {
		if r.Overlaps(destination) {
			within = append(within, r)
		}
	}
	return slices.Contains(s.VPC.CIDRs, destination) || slices.Equal(network.Merge(within), []netip.Prefix{destination})
}

// within reports whether a range is of a VPC's: a rule is for its whole ranges, or for subnets.
func within(p netip.Prefix, cidrs []netip.Prefix) bool {
	return p.IsValid() && slices.ContainsFunc(cidrs, func(c netip.Prefix) bool { return c.Overlaps(p) && c.Bits() <= p.Bits() })
}

// Named is a VPC as the tag drawbridge:peer of a rule names it.
func Named(v workflow.VPC) string { return v.Account + "/" + v.Region + "/" + v.ID }

// attached are the statuses that an attachment has which Drawbridge manages, and stands. One that was refused may be one that nobody gave it.
var attached = []workflow.Result{workflow.Attached, connection.Conflict, connection.Failed, workflow.Removed, workflow.Unreadable}

// PlanAttachment returns what the ledger gets of an attachment. The first of these that holds:
//
//	an owner said that Drawbridge lets go of it, or it is over   → nothing
//	neither account has a status of one that is managed          → nothing
//	one of them does not have it                                 → nothing, untold
//	its tag says that Drawbridge made it                         → the entry, and the item of the attachment itself
//	else                                                         → the entry
//
// Whether Drawbridge or the gateway's owner associated it, or let it propagate, cannot be told: both end with the attachment.
func PlanAttachment(a Attached) Rows {
	out := Rows{Kind: Attachments}
	has := func(tags map[string]string) bool {
		return slices.Contains(attached, workflow.Result(tags[tag.Status]))
	}
	here, there := has(a.Tags), has(a.Owner)
	switch {
	case !attachment.Live(workflow.Attachment{State: a.State}) || tag.Letting(a.Tags, a.Owner) != "" || !here && !there:
		return out
	case !here || !there:
		missing := a.VPC.Account
		if here {
			missing = a.Gateway.Account
		}
		out.Untold = append(out.Untold, Untold{Attachments, fmt.Sprintf("%s: account %s does not have Drawbridge's tags", a.ID, missing)})
		return out
	}
	made := a.Own()
	entry := ledger.Connection{ID: a.ID, Kind: road.Attachment, Origin: ledger.Requested, Status: ledger.Status(a.Tags[tag.Status]), Reason: a.Tags[tag.Reason],
		Sides: []ledger.Side{{Role: "requester", Account: a.VPC.Account, Region: a.VPC.Region, ID: a.VPC.ID}, {Role: "accepter", Account: a.Gateway.Account, Region: a.Gateway.Region, ID: a.Gateway.ID}}}
	if a.Adopted() {
		entry.Origin = ledger.Adopted
	}
	entry.At, _ = time.Parse(time.RFC3339, a.Tags[tag.Since])
	out.Entry = &entry
	if made {
		item := attachment.Made(a.VPC, a.Gateway, a.ID)
		item.Needed = []string{attachment.Unit(a.Gateway.ID, a.VPC.ID)}
		out.Items = append(out.Items, item)
	}
	if a.Associated != "" {
		out.Untold = append(out.Untold, Untold{Belonging, a.ID + " with " + a.Associated})
	}
	for _, table := range a.Propagated {
		out.Untold = append(out.Untold, Untold{Opening, a.ID + " to " + table})
	}
	return out
}

// Own reports whether the attachment's tag says that Drawbridge made it.
func (a Attached) Own() bool {
	return a.Tags[attachment.TagConnection] == attachment.Unit(a.Gateway.ID, a.VPC.ID)
}

// Adopted reports whether the attachment may have been there before Drawbridge: somebody else made it, and an owner asks for it.
func (a Attached) Adopted() bool {
	return !a.Own() && (a.Asks || a.Tags[tag.Manage] == tag.Take || a.Owner[tag.Manage] == tag.Take)
}

// PlanHostRoutes returns what the ledger gets of the lines in Drawbridge's blocks: an item for each destination of a line whose subnet is that of a
// notebook with the configuration, needed by all such subnets. A block is wholly Drawbridge's: whoever edits it by hand makes it unreadable.
// A line for no such notebook is untold.
func PlanHostRoutes(notebooks []Notebook) Rows {
	var out Rows
	serves := func(n Notebook, configuration string, line lifecycle.Line) bool {
		return n.Configuration == configuration && slices.Contains(n.CIDRs, line.Subnet)
	}
	seen := map[string]bool{}
	for _, n := range notebooks {
		if seen[n.Configuration] {
			continue
		}
		seen[n.Configuration] = true
		for _, line := range n.Lines {
			var subnets []string
			for _, other := range notebooks {
				if serves(other, n.Configuration, line) {
					subnets = append(subnets, other.Subnet)
				}
			}
			slices.Sort(subnets)
			subnets = slices.Compact(subnets)
			for _, d := range line.Destinations {
				if len(subnets) == 0 {
					out.Untold = append(out.Untold, Untold{HostRoutes, fmt.Sprintf("%s of %s: no notebook is in that subnet", lifecycle.Key(line.Subnet, d), n.Configuration)})
					continue
				}
				i := lifecycle.Item(n.Account, n.Region, n.Configuration, line.Subnet, d)
				i.Needed = subnets
				out.Items = append(out.Items, i)
			}
		}
	}
	return out
}

// Peer takes the value of the tag drawbridge:peer apart.
func Peer(value string) (workflow.VPC, bool) {
	words := strings.Split(value, "/")
	if len(words) != 3 || len(words[0]) != 12 || words[1] == "" || !strings.HasPrefix(words[2], "vpc-") {
		return workflow.VPC{}, false
	}
	return workflow.VPC{Account: words[0], Region: words[1], ID: words[2], CIDRs: []netip.Prefix{}}, true
}
