package why

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// Change is one thing that mends a hop.
type Change struct {
	Account string   `json:"account" jsonschema:"the account whose credentials it needs"`
	What    string   `json:"what" jsonschema:"what it does, in words"`
	Command []string `json:"command" jsonschema:"the words of the command"`
	// Then are the commands that follow it, in their order.
	Then [][]string `json:"then,omitempty" jsonschema:"the commands that follow it, in their order"`
	// Where says where it is run, if not by the AWS CLI.
	Where string `json:"where,omitempty" jsonschema:"where it is run, if it is no command of the AWS CLI"`

	make func(state) state
}

// state is what changes are made in: the model, never AWS.
type state struct {
	world  network.World
	client network.Client
	script Script
}

// inVPC makes a change in one VPC of the model.
func inVPC(id string, f func(*network.VPC)) func(state) state {
	return func(s state) state {
		s.world.VPCs = slices.Clone(s.world.VPCs)
		for n := range s.world.VPCs {
			if s.world.VPCs[n].ID == id {
				f(&s.world.VPCs[n])
			}
		}
		return s
	}
}

// inGateway makes a change in one table of a gateway of the model.
func inGateway(gateway, table string, f func(*network.Table)) func(state) state {
	return func(s state) state {
		s.world.Gateways = slices.Clone(s.world.Gateways)
		for n := range s.world.Gateways {
			g := &s.world.Gateways[n]
			if g.ID != gateway {
				continue
			}
			g.Tables = slices.Clone(g.Tables)
			for t := range g.Tables {
				if g.Tables[t].ID == table {
					g.Tables[t].Routes = slices.Clone(g.Tables[t].Routes)
					f(&g.Tables[t])
				}
			}
		}
		return s
	}
}

// mends returns what mends a hop that fails; nothing where no single command does, such as addresses that overlap: then the remedy says it in words.
// A command opens and leads no more than the packets between the two ends need: the addresses that the other end may have, never its VPC's whole range.
func (q Question) mends(code string, over Carrier) []Change {
	client, database := q.ends()
	port := network.Ports{From: q.Port, To: q.Port}
	switch code {
	case "client-group":
		return client.rules(database, port, true)
	case "database-group":
		return database.rules(client, port, false)
	case "client-acl":
		return client.acls(database, port, true, over)
	case "database-acl":
		return database.acls(client, port, false, over)
	case "acl-back":
		answers := q.answered()
		return append(database.acls(client, answers, true, over), client.acls(database, answers, false, over)...)
	case "route-there":
		return client.routes(database, over.ID)
	case "route-back":
		return database.routes(client, over.ID)
	case "carrier":
		return q.accept(over)
	case "gateway-route":
		return q.attached(client, database, over.ID)
	case "gateway-route-back":
		return q.attached(database, client, over.ID)
	case "name-resolution":
		return q.names(client, database, over.ID)
	case "host-route":
		return q.hosted(client, database)
	}
	return nil
}

// side is one end of a path with where it is.
type side struct {
	End
	vpc       string
	subnets   []string
	groups    []string
	addresses []netip.Prefix
	q         Question
}

func (q Question) ends() (client, database side) {
	return side{q.From, q.Client.VPC, q.Client.Subnets, q.Client.Groups, q.Client.Addresses, q},
		side{q.To, q.Database.VPC, q.Database.Subnets, q.Database.Groups, q.Database.Addresses, q}
}

func (s side) network() network.VPC {
	v, _ := vpcOf(s.q.World, s.vpc)
	return v
}

// cidrs are the IPv4 addresses that it has or may have: those by which the two ends meet.
func (s side) cidrs() []netip.Prefix {
	var out []netip.Prefix
	add := func(p netip.Prefix) {
		if p.Addr().Is4() && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	for _, a := range s.addresses {
		add(a)
	}
	if len(out) == 0 {
		for _, id := range s.subnets {
			in, _ := s.network().Subnet(id)
			for _, p := range in.CIDRs {
				add(p)
			}
		}
	}
	return network.Merge(out)
}

// group is the one of an end's groups in which a rule opens nothing else, and what it opens besides: of several the first; if all do, the first of all.
func (s side) group(egress bool) (id, besides string) {
	if egress {
		return s.groups[0], ""
	}
	for _, g := range s.groups {
		if len(s.q.Alternates[g]) == 0 {
			return g, ""
		}
	}
	id = s.groups[0]
	return id, fmt.Sprintf("; it opens %s too, which is not shared and has the same group: give %s one of its own first, unless that is meant", few(s.q.Alternates[id]), s.Name)
}

// few names the first things of many.
func few(things []string) string {
	if more := len(things) - 3; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(things[:3], ", "), more)
	}
	return strings.Join(things, " and ")
}

