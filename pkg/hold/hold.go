// Package hold keeps what was held back, and lets it go on when it may.
//
// Every machine comes here when a step failed with [fault.Held]: because Drawbridge is paused, only observes, takes nothing away,
// asks a person first, or cannot read something now; and when an inspection failed with [fault.Transient] after all its retries. The input of the execution is kept in the ledger under the thing that it is about, so that a
// thousand events about one thing are one row. An execution of the Sweep machine, which each change of the mode starts, starts the
// machines again with what was kept, and every sweep with what could not be read. A new execution with the same input is always safe: it reads the facts anew.
//
//	hold.go   the words
//	plan.go   thinks: what an event is about, and what goes on (pure)
//	apply.go  keeps and starts
//	told.go   tells once
//	read.go   what is held, for whoever reads the ledger
package hold

import (
	"encoding/json"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// row is what is kept of a thing, in the ledger under held#<machine> and the thing.
type row struct {
	Machine string `json:"machine"`
	// Input is that of the first execution that was held back: the one whose event tells most, such as the request itself.
	Input json.RawMessage `json:"input"`
	// Mode was in force when it was held back the last time, and End is how it ended then.
	Mode mode.Mode `json:"mode"`
	End  mode.End  `json:"end"`
	// Reason and Changes are what it said then.
	Reason  string    `json:"reason"`
	Changes []string  `json:"changes,omitempty"`
	Since   time.Time `json:"since"`
	At      time.Time `json:"at"`
	// Count is how often it was held back.
	Count int `json:"count"`
}

// sweep and rebuild are the machines whose executions are not kept: each change of the mode starts the one, and people alone the other.
const (
	sweep   = "drawbridge-sweep"
	rebuild = "drawbridge-rebuild"
)

// part is the partition of a machine's rows.
func part(machine string) string { return "held#" + machine }
