package survey

import (
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// lead says of a side of a VPC's owner what its route tables have to lead where: the least by which every client of one VPC and every database that
// is open to it reach each other. all are the sides of both VPCs, those of participants among them.
//
//	the tables of the clients' subnets     → the subnets of the peer's databases
//	the tables of the databases' subnets   → the subnets of the peer's clients
//	a database whose subnets are not known → may be anywhere in its VPC
//	an owner wants the whole VPC           → all its tables, and on the other side all its ranges
//
// A client or a database without an address of a family has no way in it. Where nobody calls, or nothing is open, there is no way.
func lead(s *workflow.Side, all []*workflow.Side) {
	s.Ways, s.Aims = nil, nil
	if s.Owner != "" {
		return
	}
	whole := wide(s, all)
	var here, there []*workflow.Side
	for _, one := range all {
		if one.Role == s.Role {
			here = append(here, one)
		} else {
			there = append(there, one)
		}
	}
	calls, answers := paths(here, there), paths(there, here)
	to, from := calls.goals(), answers.callers()
	w := weaver{reached: s.Peer.CIDRs}
	if goals, vague := goals(calls.openings), len(calls.openings) > 0; !vague || len(goals) > 0 {
		s.Aims = network.Common(slices.Concat(goals, from), s.Peer.CIDRs)
	}
	if whole {
		to, from = s.Peer.CIDRs, s.Peer.CIDRs
	}
	for _, c := range calls.clients {
		w.way(c.Subnets, Reachable(c.CIDRs, to))
	}
	for _, o := range answers.openings {
		w.way(o.Subnets, o.Family(from))
	}
	if s.Whole {
		w.way(nil, to)
		w.way(nil, from)
	}
	s.Ways = w.ways
}

// path is who calls and what answers, one way.
type path struct {
	clients  []workflow.Client
	openings []workflow.AllowedDatabase
	reached  []netip.Prefix // of the VPC that answers
}

// paths returns the clients of one VPC and the databases of the other that are open to them; no clients where nothing is open.
func paths(from, to []*workflow.Side) path {
	out := path{reached: from[0].Peer.CIDRs}
	for _, s := range to {
		for _, o := range s.AllowedDatabases {
			if o.Withheld == nil {
				out.openings = append(out.openings, o)
			}
		}
	}
	for _, s := range from {
		for _, c := range s.Clients {
			if len(c.CIDRs) > 0 && c.Withheld == nil { // without ranges it is nowhere yet
				out.clients = append(out.clients, c)
			}
		}
	}
	return out
}

// goals are the addresses that databases may have: all of their VPC's if those of one are not known.
func (p path) goals() []netip.Prefix {
	if len(p.openings) == 0 {
		return nil
	}
	if g := goals(p.openings); len(g) > 0 {
		return g
	}
	return p.reached
}

// callers are the addresses that clients may have, if there is anything for them.
func (p path) callers() []netip.Prefix {
	var out []netip.Prefix
	if len(p.openings) == 0 {
		return nil
	}
	for _, c := range p.clients {
		out = append(out, c.CIDRs...)
	}
	return network.Merge(out)
}

// weaver gathers ways: those to the same are one.
type weaver struct {
	reached []netip.Prefix
	ways    []workflow.Way
}

// way adds a way from subnets, none for all, to prefixes, as far as the connection reaches them.
func (w *weaver) way(subnets []string, to []netip.Prefix) {
	if !slices.Equal(to, w.reached) { // the ranges of a VPC stay as they are
		to = network.Common(to, w.reached)
	}
	if len(to) == 0 {
		return
	}
	n := slices.IndexFunc(w.ways, func(o workflow.Way) bool {
		return slices.Equal(o.To, to) && (len(o.Subnets) == 0) == (len(subnets) == 0)
	})
	if n < 0 {
		n = len(w.ways)
		w.ways = append(w.ways, workflow.Way{To: to})
	}
	one := &w.ways[n]
	one.Subnets = slices.Concat(one.Subnets, subnets)
	slices.Sort(one.Subnets)
	one.Subnets = slices.Compact(one.Subnets)
}
