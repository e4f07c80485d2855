package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"
)

// finding is what is found at one place of a hop.
type finding struct {
	answer Answer
	detail string
	owner  string
	remedy string
}

func yes(format string, args ...any) finding {
	return finding{answer: Yes, detail: fmt.Sprintf(format, args...)}
}

func unknown(format string, args ...any) finding {
	return finding{answer: Unknown, detail: fmt.Sprintf(format, args...)}
}

// onlyIf returns a finding of what packets meet only if nothing outside the model came before: what is in the way there may not be.
func (f finding) onlyIf(sure bool) finding {
	if f.answer == No && !sure {
		f.answer = Unknown
	}
	return f
}

// few is how many findings, and prefixes, a hop names.
const few = 4

// gather makes a hop of findings: those count that are worst. Without any, there was nothing to pass.
func gather(hop string, findings []finding, nothing string) Hop {
	out := Hop{Hop: hop, Answer: Yes, Detail: nothing}
	for _, f := range findings {
		out.Answer = out.Answer.worse(f.answer)
	}
	var details, remedies []string
	for _, f := range findings {
		if f.answer != out.Answer || slices.Contains(details, f.detail) {
			continue
		}
		details = append(details, f.detail)
		if f.remedy != "" && !slices.Contains(remedies, f.remedy) {
			remedies = append(remedies, f.remedy)
		}
		if out.Owner == "" {
			out.Owner = f.owner
		}
	}
	if len(details) > 0 {
		out.Detail = fewOf(details, "; ")
	}
	out.Remedy = fewOf(remedies, "; ")
	return out
}

func fewOf(all []string, between string) string {
	if more := len(all) - few; more > 0 {
		return strings.Join(all[:few], between) + between + fmt.Sprintf("and %d more", more)
	}
	return strings.Join(all, between)
}

func names(prefixes []netip.Prefix) string {
	var out []string
	for _, p := range prefixes {
		out = append(out, p.String())
	}
	return fewOf(out, ", ")
}

// seat is a subnet in which an end is, with the addresses that it may have there.
type seat struct {
	Subnet
	cidrs []netip.Prefix
}

// end is one of the two ends of a path.
type end struct {
	name   string
	vpc    VPC
	groups []string
	seats  []seat
}

// cidrs are all addresses that an end may have.
func (e end) cidrs() []netip.Prefix {
	var b netipx.IPSetBuilder
	for _, s := range e.seats {
		for _, p := range s.cidrs {
			b.AddPrefix(p)
		}
	}
	return prefixesOf(&b)
}

// only returns an end with those seats, and their addresses, that are of an address family.
func (e end) only(v6 bool) end {
	out := e
	out.seats = nil
	for _, s := range e.seats {
		s.cidrs = family(s.cidrs, v6)
		if len(s.cidrs) > 0 {
			out.seats = append(out.seats, s)
		}
	}
	return out
}

func family(prefixes []netip.Prefix, v6 bool) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(prefixes), func(p netip.Prefix) bool { return p.Addr().Is6() != v6 })
}

// end finds where something is. What is not among the subnets of the VPC is missing.
func (w World) end(name, vpc string, subnets, groups []string, addresses []netip.Prefix) (e end, missing []string) {
	e = end{name: name, groups: groups}
	var ok bool
	if e.vpc, ok = w.vpc(vpc); !ok {
		return e, []string{vpc}
	}
	for _, id := range subnets {
		s, ok := e.vpc.Subnet(id)
		if !ok {
			missing = append(missing, id)
			continue
		}
		one := seat{Subnet: s, cidrs: s.CIDRs}
		if len(addresses) > 0 {
			one.cidrs = common(set(s.CIDRs), set(addresses)).Prefixes()
		}
		if len(one.cidrs) > 0 {
			e.seats = append(e.seats, one)
		}
	}
	if len(subnets) == 0 {
		missing = append(missing, "its subnets")
	}
	return e, missing
}

