// Package connection is what every kind of connection has in common: its entry in the ledger, what of it has no use any more, the
// verdict and the status of one that is set up, and the end of one that is over.
//
// The ledger says whether a connection is managed, and how it stands. What stands in tags is for people: on a peering a status, its
// reason and since when, in each account; on an attachment to a transit gateway, which many connections share, one tag that counts
// them.
//
//	connection.go  the words
//	plan.go        thinks: what an entry, a tag, a wish says; what has no use any more (pure)
//	entry.go       writes the entry in the ledger
//	ends.go        the ends of the paths that the policy allows, and what of the network matters to them (pure)
//	verify.go      says which paths are whole, and so how the connection stands
//	apply.go       concludes, tags
//	shut.go        thinks: what a trim shuts, for the brake; asks for the next look
//	contested.go   says that somebody keeps taking something away
//	unread.go      ends an execution that cannot read something now
package connection

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Conflict is the status of a connection that something of its owners' is in the way of, such as a network ACL.
const Conflict workflow.Result = "Conflict"

// Failed is the status of what an execution was about that ended without coming to a result: it failed, was stopped, or took too long. What was done until
// then stands.
const Failed = notice.Failed
