// Package route brings route tables in line with a connection.
//
// It adds routes and replaces dead ones, and writes each in the ledger first. It never takes over a live one: a live route to
// somewhere else is somebody's intention, and ends in a conflict that names it, or, where it is wider, in a question to its owner; a route to a prefix list counts like the routes
// to its entries. When the connection is no more, it takes back the routes that the ledger says were added for it and for nobody
// else, as far as they are still as they were left: what was dead before is put back, what another connection needs is led on.
//
//	route.go    the words
//	plan.go     thinks
//	lead.go     thinks: where the routes of a table lead
//	dead.go     thinks: which dead ones are in the way
//	divert.go   thinks: when a route takes traffic out of a wider one
//	apply.go    reads and adds
//	remove.go   takes back
//	lists.go    prefix lists
//	network.go  subnets and CIDRs
//	call.go     how EC2 takes a target, and what its errors mean
//	verdict.go  tables as package network judges them, and what a step says of them
//
// Which tables: those that have a subnet, and the main table where subnets use it implicitly.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
package route

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Table and Route are the machine's words for route tables.
type (
	Table = workflow.Table
	Route = workflow.Route
	List  = workflow.List
)

// Local is the target of the routes within the VPC itself.
const Local = "local"

// Desired is a route that a table must have.
type Desired struct {
	Table       string
	Destination netip.Prefix
	Target      string // the peering or gateway it goes through
}

// Dead is a desired route in whose place a blackhole is.
type Dead struct {
	Desired
	Was string // the target of the blackhole
}

// Changes is what a plan wants done. The zero value means: nothing, all is as desired.
type Changes struct {
	Create  []Desired
	Replace []Dead
	Share   []Desired // there already, for another connection or by a call of ours whose answer was lost: only the ledger changes
	Want    []Desired // a peering serves for now: only the ledger changes
	Drop    []Desired // in the ledger as wanted or intended, and made by somebody else since: only the ledger changes
	// Reached are the routes through a peering that serve instead of a desired one.
	Reached map[Desired]Route
	// Past are the live routes that desired ones take traffic out of, or would: those that may not are not added.
	Past map[Desired]Past
	// Contested are those that somebody took away again after they were put back.
	Contested map[Desired]ledger.Item
	Conflicts []Obstacle // live routes in the way, sorted
}

// An Obstacle is a live route because of which a desired one cannot be, with a sentence about it.
type Obstacle struct {
	Table, Says string
	// Remedy is what to do, if it is not as for every route in the way.
	Remedy string
	// InFront says that the desired one is there, is Drawbridge's, and takes by it what its owner has come to lead elsewhere.
	InFront bool
}

// Obstacles are the sentences about the live routes in the way.
func (c Changes) Obstacles() (out []string) {
	for _, o := range c.Conflicts {
		out = append(out, o.Says)
	}
	return out
}

// Empty reports whether nothing is to be done.
func (c Changes) Empty() bool {
	return len(c.Create)+len(c.Replace)+len(c.Share)+len(c.Want)+len(c.Drop) == 0
}

// Handover is a route that leads to a target which is going, and that other connections need: it is led to theirs.
type Handover struct {
	Item   ledger.Item // as it will be: its Left is the new target
	Create bool        // there is no route of exactly this destination to replace
}

// Removal is what a plan wants done with one table. The zero value means: nothing.
type Removal struct {
	Handover []Handover
	Confirm  []ledger.Item // handed over, by a call whose answer was lost
	Release  []ledger.Item // needed by the connection, or leaving for it
	Forget   []ledger.Item // the same, but what is there is not as Drawbridge would have left it
	Busy     []ledger.Item // another execution may be adding them at this moment
}

// Empty reports whether nothing is to be done.
func (r Removal) Empty() bool {
	return len(r.Handover)+len(r.Confirm)+len(r.Release)+len(r.Forget)+len(r.Busy) == 0
}

// A Return is how an item that nobody needs any more is taken back.
type Return string

// The ways to take a route back.
const (
	Delete  Return = "delete"
	PutBack Return = "put back" // the blackhole that it replaced
	Leave   Return = "leave"    // it is gone, or somebody else's by now
)

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

// Touching returns the tables with only those routes that overlap one of prefixes, without default routes to the internet, and those that notebooks need as
// host routes. It keeps what travels through the state machine small.
func Touching(tables []Table, prefixes []netip.Prefix) []Table {
	out := make([]Table, 0, len(tables))
	for _, t := range tables {
		kept, needed := t, HostRoutes(t)
		kept.Routes = nil
		for _, r := range t.Routes {
			outward := r.Destination.Bits() == 0 && !Blocks(r, r.Destination, "")
			if !outward && overlapsAny(r.Destination, prefixes) || slices.Contains(needed, r.Destination) {
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
		if road.Carries(r.Target) && !r.Blackhole && r.Destination.Bits() > 0 {
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
