package network_test

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// The simulator sends one packet at a time, as AWS's guides say that packets go, and knows nothing of sets of addresses. Where AWS chooses, it
// tries every way; where a packet meets what is outside the model, anything may become of it.
type simulator struct {
	network.World
	client   network.Client
	database network.Database
}

// fates are what may become of a packet.
type fates struct{ arrives, lost bool }

func (f fates) or(g fates) fates { return fates{f.arrives || g.arrives, f.lost || g.lost} }

var (
	anyFate = fates{true, true}
	arrives = fates{arrives: true}
	lost    = fates{lost: true}
)

// then is the fate of what has to pass two things.
func (f fates) then(next func() fates) fates {
	if !f.arrives {
		return f
	}
	g := next()
	return fates{g.arrives, f.lost || g.lost}
}

func when(ok bool) fates {
	if ok {
		return arrives
	}
	return lost
}

type packet struct {
	src, dst netip.Addr
	port     int // destination port
}

func (s simulator) vpcOf(a netip.Addr) (network.VPC, network.Subnet) {
	for _, v := range s.VPCs {
		for _, sub := range v.Subnets {
			for _, c := range sub.CIDRs {
				if c.Contains(a) {
					return v, sub
				}
			}
		}
	}
	panic(a)
}

func tableOf(v network.VPC, subnet string) network.Table {
	var main network.Table
	for _, t := range v.Tables {
		if slices.Contains(t.Subnets, subnet) {
			return t
		}
		if t.Main {
			main = t
		}
	}
	return main
}

// best are the routes by which a table may lead an address: the longest, and of these the first kind.
func best(t network.Table, a netip.Addr) []network.Route {
	order := func(r network.Route) int {
		score := r.Destination.Bits() * 10
		if !r.Propagated {
			score += 2
		}
		if r.List == "" && !r.Propagated {
			score++
		}
		return score
	}
	var out []network.Route
	for _, r := range t.Routes {
		kept := r.Propagated && slices.ContainsFunc(t.Routes, func(l network.Route) bool { return l.Target == "local" && !l.Propagated && l.Destination.Contains(a) })
		if !r.Destination.Contains(a) || kept {
			continue
		}
		switch {
		case len(out) == 0 || order(r) > order(out[0]):
			out = []network.Route{r}
		case order(r) == order(out[0]):
			out = append(out, r)
		}
	}
	return out
}

func allows(entries []network.Entry, peer netip.Addr, port int) bool {
	_, ok := first(entries, peer, port)
	return ok
}

func acl(v network.VPC, subnet string) network.ACL {
	for _, a := range v.ACLs {
		if slices.Contains(a.Subnets, subnet) {
			return a
		}
	}
	panic(subnet)
}

// send sends a packet from one end to the other.
func (s simulator) send(p packet) fates {
	v, sub := s.vpcOf(p.src)
	there, at := s.vpcOf(p.dst)
	t := tableOf(v, sub.ID)
	routes := best(t, p.dst)
	var out fates
	if len(routes) == 0 {
		out = lost
	}
	for _, r := range routes {
		out = out.or(s.through(p, v, sub, there, at, r))
	}
	for _, u := range t.Unread {
		if len(routes) == 0 || routes[0].Blackhole || u.Target != routes[0].Target {
			out = anyFate // it leads a part elsewhere, or not
		}
	}
	// whatever it meets later, it has to leave the subnet first
	return when(allows(acl(v, sub.ID).Egress, p.dst, p.port)).then(func() fates { return out })
}

func (s simulator) through(p packet, v network.VPC, sub network.Subnet, there network.VPC, at network.Subnet, r network.Route) fates {
	switch {
	case r.Blackhole, r.Target == "local":
		return lost // the two VPCs share no address
	case r.Target == "pcx-1":
		return when(allows(acl(there, at.ID).Ingress, p.src, p.port))
	case strings.HasPrefix(r.Target, "pcx-"), r.Target == "igw-1":
		return lost
	case r.Target == "nat-1":
		for _, t := range v.Tables {
			for _, r := range best(t, p.dst) {
				if !r.Blackhole && !slices.Contains([]string{"local", "nat-1", "igw-1"}, r.Target) {
					return anyFate
				}
			}
			if len(t.Unread) > 0 {
				return anyFate
			}
		}
		return lost
	case r.Target == "tgw-1":
		return s.gateway(p, v, sub, there, at)
	}
	return anyFate
}

