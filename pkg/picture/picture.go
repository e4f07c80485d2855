// Package picture is the picture of what connects an organization's accounts, as the ledger has it: for whoever answers for the whole.
//
// One document, [Map], is all that is shown; drawings and pages are made from it, and programs may read it (docs/schema/map.v1.json). What is
// shown was judged when Drawbridge looked last; drawbridge why judges now.
//
//	picture.go  the words, which are the document's fields
//	plan.go     thinks: what of the ledger becomes what of the document (pure)
//	story.go    thinks: a connection's past, and the commands about it (pure)
//	apply.go    reads the organization's units
//	layout.go   where everything is (pure, of whole numbers)
//	line.go     where lines and their marks are (pure)
//	svg.go      the drawing
//	text.go     the same for a terminal
//	page.go     the page: drawing, data, script, style in one file
//	serve.go    the page, live, for this machine alone
//
// docs/decisions/0106-the-picture.md has the reasons.
package picture

import (
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
)

// Map is the document of drawbridge map. Lists are sorted, so that the same ledger gives the same bytes; numbers in it count from 0.
type Map struct {
	answer.Head
	Hub          board.Hub    `json:"hub"`
	At           time.Time    `json:"at" jsonschema:"when the ledger was read"`
	Mode         board.Mode   `json:"mode"`
	Organization string       `json:"organization,omitempty" jsonschema:"its id; empty if the caller may not read the organization"`
	Units        []Unit       `json:"units" jsonschema:"organizational units that have something, each after the one that it is in"`
	Accounts     []Account    `json:"accounts" jsonschema:"those that the ledger names"`
	Networks     []Network    `json:"networks" jsonschema:"VPCs, and whatever else is a side of a connection"`
	Ends         []End        `json:"ends" jsonschema:"clients and databases"`
	Connections  []Connection `json:"connections"`
	Unread       []string     `json:"unread,omitempty" jsonschema:"what could not be read, in words"`
}

// Unit is an organizational unit.
type Unit struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Parent string `json:"parent,omitempty" jsonschema:"id of the unit that it is in; empty: in the root"`
	Quiet  int    `json:"quiet,omitempty" jsonschema:"its accounts that the ledger does not name"`
}

// Account is an account that has something.
type Account struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Unit string `json:"unit,omitempty" jsonschema:"id of its organizational unit; empty: the root, or not known"`
}

// Network is a side of connections: a VPC, or what stands for one.
type Network struct {
	ID      string   `json:"id"`
	Account string   `json:"account"`
	Region  string   `json:"region"`
	CIDRs   []string `json:"cidrs,omitempty"`
}

// End is what calls or answers.
type End struct {
	Name    string `json:"name"`
	Role    string `json:"role" jsonschema:"client or database"`
	Account string `json:"account" jsonschema:"whose it is; in a shared VPC not the VPC's"`
	Network int    `json:"network" jsonschema:"its place in networks"`
}

// Look is how a connection or a path is shown: by a word, a mark, a kind of stroke and a colour, all of which say the same.
type Look string

// The looks.
const (
	Holds   Look = "holds"   // it stands, and every path that was judged is whole
	Begun   Look = "begun"   // an execution is at it for the first time
	Waits   Look = "waits"   // somebody has to say something
	Broken  Look = "broken"  // it stands, and some path fails, or somebody takes away what it needs
	Unknown Look = "unknown" // it stands, and nobody can say whether a path is whole
	Ended   Look = "ended"   // nothing stands: it was refused, or it is over
)

// Looks are all looks, in the order of a legend.
var Looks = []Look{Holds, Waits, Broken, Unknown, Begun, Ended}

// Mark is the look's character.
func (l Look) Mark() string {
	return map[Look]string{Holds: "✓", Begun: "…", Waits: "!", Broken: "✗", Unknown: "?", Ended: "–"}[l]
}

// Words says what a look means.
func (l Look) Words() string {
	return map[Look]string{Holds: "in order", Begun: "under way", Waits: "waiting for somebody", Broken: "broken", Unknown: "not known", Ended: "ended or refused"}[l]
}

// Connection is one entry of the ledger.
type Connection struct {
	ID     string `json:"id"`
	Kind   string `json:"kind" jsonschema:"peering, transit, attachment, data-api, data-api-endpoint, private-notebooks, studio or share"`
	State  string `json:"state" jsonschema:"the end state of its last execution; docs/runbook.md has an entry for each"`
	Look   Look   `json:"look" jsonschema:"holds, begun, waits, broken, unknown or ended"`
	Reason string `json:"reason,omitempty"`
	Sides  []int  `json:"sides" jsonschema:"places in networks"`

	All     int    `json:"all,omitempty" jsonschema:"how many paths there are"`
	Whole   int    `json:"whole,omitempty"`
	Unknown int    `json:"unknown,omitempty"`
	Paths   []Path `json:"paths" jsonschema:"the first of them, those that fail first"`

	Policy    string    `json:"policy,omitempty" jsonschema:"that decided"`
	Asked     string    `json:"asked,omitempty" jsonschema:"who asked for it"`
	Origin    string    `json:"origin"`
	Approved  int       `json:"approved,omitempty" jsonschema:"how many lines of a question its owner approved"`
	Since     time.Time `json:"since"`
	Judged    time.Time `json:"judged,omitzero" jsonschema:"when it got its state"`
	Until     time.Time `json:"until,omitzero"`
	Waits     string    `json:"waits,omitempty" jsonschema:"what waits for somebody"`
	Contested []string  `json:"contested,omitempty"`
	Held      []string  `json:"held,omitempty" jsonschema:"what is held back about it"`
	History   []Event   `json:"history" jsonschema:"what the ledger has of its past, the newest first"`
	Earlier   int       `json:"earlier,omitempty" jsonschema:"lines of its past that are left out"`
	Commands  []Command `json:"commands"`
}

// Path is from a client to a database.
type Path struct {
	Client   int    `json:"client" jsonschema:"its place in ends"`
	Database int    `json:"database" jsonschema:"its place in ends"`
	Port     int    `json:"port"`
	Look     Look   `json:"look" jsonschema:"holds, broken or unknown; that of its connection if nothing stands"`
	Hop      string `json:"hop,omitempty" jsonschema:"where it ends, if it is not whole; docs/hops has a page for each"`
	Owner    string `json:"owner,omitempty" jsonschema:"the account whose thing the hop is"`
	Detail   string `json:"detail,omitempty"`
	Remedy   string `json:"remedy,omitempty"`
}

// Event is one thing that happened.
type Event struct {
	At   time.Time `json:"at,omitzero" jsonschema:"absent if nobody wrote down when"`
	What string    `json:"what"`
	Who  string    `json:"who,omitempty"`
}

// Command is what somebody may type.
type Command struct {
	For  string `json:"for" jsonschema:"what it does, and with whose credentials"`
	Text string `json:"text"`
}
