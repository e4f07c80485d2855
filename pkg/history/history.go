// Package history is what happened to one connection: who did what, and when, as far as somebody wrote it down.
//
// Three things did: the ledger, of what Drawbridge did and whose hand undid it; the words of owners, which it keeps beside; and Step Functions, of the
// executions. CloudTrail has every call of every account, and only who may read it there sees that. So the answer says, too, what it does not know.
//
//	history.go  the words, which are the answer's fields
//	plan.go     thinks: what of an entry is an event (pure)
//	apply.go    reads executions
//	text.go     the history for people
package history

import (
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
)

// History is the answer of drawbridge history.
type History struct {
	answer.Head
	Hub board.Hub `json:"hub"`
	ID  string    `json:"id"`
	At  time.Time `json:"at" jsonschema:"when it was read"`
	// Managed says that the ledger has an entry of it now.
	Managed bool    `json:"managed" jsonschema:"whether the ledger has an entry of it now"`
	Events  []Event `json:"events" jsonschema:"the oldest first; those whose time nobody wrote down come last"`
	// NotRecorded are sentences.
	NotRecorded []string `json:"notRecorded" jsonschema:"what this answer cannot know, and where to look"`
}

// The hands by which something happened.
const (
	Drawbridge = "drawbridge" // it did so itself
	Owner      = "owner"      // somebody who speaks for a side: asked, approved, rejected, let go
	Foreign    = "foreign"    // somebody changed what Drawbridge had added
)

// Event is one thing that happened.
type Event struct {
	At        time.Time `json:"at,omitzero" jsonschema:"absent if nobody wrote down when"`
	Hand      string    `json:"hand" jsonschema:"drawbridge, owner or foreign"`
	Who       string    `json:"who,omitempty" jsonschema:"the identity, as the record of its call names it; empty if nobody wrote it down"`
	Tool      string    `json:"tool,omitempty" jsonschema:"by which a foreign hand did it"`
	What      string    `json:"what" jsonschema:"asked, said, began, intended, added, changed, wanted, taking-back, contested, taken, touched, untagged, state, working, held, execution"`
	Detail    string    `json:"detail"`
	Account   string    `json:"account,omitempty"`
	Region    string    `json:"region,omitempty"`
	Things    []string  `json:"things,omitempty" jsonschema:"what it was done to"`
	Execution string    `json:"execution,omitempty" jsonschema:"the name of the execution that did it"`
	Source    string    `json:"source" jsonschema:"ledger or execution: where it is written"`

	reason string // of an execution, which ends its detail
}

// Execution is one run of a machine that was about the connection.
type Execution struct {
	Name, Machine, Status string
	Began, Ended          time.Time
	Event                 string // by which it began
	Result, Reason        string // of one that succeeded: the end state; of another the error
}

// Looked says which executions were looked through.
type Looked struct {
	Machine string
	Count   int   // the newest
	More    bool  // there are older ones
	Err     error // why none were
}
