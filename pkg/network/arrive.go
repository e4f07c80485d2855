package network

import (
	"fmt"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// exits returns the subnets of an attachment by which what comes from a subnet may leave the gateway: that of the Availability Zone in which it entered.
// In appliance mode, or where the attachment has none in that zone, AWS chooses any; so it may if the zones are not known, or if something outside the
// model is on the way.
// https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html#tgw-az-overview and
// https://docs.aws.amazon.com/prescriptive-guidance/latest/inline-traffic-inspection-third-party-appliances/transit-gateway-asymmetric-routing.html
func (l *leg) exits(to Attachment, s seat, sure bool) []string {
	if to.Appliance || !sure || s.ZoneID == "" {
		return to.Subnets
	}
	for _, id := range to.Subnets {
		if at, ok := l.to.vpc.Subnet(id); ok && at.ZoneID == s.ZoneID {
			return []string{id}
		}
	}
	return to.Subnets
}

// arrive judges what a packet meets between the gateway and the end, by each subnet of the attachment that it may leave by: No is what is in the
// way by all of them.
func (l *leg) arrive(to Attachment, s, t seat, sure bool) {
	v, exits := l.to.vpc, l.exits(to, s, sure)
	if len(to.Subnets) == 0 {
		l.aclIn = append(l.aclIn, unknown("the subnets of %s were not read", to.ID))
		return
	}
	var firm, soft []finding
	note := func(f finding, always bool) {
		switch {
		case f.answer == Yes:
		case f.answer == No && always && sure:
			firm = append(firm, f)
		default:
			f.answer = Unknown
			soft = append(soft, f)
		}
	}
	inside := slices.Contains(exits, t.ID)
	apart := slices.DeleteFunc(slices.Clone(exits), func(id string) bool { return id == t.ID })
	// What each of the subnets does not let through, and what none does.
	type shut struct {
		id    string
		parts []Denied
	}
	var all []shut
	stuck := map[string]*netipx.IPSet{}
	for _, id := range apart {
		a, parts, ok := l.denied(v, id, true, t.cidrs)
		if !ok {
			note(l.said(v, a, id, true, nil, false), false)
		}
		all = append(all, shut{id, parts})
		stuck[id] = l.stuck(v, id, t, note)
	}
	if len(apart) > 0 { // what an appliance sends on may come from elsewhere
		a, shut, ok := l.denied(v, t.ID, false, s.cidrs)
		note(l.said(v, a, t.ID, false, shut, ok), !inside && len(soft) == 0)
	}
	always, nowhere := []Denied(nil), set(nil)
	for n, x := range all {
		if n == 0 {
			always, nowhere = x.parts, stuck[x.id]
			continue
		}
		always, nowhere = both(always, x.parts), common(nowhere, stuck[x.id])
	}
	for _, x := range all {
		if len(x.parts) > 0 {
			a, _ := v.ACLOf(x.id)
			note(l.said(v, a, x.id, true, x.parts, true), !inside && len(always) > 0)
		}
		if p := stuck[x.id].Prefixes(); len(p) > 0 {
			table, _ := v.TableOf(x.id)
			note(finding{No, fmt.Sprintf("%s, which %s of %s uses, does not lead %s on within %s", table.ID, x.id, to.ID, names(p), v.ID), v.Account,
				fmt.Sprintf("mend the route in %s", table.ID)}, !inside && len(nowhere.Prefixes()) > 0)
		}
	}
	switch {
	case len(firm) > 0:
		l.aclIn = append(l.aclIn, firm...)
	case len(soft) > 0:
		l.aclIn = append(l.aclIn, soft...)
	default:
		l.aclIn = append(l.aclIn, yes("nothing of %s is in the way from %s", v.ID, to.ID))
	}
}

// stuck are the addresses that the table of an attachment's subnet does not lead on within the VPC.
func (l *leg) stuck(v VPC, subnet string, t seat, note func(finding, bool)) *netipx.IPSet {
	table, ok := v.TableOf(subnet)
	if !ok {
		note(unknown("the route table of %s cannot be seen", subnet), false)
		return set(nil)
	}
	var out []netip.Prefix
	for _, p := range table.Split(t.cidrs) {
		switch kind := KindOf(p.Route.Target); {
		case p.Answer == No, p.Answer == Yes && p.Route.Blackhole, p.Answer == Yes && kind == PeeringTarget:
			out = append(out, p.CIDRs...)
		case p.Answer == Yes && kind == Local:
		case p.Unread.ID != "":
			note(unknown("prefix list %s, to which %s has a route to %s, cannot be read", p.Unread.ID, table.ID, p.Unread.Target), false)
		default:
			note(unknown("%s leads %s to %s, %s: what becomes of it there is not modelled", table.ID, names(p.CIDRs), p.Route.Target, kind), false)
		}
	}
	return set(out)
}
