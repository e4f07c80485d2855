package connection

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Entry returns what the ledger says of a connection that is managed from now on.
func Entry(c workflow.Connection, kind road.Kind, origin ledger.Origin) ledger.Connection {
	return ledger.Connection{ID: c.ID, Kind: kind, Origin: origin, Sides: sides(c)}
}

func sides(c workflow.Connection) []ledger.Side {
	var out []ledger.Side
	for _, s := range []struct {
		role string
		vpc  workflow.VPC
	}{{"requester", c.Requester}, {"accepter", c.Accepter}} {
		if s.vpc.Account == "" {
			continue
		}
		one := ledger.Side{Role: s.role, Account: s.vpc.Account, Region: s.vpc.Region, ID: s.vpc.ID}
		for _, cidr := range s.vpc.CIDRs {
			one.CIDRs = append(one.CIDRs, cidr.String())
		}
		out = append(out, one)
	}
	return out
}

// Stands reports whether an entry says that the connection was set up, be it to its end or not.
func Stands(entry ledger.Connection) bool {
	for _, r := range []workflow.Result{workflow.Connected, workflow.PartlyConnected, workflow.PendingApproval, Conflict, Failed, workflow.Contested, workflow.Unreadable} {
		if entry.Status == ledger.Status(r) {
			return true
		}
	}
	return false
}

// At reports whether an item is in the account and Region of a VPC.
func At(i ledger.Item, v workflow.VPC) bool { return i.Account == v.Account && i.Region == v.Region }

// Surplus returns what of a connection has no use any more on each of its sides, those of participants among them, as they were surveyed, or nil if nothing. items are
// what the ledger has of the connection:
//
//	a route that a way of the side needs in its table         → keep
//	a route that takes traffic out of another, if its owner
//	or the policy does not allow that any more                → goes, see [route.Withdrawn]
//	a route that no way needs, to addresses of the peer where
//	some of what is called may be unseen                      → keep
//	a route that no way needs, and what of it one needs is led
//	through the target by others, see [route.Spare]           → goes, and the host routes with it
//	a route in a table that the side does not have            → keep: nobody can say what it was for
//	a rule that lets in or out what shall get through         → keep, see [firewall.Surplus]
//	a rule that does not                                      → goes
//
// What is not in the ledger is somebody else's. Where several sides are in one account and Region, a rule goes only if it serves none.
func Surplus(c workflow.Connection, surveyed []workflow.Side, items []ledger.Item) []*workflow.Trim {
	trims := make([]workflow.Trim, len(surveyed))
	for n, s := range surveyed {
		var here []ledger.Item
		wanted, _ := route.Wanted(s.Tables, s, c.Target)
		wanted = route.Throughout(route.Standing(wanted, s.Tables, items, s), s.Tables, items)
		for _, i := range items {
			if !At(i, s.VPC) || i.State == ledger.Leaving {
				continue
			}
			here = append(here, i)
			d, err := netip.ParsePrefix(i.Key)
			ours := slices.IndexFunc(s.Tables, func(t workflow.Table) bool { return t.ID == i.Resource })
			if i.Kind != ledger.Route || err != nil || ours < 0 {
				continue
			}
			if unsure(surveyed, s) && slices.ContainsFunc(s.Peer.CIDRs, d.Overlaps) && !route.Withdrawn(s.Tables[ours], i, s) {
				continue
			}
			if len(route.Spare(s.Tables[ours], c.Target, []netip.Prefix{d}, wanted)) > 0 {
				trims[n].Destinations = append(trims[n].Destinations, d)
			}
		}
		rules := slices.DeleteFunc(firewall.Ours(c.ID, here), func(r firewall.Tagged) bool { return r.ID == "" }) // not made yet, perhaps
		trims[n].Rules = firewall.Surplus(rules, c.ID, s)
		slices.SortFunc(trims[n].Destinations, netip.Prefix.Compare)
		trims[n].Destinations = slices.Compact(trims[n].Destinations)
	}
	for n, s := range surveyed {
		for other := n + 1; other < len(surveyed); other++ {
			if surveyed[other].VPC.Place() == s.VPC.Place() {
				trims[n].Rules = slices.DeleteFunc(trims[n].Rules, func(id string) bool { return !slices.Contains(trims[other].Rules, id) })
			}
		}
		if slices.ContainsFunc(surveyed[:n], func(o workflow.Side) bool { return o.VPC.Place() == s.VPC.Place() }) {
			trims[n].Rules = nil // the first has them
		}
	}
	out := make([]*workflow.Trim, len(surveyed))
	for n := range trims {
		if len(trims[n].Rules)+len(trims[n].Destinations) > 0 {
			out[n] = &trims[n]
		}
	}
	return out
}

// unsure reports whether there may be databases on either side that nobody sees now.
func unsure(surveyed []workflow.Side, s workflow.Side) bool {
	return slices.ContainsFunc(surveyed, func(o workflow.Side) bool {
		return o.Role == s.Role && (o.Unseen.Here || o.Unseen.There || len(o.Unseen.Waiting) > 0)
	})
}

// PairsOf returns the entries of the pairs that a VPC is one of on a gateway.
func PairsOf(entries []ledger.Connection, gateway, vpc string) []ledger.Connection {
	return slices.DeleteFunc(slices.Clone(entries), func(c ledger.Connection) bool {
		return c.Kind != road.Transit || !strings.HasPrefix(c.ID, gateway+":") || !slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.ID == vpc })
	})
}

// Summary is the value of the tag drawbridge:pairs: how many of the pairs stand how, and when, in RFC 3339, that was
// written.
func Summary(pairs []ledger.Connection, at string) string {
	count := map[ledger.Status]int{}
	var order []ledger.Status
	for _, p := range pairs {
		if p.Status == "" {
			continue // nothing is known of it yet
		}
		if count[p.Status]++; count[p.Status] == 1 {
			order = append(order, p.Status)
		}
	}
	slices.Sort(order)
	var words []string
	for _, s := range order {
		words = append(words, fmt.Sprintf("%d %s", count[s], s))
	}
	return fit.Tag(strings.Join(append(words, "at", at), " "))
}
