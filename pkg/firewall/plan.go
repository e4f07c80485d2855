package firewall

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
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
		for _, cidr := range o.Family(sources) {
			out = append(out, Wanted{Group: slices.Min(o.Groups), Rule: Rule{From: o.Port, To: o.Port, CIDR: cidr}})
		}
	}
	return sorted(out)
}

// WantedEgress returns the rules that the clients' groups must have to reach destinations on ports, sorted.
// Security groups of an interface add up, so a client is served when any one of its groups has the rule.
func WantedEgress(clients []workflow.Client, ports []int, destinations []netip.Prefix) []Wanted {
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

// Plan returns what lets the wanted traffic through, in one direction. together maps a group to the groups that share its
// network interface: a rule in any of them serves. items are what the ledger has of all these groups.
//
//	rules of somebody else's cover port and source, one
//	or several together                                   → nothing
//	the same, and it is contested                         → drop: its owner admits it by now
//	a rule that the ledger has covers them                → share, unless the connection needs it already
//	the same, and it was never confirmed                  → share
//	rules cover only a part                               → add ours, beside them
//	no rule                                               → add ours
//	no rule, and somebody took ours away twice            → contested
//
// Nothing is ever removed or changed.
func Plan(connection string, wanted []Wanted, egress bool, groups []Group, together map[string][]string, items []ledger.Item) Changes {
	var out Changes
	for _, w := range wanted {
		others, ours := admitting(w, egress, groups, together, items)
		mine := slices.IndexFunc(ours, func(i ledger.Item) bool { return i.NeededBy(connection) })
		exact := itemOf(items, w.Group, Key(w.Rule, egress))
		switch {
		case mine >= 0 && ours[mine].State != ledger.Intended:
		case mine >= 0:
			out.Share = append(out.Share, ours[mine])
		case others && exact != nil && exact.State == ledger.Contested && exact.NeededBy(connection):
			out.Drop = append(out.Drop, *exact)
		case others:
		case len(ours) > 0:
			out.Share = append(out.Share, ours[0])
		case exact != nil && exact.State == ledger.Contested:
			out.Contested = append(out.Contested, *exact)
		default:
			out.Add = append(out.Add, w)
		}
	}
	slices.SortFunc(out.Share, func(a, b ledger.Item) int {
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Key, b.Key))
	})
	out.Share = slices.CompactFunc(out.Share, ledger.Item.Same)
	return out
}

// admitting reports whether rules of somebody else's admit what is wanted, and returns the items of Drawbridge's rules that do.
func admitting(w Wanted, egress bool, groups []Group, together map[string][]string, items []ledger.Item) (others bool, ours []ledger.Item) {
	var theirs []Rule
	for _, g := range groups {
		if g.ID != w.Group && !slices.Contains(together[w.Group], g.ID) {
			continue
		}
		rules := g.Ingress
		if egress {
			rules = g.Egress
		}
		for _, r := range rules {
			i := itemOf(items, g.ID, Key(r, egress))
			switch {
			case i == nil || i.State == ledger.Contested:
				theirs = append(theirs, r)
			case r.admits(w.Rule):
				ours = append(ours, *i)
			}
		}
	}
	return admit(theirs, w.Rule), ours
}

// Lost returns the items of rules that a plan adds although the ledger has them confirmed: somebody took them away.
func Lost(c Changes, egress bool, items []ledger.Item) []ledger.Item {
	var out []ledger.Item
	for _, w := range c.Add {
		if i := itemOf(items, w.Group, Key(w.Rule, egress)); i != nil && i.State == ledger.Confirmed {
			out = append(out, *i)
		}
	}
	return out
}

// itemOf returns the item of a rule, nil if the ledger has none.
func itemOf(items []ledger.Item, group, key string) *ledger.Item {
	for n := range items {
		if i := &items[n]; i.Kind == ledger.Rule && i.Resource == group && i.Key == key {
			return i
		}
	}
	return nil
}

// PlanRemoval returns what becomes of items that nobody needs any more. rules are those of their groups. Revocations are sorted by
// group, ingress first:
//
//	the rule with the item's id admits what it did     → revoke
//	the call's answer was lost, and there is such a rule → revoke
//	the rule with the item's id admits something else  → others: its owner changed it
//	no rule of that id                                 → gone; one that admits the same is somebody else's
func PlanRemoval(items []ledger.Item, rules []Held) Removal {
	var out Removal
	sorted := slices.Clone(items)
	slices.SortFunc(sorted, func(a, b ledger.Item) int {
		egress := func(i ledger.Item) int { return strings.Index(i.Key, direction(true)) } // -1 for ingress, which comes first
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(egress(a), egress(b)), cmp.Compare(a.Key, b.Key))
	})
	for _, i := range sorted {
		n := slices.IndexFunc(rules, func(h Held) bool {
			return h.Group == i.Resource && (h.ID == i.Left || i.Left == "" && h.Key == i.Key)
		})
		switch {
		case n < 0:
			out.Gone = append(out.Gone, i)
			continue
		case ledger.Stands(ledger.Item{Left: i.Key}, rules[n].Key, true) != ledger.AsLeft:
			out.Others = append(out.Others, i)
			continue
		}
		h := rules[n]
		if last := len(out.Revoke); last == 0 || out.Revoke[last-1].Group != h.Group || out.Revoke[last-1].Egress != h.Egress {
			out.Revoke = append(out.Revoke, Revocation{Group: h.Group, Egress: h.Egress})
		}
		r := &out.Revoke[len(out.Revoke)-1]
		r.Rules, r.Items = append(r.Rules, h), append(r.Items, i)
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
//	ingress from one of peers, in a group of a database
//	that has no endpoint now                              → keep
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
			!r.Egress && slices.ContainsFunc(openings, func(o workflow.Opening) bool {
				return slices.Contains(o.Groups, r.Group) && serves(o.Port) && len(o.Family([]netip.Prefix{r.Rule.CIDR})) > 0
			})
		maybe := slices.Contains(peers, r.Rule.CIDR) && (r.Egress && unseen.There || !r.Egress && (slices.Contains(unseen.Waiting, r.Group) || unseen.Here && !slices.Contains(unseen.Seen, r.Group)))
		if connection != "" && r.Connection == connection && !used && !maybe {
			out = append(out, r.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unlike returns groups without the egress rules that Drawbridge may have added for exactly these ports and destinations.
func unlike(groups []Group, ports []int, destinations []netip.Prefix) []Group {
	out := slices.Clone(groups)
	for n := range out {
		out[n].Egress = slices.DeleteFunc(slices.Clone(out[n].Egress), func(r Rule) bool {
			return r.From == r.To && slices.Contains(ports, r.From) && slices.Contains(destinations, r.CIDR)
		})
	}
	return out
}

// OpenEverywhere reports whether every group lets clients out to all destinations on all ports, as AWS's default
// egress rule does. Then it does not matter which group a client uses.
func OpenEverywhere(groups []Group, ports []int, destinations []netip.Prefix) bool {
	for _, g := range groups {
		for _, port := range ports {
			for _, cidr := range destinations {
				if !admit(g.Egress, Rule{From: port, To: port, CIDR: cidr}) {
					return false
				}
			}
		}
	}
	return true
}