// Judge says of each hop between a client and a port of a database whether every packet gets through it, there and back. carrier is what the
// path is to go over, a peering or a transit gateway; a route over another one that serves as well is judged as it is.
//
// Where an end may have several addresses, Yes is said of all of them, and No if some packet does not get through for sure.
func Judge(w World, client Client, database Database, port int, carrier string) []Hop {
	c, lost := w.end(client.Name, client.VPC, client.Subnets, client.Groups, client.Addresses)
	d, too := w.end(database.Name, database.VPC, database.Subnets, database.Groups, database.Addresses)
	if lost = append(lost, too...); len(lost) > 0 {
		return []Hop{{Hop: "path", Detail: fmt.Sprintf("%s cannot be seen, so nothing is known of %s → %s:%d", strings.Join(lost, ", "), client.Name, database.Name, port)}}
	}
	var t, b leg // there and back, for both address families
	var out, in, host []finding
	carriers := []string{}
	for _, v6 := range []bool{false, true} {
		from, to := c.only(v6), d.only(v6)
		if v6 { // only for what has no IPv4 address; a name with addresses of both families leads there
			from.seats = slices.DeleteFunc(from.seats, func(s seat) bool { return len(family(s.cidrs, false)) > 0 || hasV4(c, s.ID) })
		}
		if len(from.seats) == 0 {
			continue
		}
		if len(to.seats) == 0 || v6 && !database.Dual {
			out = append(out, finding{No, fmt.Sprintf("%s has %s addresses only, and %s has none", c.name, families[v6], d.name), d.vpc.Account,
				"give " + d.name + " the network type DUAL, or the client a subnet with IPv4"})
			continue
		}
		there := leg{w: w, from: from, to: to, ports: Ports{port, port}, carrier: carrier}
		there.walk()
		back := w.answers(to, from, client.Answered(), carrier)
		over := slices.Compact(slices.Sorted(slices.Values(there.used)))
		if len(over) == 0 {
			over = []string{carrier}
		}
		carriers = append(carriers, over...)
		out = append(out, w.through(from, to, Ports{port, port}, over, true))
		admitted := w.through(to, from, Ports{port, port}, over, false)
		if admitted.answer == No && there.beyond { // who translates addresses on the way is admitted by those
			admitted = unknown("%s, as far as the client's addresses stay on the way", admitted.detail)
		}
		in = append(in, admitted)
		host = append(host, hosted(client, from, to)...)
		t.join(there)
		b.join(back)
	}
	hops := []Hop{gather("client group", out, ""), gather("client ACL", t.aclOut, "nothing to pass"), gather("route there", t.route, ""),
		gather("carrier", append(t.carry, b.carry...), "")}
	if len(t.gateway) > 0 {
		hops = append(hops, gather("gateway route", t.gateway, ""))
	}
	hops = append(hops, gather("database ACL", t.aclIn, "nothing to pass"), gather("database group", in, ""), gather("route back", b.route, ""))
	if len(b.gateway) > 0 {
		hops = append(hops, gather("gateway route back", b.gateway, ""))
	}
	hops = append(hops, gather("ACL back", append(b.aclOut, b.aclIn...), "nothing to pass"))
	var resolved []finding
	for _, over := range slices.Compact(slices.Sorted(slices.Values(carriers))) {
		resolved = append(resolved, w.resolves(c.vpc, d.vpc, database, over))
	}
	hops = append(hops, gather("name resolution", resolved, ""))
	if client.Host != nil {
		hops = append(hops, gather("host route", host, ""))
	}
	return slices.DeleteFunc(hops, func(h Hop) bool { return h.Detail == "" })
}

// answers judges the way back, to a client that receives the answers at ports of one of several ranges. An ACL is in the way for sure only if some is
// in the way of each of them.
func (w World) answers(from, to end, ranges []Ports, carrier string) leg {
	var out leg
	var acls [][]finding
	sure := true
	for n, ports := range ranges {
		l := leg{w: w, from: from, to: to, ports: ports, carrier: carrier}
		l.walk()
		found := append(l.aclOut, l.aclIn...)
		sure = sure && slices.ContainsFunc(found, func(f finding) bool { return f.answer == No })
		acls = append(acls, found)
		if l.aclOut, l.aclIn = nil, nil; n == 0 {
			out = l
		}
	}
	for _, found := range acls {
		for _, f := range found {
			if f.answer == No && !sure {
				f = unknown("at which ports the client receives the answers is not known, and not all get through: %s", f.detail)
			}
			out.aclIn = append(out.aclIn, f)
		}
	}
	return out
}