// rules opens one of the groups of an end to the other, for what none of its groups lets through.
func (s side) rules(other side, ports network.Ports, egress bool) []Change {
	v := s.network()
	if len(s.groups) == 0 {
		return nil
	}
	var rules []network.Rule
	for _, id := range s.groups {
		g, _ := v.Group(id)
		if egress {
			rules = append(rules, g.Egress...)
		} else {
			rules = append(rules, g.Ingress...)
		}
	}
	shut, _ := network.Shut(rules, network.Traffic{Peers: other.cidrs(), Ports: ports})
	var out []Change
	call, what := "authorize-security-group-ingress", "let TCP %d in from %s"
	if egress {
		call, what = "authorize-security-group-egress", "let TCP %d out to %s"
	}
	group, besides := s.group(egress)
	for _, p := range prefixes(shut) {
		out = append(out, Change{Account: s.Account, What: fmt.Sprintf(what, ports.From, p) + besides, Command: []string{"aws", "ec2", call, "--region", s.Region, "--group-id", group,
			"--protocol", "tcp", "--port", ports.String(), "--cidr", p.String()},
			make: inVPC(s.vpc, func(v *network.VPC) {
				v.Groups = slices.Clone(v.Groups)
				for n := range v.Groups {
					if rule := (network.Rule{Ports: ports, CIDR: p}); v.Groups[n].ID == group && egress {
						v.Groups[n].Egress = append(slices.Clone(v.Groups[n].Egress), rule)
					} else if v.Groups[n].ID == group {
						v.Groups[n].Ingress = append(slices.Clone(v.Groups[n].Ingress), rule)
					}
				}
			})})
	}
	return out
}

// prefixes are the addresses of what is denied, in as few prefixes as possible.
func prefixes(parts []network.Denied) []netip.Prefix {
	var out []netip.Prefix
	for _, d := range parts {
		out = append(out, d.CIDR)
	}
	return network.Merge(out)
}

// whole is the range that answers may need: a client's own system, and what translates its addresses, choose a port of it.
// https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
var whole = network.Ports{From: 1024, To: 65535}

// answered is the range in which the ports are at which the client may receive the answers.
func (q Question) answered() network.Ports {
	all := q.Client.Answered()
	out := all[0]
	for _, p := range all[1:] {
		out = network.Ports{From: min(out.From, p.From), To: max(out.To, p.To)}
	}
	return out
}

// acls adds to the ACLs of an end's subnets what lets packets to or from the other through. Over a gateway they pass the attachment's subnets as well,
// whose ACLs see the end on their other side. https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html
func (s side) acls(other side, ports network.Ports, egress bool, over Carrier) []Change {
	out := s.entries(s.subnets, other.cidrs(), ports, egress, s.vpc == other.vpc)
	g := s.q.gateway(over.ID)
	if g == nil {
		return out
	}
	for _, a := range g.Attachments {
		if a.VPC == s.vpc {
			after := s
			after.q = s.q.with(out) // its ACLs may be the same
			out = append(out, after.entries(a.Subnets, s.cidrs(), ports, !egress, false)...)
		}
	}
	return out
}

// entries adds to the ACLs of subnets what lets packets with peers through: before the entry that denies them.
func (s side) entries(subnets []string, peers []netip.Prefix, ports network.Ports, egress, within bool) []Change {
	v := s.network()
	opened := ports
	if ports.From < ports.To { // of answers
		opened = whole
	}
	var out []Change
	done := map[string]bool{}
	for _, subnet := range subnets {
		acl, ok := v.ACLOf(subnet)
		if !ok || done[acl.ID] {
			continue
		}
		done[acl.ID] = true
		entries, direction := acl.Ingress, "--ingress"
		if egress {
			entries, direction = acl.Egress, "--egress"
		}
		met := peers
		if within { // what stays in a subnet meets no ACL
			met = slices.DeleteFunc(slices.Clone(peers), func(p netip.Prefix) bool {
				own, _ := v.Subnet(subnet)
				return slices.Contains(own.CIDRs, p)
			})
		}
		denied := network.Deny(entries, met, ports)
		for n, p := range prefixes(denied) {
			number := free(entries, denied, n)
			if number == 0 {
				break
			}
			id := acl.ID
			out = append(out, Change{Account: v.Account, What: fmt.Sprintf("add an entry to %s that lets TCP %s %s", id, opened, map[bool]string{true: "out", false: "in"}[egress]),
				Command: []string{"aws", "ec2", "create-network-acl-entry", "--region", v.Region, "--network-acl-id", id, direction, "--rule-number", fmt.Sprint(number), "--protocol", "tcp",
					"--port-range", fmt.Sprintf("From=%d,To=%d", opened.From, opened.To), "--cidr-block", p.String(), "--rule-action", "allow"},
				make: inVPC(s.vpc, func(v *network.VPC) {
					v.ACLs = slices.Clone(v.ACLs)
					for n := range v.ACLs {
						if entry := (network.Entry{Number: number, Allow: true, CIDR: p, Ports: opened}); v.ACLs[n].ID == id && egress {
							v.ACLs[n].Egress = append(slices.Clone(v.ACLs[n].Egress), entry)
						} else if v.ACLs[n].ID == id {
							v.ACLs[n].Ingress = append(slices.Clone(v.ACLs[n].Ingress), entry)
						}
					}
				})})
		}
	}
	return out
}

