package firewall

import (
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Surplus returns the ids of the connection's rules that serve nothing any more on a side, sorted. The first of these that holds:
//
//	another connection's rule, or an owner's              → keep
//	it is in a group that its owner keeps out             → goes
//	a rule that is wanted: see [WantedIngress] in any
//	group of an opened database, [WantedEgress] in any
//	group of a client                                     → keep
//	it lets in or out more than is wanted, or otherwise   → keep, until what is wanted serves in its place
//	ingress from the peer, in a group of no database
//	that is seen, where some may be unseen                → keep
//	ingress from the peer, in a group of a database
//	that has no endpoint now                              → keep
//	egress to the peer, some of whose may be unseen       → keep
//	ours, and nothing of these                            → goes
//
// A rule is kept in any group of a database, not only in the one that is chosen first today: it may be the one that serves.
func Surplus(rules []Tagged, connection string, side workflow.Side) []string {
	var out []string
	for _, r := range rules {
		useless := !r.wanted(side) && (r.Spare || !r.serves(side)) && !r.maybe(side)
		if connection != "" && r.Connection == connection && (useless || slices.Contains(side.Apart, r.Group)) {
			out = append(out, r.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wanted reports whether a rule is one that the connection would add now.
func (r Tagged) wanted(side workflow.Side) bool {
	if r.Egress {
		return r.clients(side) && slices.ContainsFunc(side.Services, func(s workflow.Service) bool {
			return r.on(s.Port) && r.Rule.From == r.Rule.To && slices.Contains(s.CIDRs, r.Rule.CIDR)
		})
	}
	return slices.ContainsFunc(side.AllowedDatabases, func(o workflow.AllowedDatabase) bool {
		return slices.Contains(o.Groups, r.Group) && slices.ContainsFunc(WantedIngress(o, r.Group, side), func(w Wanted) bool { return w.Rule == r.Rule })
	})
}

// serves reports whether a rule lets through something of what shall get through.
func (r Tagged) serves(side workflow.Side) bool {
	if r.Egress {
		return r.clients(side) && slices.ContainsFunc(side.Services, func(s workflow.Service) bool { return r.on(s.Port) && r.touches(s.CIDRs) })
	}
	called := side.Refers && slices.ContainsFunc(side.Callers.Groups, func(s workflow.GroupSet) bool {
		return slices.Contains(without(s.Groups, side.Callers.Apart), r.Rule.Other)
	})
	return slices.ContainsFunc(side.AllowedDatabases, func(o workflow.AllowedDatabase) bool {
		return slices.Contains(o.Groups, r.Group) && r.on(o.Port) && (called || r.touches(o.Family(side.Callers.CIDRs)))
	})
}

// maybe reports whether a rule may serve a database that is not seen.
func (r Tagged) maybe(side workflow.Side) bool {
	peer := r.Rule.Other != "" || r.touches(side.Peer.CIDRs)
	u := side.Unseen
	return peer && (r.Egress && u.There || !r.Egress && (slices.Contains(u.Waiting, r.Group) || u.Here && !slices.Contains(u.Seen, r.Group)))
}

// clients reports whether a client may have the group of a rule: if not all are known, any may be one's.
func (r Tagged) clients(side workflow.Side) bool {
	return side.Overlooked != "" || slices.ContainsFunc(side.Clients, func(c workflow.Client) bool {
		return len(c.Groups) == 0 || slices.Contains(c.Groups, r.Group)
	})
}

func (r Tagged) on(port int) bool { return r.Rule.From <= port && port <= r.Rule.To }

func (r Tagged) touches(cidrs []netip.Prefix) bool {
	return r.Rule.CIDR.IsValid() && slices.ContainsFunc(cidrs, r.Rule.CIDR.Overlaps)
}
