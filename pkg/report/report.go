// Package report is who can reach what, for whoever has to account for it: since when, by which policy and whose approval, and the last verdict; as a
// table, CSV, JSON or one page of HTML.
//
// It is what the ledger has now. What ended and was forgotten is not in it, so a report that shall say what was is kept when it is made.
//
//	report.go  the words
//	plan.go    thinks: which entries are in it (pure)
//	page.go    the report as CSV, HTML and text
package report

import (
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
)

// Report is the answer of drawbridge report.
type Report struct {
	answer.Head
	Hub   board.Hub `json:"hub"`
	At    time.Time `json:"at" jsonschema:"when the ledger was read"`
	Since time.Time `json:"since,omitzero" jsonschema:"of what does not stand, only what changed since then is in it; absent: nothing of it"`
	Rows  []Row     `json:"rows" jsonschema:"by the account and thing that is reached, then by who reaches it"`
	// NotRecorded are sentences.
	NotRecorded []string `json:"notRecorded" jsonschema:"what a report cannot say"`
}

// Row is one connection, or one road to a thing.
type Row struct {
	ID          string `json:"id" jsonschema:"of the ledger's entry"`
	Kind        string `json:"kind"`
	FromAccount string `json:"fromAccount,omitempty" jsonschema:"who reaches; absent where a tag of the thing names them"`
	From        string `json:"from,omitempty" jsonschema:"the VPC"`
	ToAccount   string `json:"toAccount" jsonschema:"what is reached: its account"`
	To          string `json:"to" jsonschema:"the VPC or the thing"`
	ToNames     string `json:"toNames,omitempty" jsonschema:"whom the owner's tag names, as it was set last"`
	Stands      bool   `json:"stands"`
	State       string `json:"state"`
	Verdict     string `json:"verdict" jsonschema:"the last one, in words"`
	// Reaches are the first paths, those that fail first; Paths counts all.
	Reaches    []Reach   `json:"reaches" jsonschema:"who reaches which database: the first paths, those that fail first"`
	Paths      int       `json:"paths" jsonschema:"from each client to each database that is open to it"`
	Whole      int       `json:"whole" jsonschema:"paths that hold"`
	Contested  int       `json:"contested" jsonschema:"things that somebody took away again"`
	Policy     string    `json:"policy,omitempty" jsonschema:"that decided"`
	Asked      string    `json:"asked,omitempty" jsonschema:"who asked"`
	ApprovedBy string    `json:"approvedBy,omitempty" jsonschema:"who approved, or who set the tag that opens it"`
	ApprovedAt time.Time `json:"approvedAt,omitzero"`
	Since      time.Time `json:"since" jsonschema:"of the entry"`
	At         time.Time `json:"at,omitzero" jsonschema:"of the state"`
	Until      time.Time `json:"until,omitzero"`
}

// Reach is one path, as it was judged last.
type Reach struct {
	Account  string `json:"account" jsonschema:"of the client"`
	Client   string `json:"client" jsonschema:"of a client that is no notebook instance with its kind before it"`
	Database string `json:"database"`
	Port     int    `json:"port"`
	Answer   string `json:"answer" jsonschema:"yes, no or unknown"`
}
