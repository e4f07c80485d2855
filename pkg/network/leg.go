package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// leg is one way between two ends: requests there, or answers back.
type leg struct {
	w        World
	from, to end
	ports    Ports // destination ports
	carrier  string

	aclOut, route, carry, gateway, aclIn []finding
	used                                 []string // what some of it goes over
	beyond                               bool     // some of it meets what is outside the model
}

func (l *leg) join(o leg) {
	l.aclOut, l.route, l.carry = append(l.aclOut, o.aclOut...), append(l.route, o.route...), append(l.carry, o.carry...)
	l.gateway, l.aclIn = append(l.gateway, o.gateway...), append(l.aclIn, o.aclIn...)
}

// walk follows the packets from every subnet of one end to all of the other.
func (l *leg) walk() {
	for _, s := range l.from.seats {
		if edge := s.Edge(); edge != "" {
			l.route = append(l.route, unknown("%s of %s is in %s, whose routing is not modelled", s.ID, l.from.name, edge))
			l.beyond = true
		}
		table, ok := l.from.vpc.TableOf(s.ID)
		if !ok {
			l.route = append(l.route, unknown("the route table of %s cannot be seen", s.ID))
			l.beyond = true
			l.follow(s, l.to.cidrs(), l.carrier, false)
			continue
		}
		for _, p := range table.Split(l.to.cidrs()) {
			f, target, sure := l.leads(table, p)
			l.route = append(l.route, f)
			l.beyond = l.beyond || !sure
			l.follow(s, p.CIDRs, target, sure)
		}
	}
	for _, s := range l.to.seats {
		if edge := s.Edge(); edge != "" {
			l.route = append(l.route, unknown("%s of %s is in %s, whose routing is not modelled", s.ID, l.to.name, edge))
		}
	}
}

// leads judges where a table leads a part of the other end's addresses, and says what to follow: the target if it is one that leads there, or
// else the carrier, as if there were a route to it. sure says that nothing outside the model is in between.
func (l *leg) leads(table Table, p Part) (f finding, target string, sure bool) {
	v, to := l.from.vpc, names(p.CIDRs)
	r := p.Route
	via := fmt.Sprintf("route %s", r.Destination)
	if r.List != "" {
		via += " of prefix list " + r.List
	}
	no := func(format string, args ...any) (finding, string, bool) {
		return finding{No, fmt.Sprintf(format, args...), v.Account, fmt.Sprintf("lead %s to %s in %s", to, l.carrier, table.ID)}, l.carrier, true
	}
	switch {
	case p.Answer == Unknown && p.Unread.ID != "":
		return unknown("prefix list %s, to which %s has a route to %s, cannot be read: where %s goes is not known", p.Unread.ID, table.ID, p.Unread.Target, to), l.carrier, false
	case p.Answer == Unknown:
		return unknown("%s leads %s to %s or to %s, as AWS chooses", table.ID, r.Destination, r.Target, p.Among.Target), l.carrier, false
	case p.Answer == No:
		return no("%s has no route to %s", table.ID, to)
	case r.Blackhole:
		return no("%s of %s, to %s, is a blackhole", via, table.ID, r.Target)
	}
	same := l.from.vpc.ID == l.to.vpc.ID
	switch kind := KindOf(r.Target); kind {
	case Local:
		if same {
			return yes("%s keeps %s in %s", table.ID, to, v.ID), r.Target, true
		}
		return no("%s keeps %s in %s: its own range has these addresses too", table.ID, to, v.ID)
	case PeeringTarget:
		if peering, known := l.w.peering(r.Target); !same && known && peering.between(v.ID, l.to.vpc.ID) {
			l.used = append(l.used, r.Target)
			return yes("%s sends %s to %s", table.ID, to, r.Target), r.Target, true
		}
		f, target, sure := no("%s of %s leads %s to %s, which does not lead to %s", via, table.ID, to, r.Target, l.to.vpc.ID)
		f.remedy = l.spare(table, p)
		return f, target, sure
	case GatewayTarget:
		if _, known := l.w.gateway(r.Target); known && !same {
			l.used = append(l.used, r.Target)
			return yes("%s sends %s to %s", table.ID, to, r.Target), r.Target, true
		}
		return unknown("%s of %s leads %s to %s, which was not read", via, table.ID, to, r.Target), l.carrier, false
	case NAT:
		if l.onward(p.CIDRs) {
			return unknown("%s of %s leads %s to %s, whose own subnet may lead on", via, table.ID, to, r.Target), l.carrier, false
		}
		return no("%s has no route to %s but %s to %s, which leads to the internet", table.ID, to, r.Destination, r.Target)
	case Internet, EgressOnly:
		if p.CIDRs[0].Addr().Is4() {
			return no("%s has no route to %s but %s to %s, which leads to the internet", table.ID, to, r.Destination, r.Target)
		}
		return unknown("%s of %s leads %s over the internet", via, table.ID, to), l.carrier, false
	default:
		return unknown("%s of %s leads %s to %s, %s: what becomes of it there is not modelled", via, table.ID, to, r.Target, kind), l.carrier, false
	}
}

