// Package route brings route tables in line with a connection.
//
// It adds routes and replaces dead ones. It never takes over a live one: a live route to somewhere else is somebody's
// intention, and ends in a conflict that names it. When the connection is no more, it removes the routes that lead
// through it to what Drawbridge adds, and no others.
//
// Which tables: those that have a subnet, and the main table where subnets use it implicitly.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
package route

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Table and Route are the machine's words for route tables.
type (
	Table = workflow.Table
	Route = workflow.Route
)

// Local is the target of the routes within the VPC itself.
const Local = "local"

// Desired is a route that a table must have.
type Desired struct {
	Table       string
	Destination netip.Prefix
	Target      string // the peering or gateway it goes through
}

// Changes is what a plan wants done. The zero value means: nothing, all is as desired.
type Changes struct {
	Create  []Desired
	Replace []Desired // what is there is a blackhole
}

// Empty reports whether nothing is to be done.
func (c Changes) Empty() bool { return len(c.Create) == 0 && len(c.Replace) == 0 }

// InUse returns the tables that some subnet of the VPC uses, sorted by id: those with an explicit association, and the
// main table if any of subnets has none.
func InUse(tables []Table, subnets []string) []Table {
	associated := map[string]bool{}
	for _, t := range tables {
		for _, s := range t.Subnets {
			associated[s] = true
		}
	}
	implicit := slices.ContainsFunc(subnets, func(s string) bool { return !associated[s] })
	var used []Table
	for _, t := range tables {
		if len(t.Subnets) > 0 || t.Main && implicit {
			used = append(used, t)
		}
	}
	slices.SortFunc(used, func(a, b Table) int { return strings.Compare(a.ID, b.ID) })
	return used
}

// Of returns the table that a subnet uses: its own, else the main one.
func Of(tables []Table, subnet string) (Table, bool) {
	for _, t := range tables {
		if slices.Contains(t.Subnets, subnet) {
			return t, true
		}
	}
	for _, t := range tables {
		if t.Main {
			return t, true
		}
	}
	return Table{}, false
}

// Touching returns the tables with only those routes that overlap one of prefixes, without default routes.
// It keeps what travels through the state machine small.
func Touching(tables []Table, prefixes []netip.Prefix) []Table {
	out := make([]Table, 0, len(tables))
	for _, t := range tables {
		kept := t
		kept.Routes = nil
		for _, r := range t.Routes {
			if r.Destination.Bits() > 0 && overlapsAny(r.Destination, prefixes) {
				kept.Routes = append(kept.Routes, r)
			}
		}
		out = append(out, kept)
	}
	return out
}

// HostRoutes returns the destinations that a notebook behind the table needs as host routes: every active, non-local,
// non-default route to a peering or a transit gateway. Sorted.
func HostRoutes(t Table) []netip.Prefix {
	var out []netip.Prefix
	for _, r := range t.Routes {
		through := strings.HasPrefix(r.Target, "pcx-") || strings.HasPrefix(r.Target, "tgw-")
		if through && !r.Blackhole && r.Destination.Bits() > 0 {
			out = append(out, r.Destination)
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

func overlapsAny(p netip.Prefix, prefixes []netip.Prefix) bool {
	return slices.ContainsFunc(prefixes, p.Overlaps)
}

// Carried returns what later steps need of tables: which subnets use each, and the routes that a notebook behind it needs as
// host routes.
func Carried(tables []Table) []Table {
	out := make([]Table, 0, len(tables))
	for _, t := range tables {
		kept, needed := Table{ID: t.ID, Main: t.Main, Subnets: t.Subnets}, HostRoutes(t)
		for _, r := range t.Routes {
			if slices.Contains(needed, r.Destination) {
				kept.Routes = append(kept.Routes, r)
			}
		}
		out = append(out, kept)
	}
	return out
}