func (s simulator) gateway(p packet, v network.VPC, sub network.Subnet, there network.VPC, at network.Subnet) fates {
	g := s.Gateways[0]
	var from, to network.Attachment
	for _, a := range g.Attachments {
		switch a.VPC {
		case v.ID:
			from = a
		case there.ID:
			to = a
		}
	}
	entered := false
	for _, id := range from.Subnets { // the one in the packet's zone
		for _, x := range v.Subnets {
			if x.ID == id && x.Zone == sub.Zone {
				entered = true
				if !allows(acl(v, id).Ingress, p.src, p.port) {
					return lost
				}
			}
		}
	}
	if !entered || from.Table == "" {
		return lost
	}
	var out fates
	routes := best(g.Tables[slices.IndexFunc(g.Tables, func(t network.Table) bool { return t.ID == from.Table })], p.dst)
	if len(routes) == 0 {
		return lost
	}
	for _, r := range routes {
		switch {
		case r.Blackhole || r.Target == from.ID:
			out = out.or(lost)
		case r.Target != to.ID:
			return anyFate
		default:
			for _, id := range exits(to, there, sub) {
				out = out.or(s.leave(p, there, id, at))
			}
		}
	}
	return out
}

// exits are the subnets by which a packet from a subnet may come out: the one in its zone, if the zone is known, there is one, and appliance mode is off.
func exits(to network.Attachment, v network.VPC, from network.Subnet) []string {
	var same []string
	for _, sub := range v.Subnets {
		if slices.Contains(to.Subnets, sub.ID) && sub.ZoneID != "" && sub.ZoneID == from.ZoneID && !to.Appliance {
			same = append(same, sub.ID)
		}
	}
	if len(same) == 0 {
		return to.Subnets
	}
	return same
}

// leave is what becomes of a packet that comes out of a gateway into a subnet.
func (s simulator) leave(p packet, v network.VPC, id string, at network.Subnet) fates {
	if id == at.ID {
		return arrives
	}
	var out fates
	t := tableOf(v, id)
	routes := best(t, p.dst) // of which one is local
	for _, r := range routes {
		switch {
		case r.Blackhole || strings.HasPrefix(r.Target, "pcx-"):
			out = out.or(lost)
		case r.Target == "local":
			out = out.or(when(allows(acl(v, at.ID).Ingress, p.src, p.port)))
		default:
			out = anyFate
		}
	}
	if len(t.Unread) > 0 {
		out = anyFate
	}
	return when(allows(acl(v, id).Egress, p.dst, p.port)).then(func() fates { return out })
}

// admits is what the groups of one end say of a packet.
func (s simulator) admits(v network.VPC, groups []string, peer netip.Addr, port int, others []string, refers, egress bool) fates {
	out := lost
	for _, g := range v.Groups {
		if !slices.Contains(groups, g.ID) {
			continue
		}
		rules := g.Ingress
		if egress {
			rules = g.Egress
		}
		for _, r := range rules {
			switch {
			case port < r.Ports.From || port > r.Ports.To:
			case r.CIDR.IsValid() && r.CIDR.Contains(peer), refers && slices.Contains(others, r.Group):
				return arrives
			case r.List != "" && !r.CIDR.IsValid():
				out = anyFate
			}
		}
	}
	return out
}

// connect says what may become of a connection between two addresses, whose answers come to a port.
func (s simulator) connect(src, dst netip.Addr, back int) fates {
	c, d := s.VPCs[0], s.VPCs[1]
	peering := len(s.Peerings) > 0
	inside := peering || s.Gateways[0].References == network.Yes
	return s.admits(c, s.client.Groups, dst, 3306, s.database.Groups, peering, true).then(func() fates {
		return s.send(packet{src, dst, 3306})
	}).then(func() fates {
		return s.admits(d, s.database.Groups, src, 3306, s.client.Groups, inside, false)
	}).then(func() fates {
		return s.send(packet{dst, src, back})
	})
}

// want is the answer for a client that receives answers at ports of one of several ranges: what is the same for each of them.
func (s simulator) want() network.Answer {
	ranges := s.client.Answered()
	out := s.at(ranges[0])
	for _, r := range ranges[1:] {
		if s.at(r) != out {
			return network.Unknown
		}
	}
	return out
}

// at is the answer by trying every connection: Yes if all of them come about, No if one does not for sure.
func (s simulator) at(answers network.Ports) network.Answer {
	out := network.Yes
	tried := []int{answers.From, answers.To}
	for _, edge := range []int{3306, 32768, 50000} { // where the entries of the small worlds begin and end
		for _, p := range []int{edge - 1, edge, edge + 1} {
			if p > answers.From && p < answers.To {
				tried = append(tried, p)
			}
		}
	}
	for _, src := range addresses(s.VPCs[0], s.client.Subnets) {
		for _, dst := range addresses(s.VPCs[1], s.database.Subnets) {
			for _, back := range tried {
				switch f := s.connect(src, dst, back); {
				case !f.arrives:
					return network.No
				case f.lost:
					out = network.Unknown
				}
			}
		}
	}
	return out
}

func addresses(v network.VPC, subnets []string) []netip.Addr {
	var out []netip.Addr
	for _, s := range v.Subnets {
		if slices.Contains(subnets, s.ID) {
			for a := s.CIDRs[0].Addr(); s.CIDRs[0].Contains(a); a = a.Next() {
				out = append(out, a)
			}
		}
	}
	return out
}