// free is the n-th free number of an entry that comes before those that deny, counted down from the first of them; 0 if there is none. Where no entry
// denies, it comes after all.
func free(entries []network.Entry, denied []network.Denied, n int) int {
	first, last := 0, 0
	for _, d := range denied {
		if d.Rule > 0 && (first == 0 || d.Rule < first) {
			first = d.Rule
		}
	}
	for _, e := range entries {
		last = max(last, e.Number)
	}
	taken := func(number int) bool {
		return slices.ContainsFunc(entries, func(e network.Entry) bool { return e.Number == number })
	}
	if first == 0 {
		return min(last+10+n, 32766) // AWS's highest
	}
	for number := first - 1; number > 0; number-- {
		if !taken(number) {
			if n == 0 {
				return number
			}
			n--
		}
	}
	return 0
}

// routes leads an end's subnets to the other end: in each table that they use, for the addresses that it leads to nowhere.
func (s side) routes(other side, target string) []Change {
	if target == "local" || target == "" {
		return nil
	}
	v := s.network()
	var out []Change
	done := map[string]bool{}
	for _, subnet := range s.subnets {
		table, ok := v.TableOf(subnet)
		if !ok || done[table.ID] {
			continue
		}
		done[table.ID] = true
		for _, r := range lacking(table, other.cidrs(), target) {
			call, flag := "create-route", "--vpc-peering-connection-id"
			if r.replace {
				call = "replace-route"
			}
			if network.KindOf(target) == network.GatewayTarget {
				flag = "--transit-gateway-id"
			}
			id, d := table.ID, r.destination
			out = append(out, Change{Account: v.Account, What: fmt.Sprintf("lead %s to %s in %s", d, target, id),
				Command: []string{"aws", "ec2", call, "--region", v.Region, "--route-table-id", id, "--destination-cidr-block", d.String(), flag, target},
				make: inVPC(s.vpc, func(v *network.VPC) {
					v.Tables = slices.Clone(v.Tables)
					for n := range v.Tables {
						if v.Tables[n].ID == id {
							v.Tables[n].Routes = led(v.Tables[n].Routes, d, target)
						}
					}
				})})
		}
	}
	return out
}

// missing is a route that a table lacks.
type missing struct {
	destination netip.Prefix
	replace     bool // in place of a dead static route to just this destination
}

// lacking are the routes that lead what a table leads to nowhere, and nothing else. Nowhere is no route, a blackhole, and the default route to the
// internet, by which no private address is reached. What is alive and leads elsewhere, and what a list has, is its owner's: no command takes it over.
// https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html
func lacking(table network.Table, to []netip.Prefix, target string) []missing {
	var out []missing
	for _, p := range table.Split(to) {
		r, kind := p.Route, network.KindOf(p.Route.Target)
		byDefault := r.Destination.Bits() == 0 && (kind == network.NAT || kind == network.Internet)
		if p.Answer == network.Unknown || p.Answer == network.Yes && !r.Blackhole && (r.Target == target || !byDefault) {
			continue
		}
		for _, d := range p.CIDRs {
			equal := p.Answer == network.Yes && r.Destination == d
			if equal && r.List != "" {
				continue
			}
			out = append(out, missing{d, equal && !r.Propagated})
		}
	}
	return out
}

// led is a table's routes with one to a target, in place of a static one to the same destination.
func led(routes []network.Route, d netip.Prefix, target string) []network.Route {
	out := slices.DeleteFunc(slices.Clone(routes), func(r network.Route) bool { return r.Destination == d && r.List == "" && !r.Propagated })
	return append(out, network.Route{Destination: d, Target: target})
}
