// Package brake counts what is taken away because of a cause that is nobody's wish for that very thing: a policy that was changed, a
// tag or a unit that was lost, facts that read otherwise than before. A slip in one of them could take everything away. So a
// few of them go, and the rest waits for a person.
//
// Each inspection that is about to have something taken away says so, with the cause, and [Counts] says whether that is asked about:
//
//	if err := ask.Ask(ctx, brake.Removal{ID: connection.ID, Why: brake.Forbidden, Cause: v.Reason, Stands: true}); err != nil {
//		return out, err // the machine ends as Braked, and the event is kept
//	}
//
// What its owner ended, by deleting it or by the value of a tag, is not asked about. And what cannot be read at the moment is no cause
// to take anything away, braked or not: see [mode.Unreadable].
//
// The first [Limit.Connections] in a window of a day pass, or [Limit.Percent] of those that are managed, whichever is more. The next one
// turns the brake on: it and all after it wait, however long, until a person lets them through or dismisses them.
//
//	brake.go   the words
//	cause.go   thinks: what is asked about (pure); how inspections ask
//	plan.go    thinks: who passes (pure)
//	apply.go   reads and writes the ledger's rows
//	read.go    reads what waits for a person, and how much may go
//	unread.go  what becomes of an inspection that could not read its facts
package brake

import (
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Window is how far back removals count.
const Window = 24 * time.Hour

// Limit is how many removals pass within [Window].
type Limit struct {
	Connections int
	Percent     int // of all managed connections
}

// of returns the limit where so many connections are managed.
func (l Limit) of(managed int) int { return max(l.Connections, managed*l.Percent/100) }

// Brake counts removals in the ledger. It is safe for concurrent use, also by several processes: each decision is one conditional write.
type Brake struct {
	Ledger ledger.Ledger
	Limit  Limit
}

// state is the row of the brake.
type state struct {
	// On says that something waits for a person.
	On bool `json:"on"`
	// Passed are the removals within the window, the oldest first.
	Passed []passed `json:"passed,omitempty"`
	// Managed is how many connections there are, as the last sweep counted them.
	Managed int `json:"managed,omitempty"`
	// Told says that people were told that it is on.
	Told bool `json:"told,omitempty"`
}

// within returns s without what passed before the window that ends now.
func (s state) within(now time.Time) state {
	s.Passed = slices.DeleteFunc(slices.Clone(s.Passed), func(p passed) bool { return now.Sub(p.At) >= Window })
	return s
}

type passed struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// waiting is the row of one that waits, or that a person let through.
type waiting struct {
	Cause string    `json:"cause"`
	At    time.Time `json:"at"`
	// Let says that a person let it through.
	Let bool `json:"let,omitempty"`
}

// Waiting is a removal that waits for a person.
type Waiting struct {
	ID    string
	Cause string
	At    time.Time
}

const (
	part    = "brake"
	head    = "state" // the row that counts
	waits   = "waiting#"
	letLive = 24 * time.Hour // how long what a person let through passes
)
