package firewall

import (
	"cmp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Plan returns what lets the wanted traffic through, in one direction. together maps a group to the groups that share its
// network interface: a rule in any of them serves. items are what the ledger has of all these groups.
//
//	the very rule is there, it is in the ledger, and the
//	connection needs it                                   → nothing
//	the same, and it was never confirmed                  → share
//	rules of somebody else's let it all through, one
//	or several together                                   → nothing
//	the same, and it is contested                         → drop: its owner lets it through by now
//	the very rule is there, for others                    → share, unless its group is kept out
//	rules let only a part through                         → add ours, beside them
//	no rule                                               → add ours
//	no rule, and somebody took ours away twice            → contested
//
// A rule of Drawbridge's that lets more through is nobody's to rest on: it goes once nobody needs it. Nothing is ever removed or changed.
// Many parameters, because all facts that the table names are given: it reads nothing.
func Plan(connection string, wanted []Wanted, egress bool, groups []Group, together map[string][]string, items []ledger.Item) Changes {
	var out Changes
	for _, w := range wanted {
		theirs, ours := near(w, egress, groups, together, items)
		others := admit(theirs, w.Ends...)
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

// near returns the rules of somebody else's in the groups that may serve, and the items of the very rule that is wanted, where it is there.
func near(w Wanted, egress bool, groups []Group, together map[string][]string, items []ledger.Item) (theirs []Rule, ours []ledger.Item) {
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
			case r == w.Rule && !g.Apart: // in one that is kept out, it is going
				ours = append(ours, *i)
			}
		}
	}
	return theirs, ours
}

// Spares returns the items of a side's rules, by whether something else serves in their place, where the ledger says otherwise. All of wanted serves;
// unserved are the databases to which nothing could be opened: what there is for them stays.
func Spares(connection string, side workflow.Side, wanted []Wanted, unserved []workflow.AllowedDatabase, items []ledger.Item) (spare, needed []ledger.Item) {
	for _, i := range items {
		at := i.Account == side.VPC.Account && i.Region == side.VPC.Region
		if i.Kind != ledger.Rule || !at || i.State == ledger.Leaving || !i.NeededBy(connection) {
			continue
		}
		for _, r := range Ours(connection, []ledger.Item{i}) {
			stays := r.wanted(side) || slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Group == r.Group && w.Rule == r.Rule }) ||
				!r.Egress && slices.ContainsFunc(unserved, func(o workflow.AllowedDatabase) bool { return slices.Contains(o.Groups, r.Group) && r.on(o.Port) })
			switch {
			case !stays && !r.Spare:
				spare = append(spare, i)
			case stays && r.Spare:
				needed = append(needed, i)
			}
		}
	}
	return spare, needed
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