var families = map[bool]string{false: "IPv4", true: "IPv6"}

// hasV4 reports whether an end has an IPv4 address in a subnet.
func hasV4(e end, subnet string) bool {
	return slices.ContainsFunc(e.seats, func(s seat) bool { return s.ID == subnet && len(family(s.cidrs, false)) > 0 })
}

// through judges the groups of one end: whether they let TCP between it and the other through, out of it or into it.
func (w World) through(e, other end, ports Ports, over []string, egress bool) finding {
	if len(e.groups) == 0 {
		return unknown("which security groups %s has is not known", e.name)
	}
	var rules []Rule
	var missing []string
	for _, id := range e.groups {
		g, ok := e.vpc.Group(id)
		switch {
		case !ok:
			missing = append(missing, id)
		case egress:
			rules = append(rules, g.Egress...)
		default:
			rules = append(rules, g.Ingress...)
		}
	}
	refers := Yes
	for _, carrier := range over {
		refers = refers.worse(w.refers(e.vpc, other.vpc, carrier, egress))
	}
	traffic := Traffic{Peers: other.cidrs(), Ports: ports}
	if refers == Yes {
		traffic.Groups = other.groups
	}
	shut, unread := Shut(rules, traffic)
	word, remedy := "lets TCP %s in from %s", "let TCP %s in from %s in %s"
	if egress {
		word, remedy = "lets TCP %s out to %s", "let TCP %s out to %s in %s"
	}
	groups := strings.Join(e.groups, ", ")
	if len(shut) == 0 {
		return yes("%s of %s "+word, groups, e.name, ports, names(traffic.Peers))
	}
	left := denied(shut)
	if refers == Unknown {
		traffic.Groups = other.groups
		if maybe, _ := Shut(rules, traffic); len(maybe) == 0 {
			return unknown("whether rules of %s can refer to groups of %s is not known", groups, other.vpc.ID)
		}
	}
	if len(missing) > 0 {
		return unknown("%s of %s cannot be seen", strings.Join(missing, ", "), e.name)
	}
	if len(unread) > 0 {
		return unknown("prefix list %s, which a rule of %s names, cannot be read", strings.Join(unread, ", "), groups)
	}
	return finding{No, fmt.Sprintf("nothing in %s of %s "+word, groups, e.name, ports, names(left)), e.vpc.Account, fmt.Sprintf(remedy, ports, names(left), e.groups[0])}
}

// String is a port, or a range.
func (p Ports) String() string {
	if p.From == p.To {
		return fmt.Sprint(p.From)
	}
	return fmt.Sprintf("%d-%d", p.From, p.To)
}

// denied are the addresses of what is denied.
func denied(parts []Denied) []netip.Prefix {
	var b netipx.IPSetBuilder
	for _, p := range parts {
		b.AddPrefix(p.CIDR)
	}
	return prefixesOf(&b)
}

// hosted judges whether a notebook sends what is for the database into its VPC.
func hosted(client Client, from, to end) []finding {
	if client.Host == nil {
		return nil
	}
	left := minus(set(to.cidrs()), set(append(slices.Clone(from.vpc.CIDRs), client.Host.Routes...)))
	if p := left.Prefixes(); len(p) > 0 {
		if client.Host.Unread != "" {
			return []finding{unknown("whether the script of %s sets host routes to %s is not known: %s", client.Name, names(p), client.Host.Unread)}
		}
		return []finding{{No, fmt.Sprintf("%s sends %s out by SageMaker's own interface", client.Name, names(p)), from.vpc.Account,
			"let its on-start script set host routes, or turn off its direct internet access"}}
	}
	return []finding{yes("%s sends %s into %s", client.Name, names(to.cidrs()), from.vpc.ID)}
}
