// Package sweep finds the things that want a look: after a change that concerns them, and where no event said anything.
//
// It starts nothing and decides nothing about a connection. For each thing it puts one event on the hub's bus, such as
// "Peering To Inspect", and the machine of that kind of thing reads the facts and asks the policy, as after any other
// event.
//
//	sweep.go      the words
//	plan.go       thinks: which things want a look, and what a sweep came to (pure)
//	apply.go      asks for looks, visits an account
//	accounts.go   lists the accounts to visit
//	tally.go      says what a sweep came to, and tells people of accounts that failed
//	peerings.go, notebooks.go: a [Finder] for each kind of thing
//
// Another kind of thing takes a Finder in a file of its own, a line in functions/sweep-account, and what it reads in the
// grants of SweepAccount.
package sweep

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// A Finder finds the things of one kind that want a look, in one account and Region.
type Finder interface {
	// Kind names the things, in the plural.
	Kind() string
	// Find reads the things of a place page by page and asks for a look at each that wants one, before it reads the next
	// page. It returns how many things it read.
	Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error)
}

// Ask asks for looks. Asking twice for one is safe.
type Ask func(ctx context.Context, looks ...Look) error

// A Look is one of Drawbridge's own events: a thing wants a look.
type Look struct {
	Type   string // the event's detail-type, of package event
	Detail any    // what it reads as
	Thing  string // for the log
	Reason string // for the log
}

// Peering is a peering as one of its accounts lists it.
type Peering struct {
	ID        string
	Status    string // AWS's code, such as "active"
	Requester End
	Accepter  End
	Label     string // the tag drawbridge:status, as this account has it
}

// End is one end of a peering.
type End struct {
	event.Place
	VPC string
}