// spare is the remedy where another peering has the addresses: a route of ours would cut what goes over that one, whoever is behind it.
func (l *leg) spare(table Table, p Part) string {
	to, r := names(p.CIDRs), p.Route
	cut := fmt.Sprintf("do not lead %s to %s in %s yet: it would cut whoever is behind %s with these addresses", to, l.carrier, table.ID, r.Target)
	if len(p.CIDRs) == 1 && p.CIDRs[0] == r.Destination {
		cut = fmt.Sprintf("do not replace route %s in %s: it would cut whoever is behind %s", r.Destination, table.ID, r.Target)
	}
	return fmt.Sprintf("%s; give one of the two networks a range of its own and use it there (add a CIDR to the VPC), or, if its owner says that nobody uses %s, lead %s to %s", cut, r.Target, to, l.carrier)
}

// onward reports whether some table of the VPC leads any of prefixes elsewhere than to the internet or to nothing: a NAT gateway in a subnet of
// it would send them on.
func (l *leg) onward(prefixes []netip.Prefix) bool {
	for _, t := range l.from.vpc.Tables {
		for _, p := range t.Split(prefixes) {
			kind := KindOf(p.Route.Target)
			if p.Answer == Unknown || p.Answer == Yes && !p.Route.Blackhole && kind != NAT && kind != Internet && kind != Local {
				return true
			}
		}
	}
	return false
}

// follow judges what packets from a subnet to some addresses of the other end meet on the way over a target. A part that does not get there for
// sure anyway is judged as if it did, so that all that is in the way is said at once.
func (l *leg) follow(s seat, dst []netip.Prefix, target string, sure bool) {
	within := target == "local"
	outside := dst
	if within { // what stays in the subnet meets no ACL
		outside = minus(set(dst), set(s.CIDRs)).Prefixes()
	}
	l.acl(&l.aclOut, l.from.vpc, s.ID, true, outside, true)
	if g, ok := l.w.gateway(target); ok {
		l.cross(g, s, dst, sure)
		return
	}
	switch p, ok := l.w.peering(target); {
	case within:
	case !ok:
		l.carry = append(l.carry, unknown("%s was not read", target))
	case !p.between(l.from.vpc.ID, l.to.vpc.ID):
		l.carry = append(l.carry, finding{No, fmt.Sprintf("%s is not between %s and %s", p.ID, l.from.vpc.ID, l.to.vpc.ID), l.from.vpc.Account, "connect the two"})
	case p.Active == Yes:
		l.carry = append(l.carry, yes("%s is active", p.ID))
	case p.Active == No:
		l.carry = append(l.carry, finding{No, p.ID + " is not active", l.to.vpc.Account, "accept it, or request another"})
	default:
		l.carry = append(l.carry, unknown("whether %s is active was not read", p.ID))
	}
	for _, t := range l.arriving(dst) {
		if within && t.ID == s.ID {
			continue
		}
		l.acl(&l.aclIn, l.to.vpc, t.ID, false, s.cidrs, sure)
	}
}

// arriving are the seats of the other end that some addresses are in, with those.
func (l *leg) arriving(dst []netip.Prefix) []seat {
	var out []seat
	for _, t := range l.to.seats {
		t.cidrs = common(set(t.cidrs), set(dst)).Prefixes()
		if len(t.cidrs) > 0 {
			out = append(out, t)
		}
	}
	return out
}

// acl judges the network ACL of a subnet, for packets of the leg with peers at the other end.
// Many parameters, because they are the two ends and the ports that an ACL's entries compare.
func (l *leg) acl(to *[]finding, v VPC, subnet string, egress bool, peers []netip.Prefix, sure bool) {
	if len(peers) > 0 {
		a, denied, ok := l.denied(v, subnet, egress, peers)
		*to = append(*to, l.said(v, a, subnet, egress, denied, ok).onlyIf(sure))
	}
}

func (l *leg) denied(v VPC, subnet string, egress bool, peers []netip.Prefix) (ACL, []Denied, bool) {
	a, ok := v.ACLOf(subnet)
	entries := a.Ingress
	if egress {
		entries = a.Egress
	}
	return a, Deny(entries, peers, l.ports), ok
}

// said puts what an ACL denies into words. Many parameters, because they are what the judgement rests on.
func (l *leg) said(v VPC, a ACL, subnet string, egress bool, denied []Denied, ok bool) finding {
	switch {
	case !ok:
		return unknown("the network ACL of %s cannot be seen", subnet)
	case len(denied) == 0:
		return yes("%s of %s lets it through", a.ID, subnet)
	}
	direction, preposition := "inbound", "from"
	if egress {
		direction, preposition = "outbound", "to"
	}
	return finding{No, strings.Join(a.Lacks(direction, preposition, denied), "; "), v.Account, "add the entries"}
}

