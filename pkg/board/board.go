// Package board is what stands between an organization's accounts, as the ledger has it: for whoever asks what Drawbridge does.
//
// It reads the whole ledger once, page by page, and the mode, and what the last sweep counted; it changes nothing and needs no function. Whoever
// may read the hub's table sees it.
//
//	board.go  the words, which are the answer's fields
//	plan.go   thinks: which row becomes which line, and what needs somebody (pure)
//	apply.go  reads the hub
//	rows.go   what was read of the ledger, for other answers
//	text.go   the board for people
package board

import (
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Hub says which hub was read.
type Hub struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Table   string `json:"table" jsonschema:"the ledger's table"`
	Stack   string `json:"stack,omitempty" jsonschema:"the stack that named the table; empty if the table was named otherwise"`
}

// Board is the answer of drawbridge status.
type Board struct {
	answer.Head
	Hub  Hub       `json:"hub"`
	At   time.Time `json:"at" jsonschema:"when the ledger was read"`
	Mode Mode      `json:"mode"`
	// Standing counts the entries of which something may stand in the members.
	Standing int    `json:"standing"`
	Entries  []Line `json:"entries" jsonschema:"all entries of the ledger, by kind, state and id"`
	Held     []Held `json:"held" jsonschema:"what is held back"`
	Sweep    *Sweep `json:"sweep,omitempty" jsonschema:"the last sweep that ended; absent if there was none or it could not be read"`
	// Health is what all accounts rest on, as package doctor finds it. Empty if nobody looked.
	Health []Check `json:"health" jsonschema:"what Drawbridge hears by and enters accounts by: the trail, the hub's bus, the member stacks"`
}

// Check is a finding of package doctor, in short.
type Check struct {
	Code   string `json:"code" jsonschema:"of drawbridge doctor"`
	Title  string `json:"title" jsonschema:"what must be so"`
	Answer string `json:"answer" jsonschema:"yes, no or unknown"`
	Detail string `json:"detail"`
}

// Mode is how far Drawbridge goes.
type Mode struct {
	Mode string `json:"mode" jsonschema:"full, add, observe or paused; empty if it could not be read"`
	Why  string `json:"why,omitempty"`
}

// Line is one entry of the ledger.
type Line struct {
	ID     string        `json:"id"`
	Kind   road.Kind     `json:"kind" jsonschema:"peering, transit, attachment, data-api, data-api-endpoint, private-notebooks, studio or share"`
	State  string        `json:"state" jsonschema:"the end state of its last execution; docs/runbook.md has an entry for each"`
	Reason string        `json:"reason,omitempty"`
	Sides  []ledger.Side `json:"sides"`
	Asked  string        `json:"asked,omitempty" jsonschema:"who asked for it, as the record of the request names them"`
	Origin string        `json:"origin" jsonschema:"requested, or adopted by its owner"`
	Policy string        `json:"policy,omitempty" jsonschema:"that decided"`
	// Approved counts what its owner has approved of what they were asked.
	Approved int `json:"approved,omitempty" jsonschema:"how many lines of a question its owner approved"`
	// ApprovedBy is who answered last, with a yes.
	ApprovedBy string    `json:"approvedBy,omitempty" jsonschema:"who approved last, as the record of their call names them; absent if nobody did or it is not recorded"`
	ApprovedAt time.Time `json:"approvedAt,omitzero"`
	Since      time.Time `json:"since"`
	At         time.Time `json:"at,omitzero" jsonschema:"of the state"`
	Until      time.Time `json:"until,omitzero" jsonschema:"when it ends by itself"`
	// Paths are those of a peering or a pair on a gateway, as they were last judged.
	Paths ledger.Paths `json:"paths,omitzero" jsonschema:"from each client to each database that is open to it, when they were last judged"`
	Items int          `json:"items" jsonschema:"things that were added or changed for it"`
	// Contested are things that somebody took away again after they were put back.
	Contested []string `json:"contested,omitempty"`
	// Overruled are the policies that forbid owners to keep things out of it, by the tag drawbridge:reach.
	Overruled map[string]string `json:"overruled,omitempty" jsonschema:"by the account whose owner keeps nothing out of it by the tag drawbridge:reach, the policy that forbids that"`
	// Waits says what waits for somebody: an approval, a removal that the brake stopped.
	Waits string `json:"waits,omitempty"`
	// Command answers what waits, with credentials of the account that is asked.
	Command []string `json:"command,omitempty" jsonschema:"the command by which the owner answers"`
	By      string   `json:"by,omitempty" jsonschema:"the account that answers"`
	// Shown is what the last question showed, of what waits.
	Shown []string `json:"shown,omitempty" jsonschema:"what the owner is asked about, in lines"`
	// Working is the execution that is at it now.
	Working *ledger.Lease `json:"working,omitempty"`

	braked bool // what waits is among what is held back, too
}

// Held is what is held back about a thing, because of the mode, of the brake, or of something that cannot be read.
type Held struct {
	Thing   string    `json:"thing"`
	Machine string    `json:"machine,omitempty"`
	End     string    `json:"end" jsonschema:"Paused, Planned, Kept, Braked or Unreadable; docs/runbook.md has an entry for each"`
	Reason  string    `json:"reason"`
	Changes []string  `json:"changes,omitempty" jsonschema:"what would be changed"`
	Since   time.Time `json:"since"`
}

// Sweep is what the last sweep counted.
type Sweep struct {
	Execution string           `json:"execution"`
	At        time.Time        `json:"at" jsonschema:"when it ended"`
	Accounts  int              `json:"accounts"`
	Found     []workflow.Found `json:"found" jsonschema:"by kind; unmanaged is what is there and was not given to Drawbridge: it is left alone"`
	NotSwept  int              `json:"notSwept" jsonschema:"accounts that could not be swept, or not wholly"`
	// Missed are the first of those accounts, with why.
	Missed   []workflow.Missed `json:"missed" jsonschema:"the first of those accounts: all of it, or the Regions that are named, with why"`
	NotHeard int               `json:"notHeard" jsonschema:"accounts with Regions whose events do not all reach the hub"`
	Deaf     []workflow.Missed `json:"deaf" jsonschema:"the first of those"`
}

// Entry is the answer of drawbridge status ID.
type Entry struct {
	answer.Head
	Hub   Hub           `json:"hub"`
	At    time.Time     `json:"at"`
	Line  Line          `json:"entry"`
	Items []ledger.Item `json:"items"`
	Told  string        `json:"told,omitempty" jsonschema:"digest of what people were told last"`
	Held  []Held        `json:"held"`
}

// Fine reports whether an entry stands, works as far as anybody can say, and needs nobody.
func (l Line) Fine() bool { return l.Waits == "" && l.Stands() && !l.Broken() }

// Stands reports whether something may stand in the members of an entry.
func (l Line) Stands() bool { return standing(l.State) }

// Broken reports whether something stands for an entry and does not work, or not wholly: somebody takes it away, it is in conflict, a path fails, or its
// machine could do only a part.
func (l Line) Broken() bool {
	failed := l.Paths.All - l.Paths.Whole - l.Paths.Unknown
	return l.Stands() && (len(l.Contested) > 0 || failed > 0 || slices.Contains(failing, workflow.Result(l.State)))
}

// failing are the states in which something stands and does not work, or not wholly.
var failing = []workflow.Result{workflow.Contested, workflow.PartlyConnected, workflow.Unreadable, workflow.Incomplete, connection.Conflict, connection.Failed}
