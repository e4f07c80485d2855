// Package sweep finds the things that want a look: after a change that concerns them, and where no event said anything.
//
// It starts nothing and decides nothing about a connection. For each thing it puts one event on the hub's bus, such as
// "Peering To Inspect", and the machine of that kind of thing reads the facts and asks the policy, as after any other
// event.
//
//	sweep.go     the words
//	plan.go      thinks: which things want a look, and what a sweep came to (pure)
//	apply.go     asks for looks, visits an account
//	accounts.go  lists the accounts to visit
//	managed.go   counts what is managed, for the brake
//	closed.go    asks where the other end of an account is that lets nobody in
//	hears.go     tells whether the rules that forward an account's events are on
//	tally.go     says what a sweep came to, and tells people of accounts that failed
//	peerings.go, pairs.go, notebooks.go, attachments.go, shares.go, clusters.go, endpoints.go: a [Finder] or an
//	[AccountFinder] for each kind of thing
//
// Another kind of thing takes a finder in a file of its own, a line in [New], and what it reads in the grants of
// SweepAccount.
package sweep

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// A Finder finds the things of one kind that want a look, in one account and Region.
type Finder interface {
	// Kind names the things, in the plural.
	Kind() string
	// Find reads the things of a place page by page and asks for a look at each that wants one, before it reads the next
	// page. It returns how many things it read.
	Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error)
}

// A Census is a [Finder] that also tells which of its things were not given to Drawbridge: they are counted, the first are named, and
// all are left alone.
type Census interface {
	Finder
	// Count is Find, and calls unmanaged with the id of each of those.
	Count(ctx context.Context, execution string, at event.Place, ask Ask, unmanaged func(id string)) (seen int, err error)
}

// An AccountFinder finds the things of one kind that want a look, in one account: things that have no Region, or that are
// looked at together.
type AccountFinder interface {
	// Kind names the things, in the plural.
	Kind() string
	// FindAll is [Finder]'s Find for all Regions of an account that are swept; there is at least one.
	FindAll(ctx context.Context, execution string, t workflow.Territory, ask Ask) (seen int, err error)
}

// Ask asks for looks. Asking twice for one is safe.
type Ask func(ctx context.Context, looks ...look.Look) error

// Attachment is a VPC's attachment to a transit gateway as the VPC's account lists it.
type Attachment struct {
	ID    string
	State string            // AWS's code, such as "available"
	Asked bool              // the VPC's tag asks for a gateway, so the VPC is looked at anyway
	Tags  map[string]string // as this account has them
}

// Peering is a peering as one of its accounts lists it.
type Peering struct {
	ID        string
	Status    string // AWS's code, such as "active"
	Requester End
	Accepter  End
	Asked     bool // this account's tag of it asks Drawbridge to take it over
	Managed   bool // the ledger has it
}

// End is one end of a peering.
type End struct {
	event.Place
	VPC string
}
