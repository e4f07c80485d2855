// Package doctor looks at what Drawbridge needs around it, before it is deployed and after: trust in the organization, a trail that logs, members that
// are deployed, rules that are on, quotas with room. Each has an answer and the command that mends it.
//
// What it looks at is one table, [Checks], and docs/deploy.md has the list that is made from it. Whoever runs it sees what they may see: what they may
// not read is a question mark, never a no.
//
//	doctor.go   the words
//	checks.go   the table
//	plan.go     thinks: which rules are off, is there room (pure)
//	trail.go    thinks: does a trail log what is needed (pure)
//	health.go   the few that drawbridge status shows
//	look.go     reads the organization, the trail and the hub
//	member.go   reads members and quotas
//	text.go     the answer for people
package doctor

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// Report is the answer of drawbridge doctor.
type Report struct {
	answer.Head
	Account string    `json:"account" jsonschema:"the hub's, or the one that shall be"`
	Region  string    `json:"region"`
	At      time.Time `json:"at"`
	Before  bool      `json:"before" jsonschema:"whether only what can be there before the deployment was looked at"`
	Answer  string    `json:"answer" jsonschema:"yes: all is well; no; or unknown"`
	// Findings are in the order of the table.
	Findings []Finding `json:"findings"`
}

// The answers.
const (
	Yes     = "yes"
	No      = "no"
	Unknown = "unknown"
)

// Finding is what became of one check in one account.
type Finding struct {
	Code    string     `json:"code" jsonschema:"docs/deploy.md has the list"`
	Title   string     `json:"title"`
	Account string     `json:"account" jsonschema:"that was looked at"`
	Region  string     `json:"region"`
	Answer  string     `json:"answer" jsonschema:"yes, no or unknown"`
	Detail  string     `json:"detail"`
	Remedy  string     `json:"remedy,omitempty" jsonschema:"what to do, in words"`
	Mends   [][]string `json:"mends,omitempty" jsonschema:"the commands that mend it, in their order"`
}

// Check is one row of the table.
type Check struct {
	Code  string
	Title string // what must be so
	Where string // Management, Hub or Member: whose account is looked at
	// Before says that it can be so before Drawbridge is deployed.
	Before bool
	Remedy string
	// Mends are commands with PARTITION, HUB_ACCOUNT, HUB_REGION, LEDGER and REGION in place of what is known; other words in capitals are the reader's.
	Mends []string

	look func(context.Context, seat) (answer, detail string, err error)
}

// Where a check looks.
const (
	Management = "management" // or, with fewer rights, the hub
	Hub        = "hub"
	Member     = "member"
)

// seat is from where a check looks: one account, and the place of the hub.
type seat struct {
	cfg   aws.Config
	at    event.Place
	hub   event.Place
	table string
}

// Patient is what is looked at.
type Patient struct {
	Hub   aws.Config
	At    event.Place // of the hub
	Table string      // of the ledger
	// Management is the configuration of the management account; nil: what it has is asked with the hub's rights.
	Management   *aws.Config
	ManagementAt event.Place
	Members      map[event.Place]aws.Config
	Before       bool
}
