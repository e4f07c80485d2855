package firewall

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// WantedIngress returns the rules that the databases' groups must have to admit sources, sorted.
// A database with several groups needs the rule in one of them only; the first by id is chosen, so that every
// execution chooses the same.
func WantedIngress(openings []workflow.Opening, sources []netip.Prefix) []Wanted {
	var out []Wanted
	for _, o := range openings {
		if len(o.Groups) == 0 {
			continue
		}
		for _, cidr := range sources {
			out = append(out, Wanted{Group: slices.Min(o.Groups), Rule: Rule{From: o.Port, To: o.Port, CIDR: cidr}})
		}
	}
	return sorted(out)
}

// WantedEgress returns the rules that the clients' groups must have to reach destinations on ports, sorted.
// Security groups of an interface add up, so a client is served when any one of its groups has the rule.
func WantedEgress(clients []notebook.Client, ports []int, destinations []netip.Prefix) []Wanted {
	var out []Wanted
	for _, c := range clients {
		if len(c.Groups) == 0 {
			continue
		}
		for _, port := range ports {
			for _, cidr := range destinations {
				out = append(out, Wanted{Group: slices.Min(c.Groups), Rule: Rule{From: port, To: port, CIDR: cidr}})
			}
		}
	}
	return sorted(out)
}

// MissingIngress returns which of wanted no rule admits yet. together maps a group to the groups that share its
// network interface: a rule in any of them serves.
//
//	a rule covers port and source     → nothing
//	a rule covers only a part         → add ours, beside it
//	no rule                           → add ours
//
// Nothing is ever removed or changed.
func MissingIngress(wanted []Wanted, groups []Group, together map[string][]string) []Wanted {
	return missing(wanted, groups, together, func(g Group) []Rule { return g.Ingress })
}

// MissingEgress is [MissingIngress] for the rules that let clients out.
func MissingEgress(wanted []Wanted, groups []Group, together map[string][]string) []Wanted {
	return missing(wanted, groups, together, func(g Group) []Rule { return g.Egress })
}

func missing(wanted []Wanted, groups []Group, together map[string][]string, rules func(Group) []Rule) []Wanted {
	var out []Wanted
	for _, w := range wanted {
		served := slices.ContainsFunc(groups, func(g Group) bool {
			if g.ID != w.Group && !slices.Contains(together[w.Group], g.ID) {
				return false
			}
			return slices.ContainsFunc(rules(g), func(r Rule) bool { return r.admits(w.Rule) })
		})
		if !served {
			out = append(out, w)
		}
	}
	return out
}

// PlanRemoval returns what to revoke when connection is no more, sorted by group, ingress first:
//
//	the rule's tag drawbridge:connection names it  → revoke
//	it names another connection                    → keep
//	no such tag, whatever the rule admits          → keep: it is an owner's
//
// The tag is what makes a rule ours, so a rule that an owner added for the same traffic stays, and traffic that both
// admit goes on as the owner meant it.
func PlanRemoval(rules []Tagged, connection string) []Revocation {
	ours := slices.DeleteFunc(slices.Clone(rules), func(r Tagged) bool { return connection == "" || r.Connection != connection })
	slices.SortFunc(ours, func(a, b Tagged) int {
		egress := map[bool]int{true: 1}
		return cmp.Or(cmp.Compare(a.Group, b.Group), egress[a.Egress]-egress[b.Egress], cmp.Compare(a.ID, b.ID))
	})
	var out []Revocation
	for _, r := range slices.Compact(ours) {
		if n := len(out); n == 0 || out[n-1].Group != r.Group || out[n-1].Egress != r.Egress {
			out = append(out, Revocation{Group: r.Group, Egress: r.Egress})
		}
		last := &out[len(out)-1]
		last.Rules = append(last.Rules, r)
	}
	return out
}

