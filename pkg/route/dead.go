package route

import (
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// leads reports whether a route of its own leads a desired destination to its target once a plan is done: nobody has to be asked first, and nothing is in the way.
func (c Changes) leads(d Desired, tables []Table) bool {
	d.Destination = d.Destination.Masked()
	if slices.Contains(c.Create, d) || slices.ContainsFunc(c.Replace, func(r Dead) bool { return r.Desired == d }) {
		return true
	}
	return slices.ContainsFunc(tables, func(t Table) bool {
		at := static(t.Routes, d.Destination)
		return t.ID == d.Table && at >= 0 && t.Routes[at].Target == d.Target && !t.Routes[at].Blackhole
	})
}

// Throughout returns desired routes with those that it takes for all of each to lead to its target: the longest route counts, be it dead, so a narrower one that is dead is
// replaced as one of the very destination is, and one that was replaced is needed as long as what it is within. tables are what is there, items what the ledger has.
//
//	in the table, within a desired destination                      →
//	dead, elsewhere, a route of its own, not propagated             → desired, too
//	to the target, with an item that says what was there before     → desired, too
//	anything else                                                   → not
//
// https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html
func Throughout(desired []Desired, tables []Table, items []ledger.Item) []Desired {
	out := slices.Clone(desired)
	for _, d := range desired {
		for _, t := range tables {
			if t.ID != d.Table {
				continue
			}
			for _, r := range t.Routes {
				within := r.Destination.Bits() > d.Destination.Bits() && d.Destination.Overlaps(r.Destination) && r.List == "" && !r.Propagated
				i := itemOf(items, t.ID, r.Destination.String())
				dead := r.Blackhole && r.Target != d.Target
				replaced := r.Target == d.Target && i != nil && i.Left == d.Target && i.Before != "" && i.Before != i.Left
				more := Desired{Table: d.Table, Destination: r.Destination.Masked(), Target: d.Target}
				if within && (dead || replaced) && !slices.Contains(out, more) {
					out = append(out, more)
				}
			}
		}
	}
	return out
}
