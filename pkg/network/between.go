package network

import (
	"fmt"
	"net/netip"
	"slices"
)

// inspected follows packets that a gateway's table leads into another VPC on purpose: in there, by the tables of the subnets that they may come out in,
// and from there, by the gateway's table for what comes out of it. What an appliance in there lets through is outside the model, so the answer is
// never Yes. It is No only if the VPC leads them nowhere by any of the subnets.
// https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-appliance-scenario.html
// Many parameters, because both ends of the packets and all that leads them are given: it reads nothing.
func (l *leg) inspected(g Gateway, through, to Attachment, table Table, dst []netip.Prefix, before []string) []finding {
	where := names(dst)
	v, known := l.w.vpc(through.VPC)
	if !known || len(through.Subnets) == 0 {
		return []finding{unknown("%s sends %s to %s of %s, which inspects it or not", table.ID, where, through.ID, through.VPC)}
	}
	if slices.Contains(before, through.ID) {
		return []finding{unknown("%s sends %s to %s of %s once more", table.ID, where, through.ID, through.VPC)}
	}
	out := []finding{}
	stuck := set(dst)
	var lost []string
	for _, id := range through.Subnets {
		t, ok := v.TableOf(id)
		if !ok {
			stuck = set(nil)
			out = append(out, unknown("%s sends %s to %s of %s, and the route table of %s cannot be seen", table.ID, where, through.ID, v.ID, id))
			continue
		}
		var nowhere []netip.Prefix
		for _, p := range t.Split(dst) {
			kind := KindOf(p.Route.Target)
			switch {
			case p.Answer == No, p.Answer == Yes && (p.Route.Blackhole || kind == Local || kind == PeeringTarget):
				nowhere = append(nowhere, p.CIDRs...)
				lost = append(lost, t.ID)
			case p.Answer == Unknown:
				out = append(out, unknown("%s sends %s to %s of %s, and where %s leads it is not known", table.ID, where, through.ID, v.ID, t.ID))
			case p.Route.Target == g.ID:
				out = append(out, unknown("%s sends %s to %s of %s, whose %s sends it back to %s: what else is on the way there is not modelled", table.ID, where, through.ID, v.ID, t.ID, g.ID))
			default:
				out = append(out, unknown("%s sends %s to %s of %s, whose %s leads it to %s, %s: what that lets through is not modelled", table.ID, where, through.ID, v.ID, t.ID, p.Route.Target, kind))
			}
		}
		stuck = common(stuck, set(nowhere))
	}
	if p := stuck.Prefixes(); len(p) > 0 {
		slices.Sort(lost)
		return append(out, finding{No, fmt.Sprintf("%s sends %s to %s of %s, which leads %s nowhere", table.ID, where, through.ID, v.ID, names(p)), v.Account,
			fmt.Sprintf("lead %s on in %s", names(p), fewOf(slices.Compact(lost), ", "))})
	}
	onward, _ := l.led(g, through, to, dst, append(slices.Clip(before), through.ID))
	for _, f := range onward { // an appliance may translate addresses
		f = f.onlyIf(false)
		f.owner, f.remedy = "", ""
		out = append(out, f)
	}
	return out
}