// cross judges the way over a transit gateway.
//
// What comes from a subnet enters by the attachment's subnet in its zone, whose inbound rules it meets, also where it is the same subnet. What
// comes from the gateway meets the outbound rules of the attachment's subnet that it leaves by, that subnet's route table, and the inbound rules
// of the subnet that it is for; in the attachment's subnet itself it meets none. By which subnet of an attachment it leaves, [leg.exits] says.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html
func (l *leg) cross(g Gateway, s seat, dst []netip.Prefix, sure bool) {
	from, attached := g.attachment(l.from.vpc.ID)
	to, too := g.attachment(l.to.vpc.ID)
	seen := len(l.carry)
	for _, x := range []struct {
		Attachment
		ok bool
		v  VPC
	}{{from, attached, l.from.vpc}, {to, too, l.to.vpc}} {
		switch {
		case !x.ok || x.Available == No:
			l.carry = append(l.carry, finding{No, fmt.Sprintf("%s is not attached to %s", x.v.ID, g.ID), x.v.Account, "attach it"})
		case x.Available == Unknown:
			l.carry = append(l.carry, unknown("whether %s of %s is available was not read", x.ID, x.v.ID))
		case dst[0].Addr().Is6() && x.IPv6 == No:
			l.carry = append(l.carry, finding{No, fmt.Sprintf("%s of %s carries no IPv6", x.ID, x.v.ID), x.v.Account, "turn on IPv6 support of " + x.ID})
		case dst[0].Addr().Is6() && x.IPv6 == Unknown:
			l.carry = append(l.carry, unknown("whether %s of %s carries IPv6 was not read", x.ID, x.v.ID))
		default:
			l.carry = append(l.carry, yes("%s of %s is available", x.ID, x.v.ID))
		}
	}
	for i := range l.carry[seen:] {
		l.carry[seen+i] = l.carry[seen+i].onlyIf(sure)
	}
	if !attached || !too {
		return
	}
	n := slices.IndexFunc(from.Subnets, func(id string) bool { at, ok := l.from.vpc.Subnet(id); return ok && at.Zone == s.Zone })
	switch {
	case n >= 0:
		l.acl(&l.aclOut, l.from.vpc, from.Subnets[n], false, s.cidrs, sure)
	case s.Edge() == "":
		l.carry = append(l.carry, finding{No, fmt.Sprintf("%s has no subnet in %s, in which %s is, and nothing in that zone reaches %s", from.ID, s.Zone, s.ID, g.ID), l.from.vpc.Account,
			fmt.Sprintf("add a subnet of %s to %s", s.Zone, from.ID)}.onlyIf(sure))
	}
	f, passes := l.led(g, from, to, dst, nil)
	for n := range f {
		f[n] = f[n].onlyIf(sure)
	}
	l.gateway = append(l.gateway, f...)
	l.beyond = l.beyond || !passes
	for _, t := range l.arriving(dst) {
		l.arrive(to, s, t, sure && passes)
	}
}

// led judges the gateway's route table for what comes from an attachment. passes says that nothing outside the model is in between. before are the
// attachments on the way.
func (l *leg) led(g Gateway, from, to Attachment, dst []netip.Prefix, before []string) (out []finding, passes bool) {
	if from.Table == "" {
		return []finding{{No, fmt.Sprintf("%s of %s is associated with no route table of %s", from.ID, from.VPC, g.ID), g.Owner, "associate it with one"}}, true
	}
	table, ok := g.table(from.Table)
	if !ok {
		return []finding{unknown("%s, the route table of %s that %s is associated with, cannot be seen", from.Table, g.ID, from.ID)}, false
	}
	passes = true
	for _, p := range table.Split(dst) {
		r, where := p.Route, names(p.CIDRs)
		remedy := fmt.Sprintf("lead %s to %s in %s", where, to.ID, table.ID)
		other := g.byID(r.Target)
		switch {
		case p.Answer == Unknown:
			out, passes = append(out, unknown("where %s leads %s is not known", table.ID, where)), false
		case p.Answer == No:
			out = append(out, finding{No, fmt.Sprintf("%s is not in %s: nothing propagates it there, or it overlaps what another attachment has", where, table.ID), g.Owner, remedy})
		case r.Blackhole:
			out = append(out, finding{No, fmt.Sprintf("route %s in %s is a blackhole", r.Destination, table.ID), g.Owner, remedy})
		case r.Target == to.ID:
			out = append(out, yes("%s sends %s to %s", table.ID, where, to.ID))
		case r.Target == from.ID:
			out = append(out, finding{No, fmt.Sprintf("route %s in %s leads back to %s", r.Destination, table.ID, from.ID), g.Owner, remedy})
		case other.VPC != "" && r.Propagated: // the addresses are that VPC's own
			out = append(out, finding{No, fmt.Sprintf("%s sends %s to %s of %s, which has these addresses itself", table.ID, where, other.ID, other.VPC), g.Owner, remedy})
		case other.VPC != "":
			out, passes = append(out, l.inspected(g, other, to, table, p.CIDRs, before)...), false
		default:
			out, passes = append(out, unknown("%s sends %s to %s, which is outside the model", table.ID, where, other.ID)), false
		}
	}
	return out, passes
}
