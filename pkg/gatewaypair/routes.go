package gatewaypair

import (
	"fmt"
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// Wrong says what on the gateway keeps each side's traffic from the other:
//
//	the attachment is associated with no route table
//	no route of that table leads to some of a CIDR   (AWS does not propagate one that another attachment has)
//	a route to it, or to a part of it, is a blackhole, leads back, or was propagated by an attachment that has the addresses too
//
// The most specific route counts, so a wider one to somewhere else is no hindrance. What is led elsewhere on purpose is not wrong: see [Unclear].
// https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html#tgw-route-evaluation-overview
func Wrong(q Question) []string {
	var out []string
	for n, here := range q.Ends {
		if here.Table == "" {
			out = append(out, fmt.Sprintf("%s of %s is associated with no route table of %s", here.Attachment.ID, here.VPC.ID, q.Gateway.ID))
			continue
		}
		for _, cidr := range Crossing(q, n) {
			wrong, _ := leads(here, q.Ends[1-n], cidr)
			out = append(out, wrong...)
		}
	}
	return out
}

// Unclear says what the gateway leads to something else than the other side on purpose: by a static route, or out of all VPCs. That may inspect
// the traffic and pass it on, or not: it is outside of what Drawbridge sees.
func Unclear(q Question) []string {
	var out []string
	for n, here := range q.Ends {
		if here.Table == "" {
			continue
		}
		for _, cidr := range Crossing(q, n) {
			_, unclear := leads(here, q.Ends[1-n], cidr)
			out = append(out, unclear...)
		}
	}
	return out
}

// leads says where the table of here leads traffic to cidr of there, if not there.
func leads(here, there End, cidr netip.Prefix) (wrong, unclear []string) {
	table := network.Table{ID: here.Table}
	for _, e := range here.Entries {
		table.Routes = append(table.Routes, network.Route{Destination: e.Destination, Target: e.Attachment, Blackhole: e.Blackhole, Propagated: !e.Static})
	}
	for _, p := range table.Split([]netip.Prefix{cidr}) {
		r := p.Route
		what := fmt.Sprintf("%s of %s is not in %s", cidr, there.VPC.ID, here.Table)
		if r.Destination.Bits() > cidr.Bits() {
			what = fmt.Sprintf("not all of %s of %s is in %s", cidr, there.VPC.ID, here.Table)
		}
		e := entryOf(here.Entries, r)
		switch {
		case p.Answer == network.No:
			wrong = append(wrong, fmt.Sprintf("%s: nothing propagates it there, or it overlaps what another attachment has", what))
		case r.Blackhole:
			wrong = append(wrong, fmt.Sprintf("%s: route %s is a blackhole", what, r.Destination))
		case p.Answer == network.Yes && r.Target == there.Attachment.ID:
		case r.Target != here.Attachment.ID && (e.Static || e.Outside || p.Answer == network.Unknown):
			unclear = append(unclear, fmt.Sprintf("%s: route %s leads to %s, and what becomes of it there nobody here knows", what, r.Destination, r.Target))
		default:
			wrong = append(wrong, fmt.Sprintf("%s: route %s leads to %s", what, r.Destination, r.Target))
		}
	}
	return wrong, unclear
}

func entryOf(entries []Entry, r network.Route) Entry {
	for _, e := range entries {
		if e.Destination == r.Destination && e.Attachment == r.Target && e.Static == !r.Propagated {
			return e
		}
	}
	return Entry{}
}