// Surplus returns the ids of the connection's rules that serve nothing any more, sorted. openings are the databases of this
// side that are open to peers, ports those of the peer's databases that this side's clients must reach:
//
//	another connection's rule, or an owner's              → keep
//	ingress, in a group and on the port of an opening, from one of peers → keep
//	egress, on one of ports, to one of peers              → keep
//	ingress from one of peers, in a group of no database
//	that is seen, where some may be unseen                → keep
//	egress to one of peers, some of whose may be unseen   → keep
//	ours, and nothing of these                            → goes
//
// A rule is kept in any group of a database, not only in the one that is chosen first today: it may be the one that serves.
func Surplus(rules []Tagged, connection string, openings []workflow.Opening, ports []int, peers []netip.Prefix, unseen workflow.Unseen) []string {
	var out []string
	for _, r := range rules {
		serves := func(port int) bool {
			return r.Rule.From == port && r.Rule.To == port && slices.Contains(peers, r.Rule.CIDR)
		}
		used := r.Egress && slices.ContainsFunc(ports, serves) ||
			!r.Egress && slices.ContainsFunc(openings, func(o workflow.Opening) bool { return slices.Contains(o.Groups, r.Group) && serves(o.Port) })
		maybe := slices.Contains(peers, r.Rule.CIDR) && (r.Egress && unseen.There || !r.Egress && unseen.Here && !slices.Contains(unseen.Seen, r.Group))
		if connection != "" && r.Connection == connection && !used && !maybe {
			out = append(out, r.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// trimmed returns those of rules that go: all, or, while the connection stays, exactly those that trim names.
func trimmed(rules []Tagged, trim *workflow.Trim) []Tagged {
	if trim == nil {
		return rules
	}
	return slices.DeleteFunc(slices.Clone(rules), func(r Tagged) bool { return !slices.Contains(trim.Rules, r.ID) })
}

// OpenEverywhere reports whether every group lets clients out to all destinations on all ports, as AWS's default
// egress rule does. Then it does not matter which group a client uses.
func OpenEverywhere(groups []Group, ports []int, destinations []netip.Prefix) bool {
	for _, g := range groups {
		for _, port := range ports {
			for _, cidr := range destinations {
				wanted := Rule{From: port, To: port, CIDR: cidr}
				if !slices.ContainsFunc(g.Egress, func(r Rule) bool { return r.admits(wanted) }) {
					return false
				}
			}
		}
	}
	return true
}

// Judge says which entries the network ACLs of subnets lack for TCP between them and peers: requests arrive on (or
// leave to) ports, answers travel on the ephemeral ones. An empty result means nothing is in the way.
// If subnets is nil, all ACLs are judged.
func Judge(acls []ACL, subnets []string, peers []netip.Prefix, ports []int, producer bool) []string {
	var out []string
	for _, acl := range acls {
		used := subnets == nil && len(acl.Subnets) > 0 || slices.ContainsFunc(acl.Subnets, func(s string) bool { return slices.Contains(subnets, s) })
		if !used {
			continue
		}
		for _, peer := range peers {
			for _, port := range ports {
				request, answer := Ports{port, port}, Ephemeral
				in, outgoing := request, answer
				if !producer {
					in, outgoing = answer, request
				}
				if number, ok := permits(acl.Ingress, peer, in); !ok {
					out = append(out, lack(acl.ID, "inbound", "from", peer, in, number))
				}
				if number, ok := permits(acl.Egress, peer, outgoing); !ok {
					out = append(out, lack(acl.ID, "outbound", "to", peer, outgoing, number))
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func lack(acl, direction, preposition string, peer netip.Prefix, p Ports, number int) string {
	ports := fmt.Sprint(p.From)
	if p.To != p.From {
		ports = fmt.Sprintf("%d-%d", p.From, p.To)
	}
	before := ""
	if number > 0 {
		before = fmt.Sprintf(" before rule %d", number)
	}
	return fmt.Sprintf("network ACL %s lacks an %s entry%s: allow TCP %s %s %s", acl, direction, before, ports, preposition, peer)
}

// permits reports whether the entries let all of peer through on all of ports. AWS takes the first entry, by number,
// that matches; traffic that no entry matches is denied. number is that of the entry that denies, 0 if none does.
//
// An entry that covers peer and ports only in part settles nothing by itself: if it denies, a part is denied; if it
// allows, the rest is left to the entries after it, which is judged as if nothing had been allowed yet.
func permits(entries []Entry, peer netip.Prefix, ports Ports) (number int, ok bool) {
	for _, e := range entries {
		touches := e.CIDR.Overlaps(peer) && e.From <= ports.To && e.To >= ports.From
		covers := touches && e.CIDR.Bits() <= peer.Bits() && e.From <= ports.From && e.To >= ports.To
		switch {
		case touches && !e.Allow:
			return e.Number, false
		case covers && e.Allow:
			return 0, true
		}
	}
	return 0, false
}
