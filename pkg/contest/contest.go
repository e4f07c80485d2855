// Package contest decides what becomes of something that Drawbridge added and somebody else took away, and says how to end a quarrel.
//
// A team that owns a route table in Terraform, with inline blocks, takes away with each apply whatever the blocks do not name. Drawbridge
// puts back once: the first time may have been a mistake. What goes again by the same hand is contested: it is left to its owner,
// marked in the ledger, and both sides are told once, with the words to add to the code. So nothing ever flaps, whoever is right.
//
// Only what is read counts. A record of AWS's says whose hand was at a resource, and when: that is noted on the resource's items
// ([Contest.Note]). The step that adds finds a thing missing that was confirmed, and asks ([Contest.Missing]): put it back, or leave it? It ends when
// the owner asks anew ([Contest.Settle]), or puts the thing there themselves.
//
//	contest.go   the words
//	plan.go      thinks: put back or leave, whose hand it was, which connection a host route is for (pure)
//	apply.go     reads and writes the ledger
//	report/     tells both owners, once
//	document.go  puts back documents that Drawbridge made itself
package contest

import (
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Verdict says what to do about a thing of the ledger.
type Verdict string

// The verdicts.
const (
	Keep    Verdict = "keep"     // it is there, or on its way out: nothing to add
	PutBack Verdict = "put back" // add it
	Leave   Verdict = "leave"    // it is its owner's to add
)

// Most is how often one thing is put back, however many different hands took it.
const Most = 2

// Facts are what [Judge] goes by.
type Facts struct {
	Found bool        // it is there, as it was left
	By    ledger.Hand // whose hand it was, if it is not; zero if nobody knows
	Leave bool        // the policy wants what somebody takes away to be left
	// Fresh says that it was made so lately that what was read may be older.
	// https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
	Fresh     bool
	Execution string    // that asks
	At        time.Time // now
}

// Sight is a hand that a record of AWS's saw at a resource.
type Sight struct {
	By ledger.Hand
	At time.Time
}

// Contest is the ledger's part of it.
type Contest struct{ Ledger ledger.Ledger }
