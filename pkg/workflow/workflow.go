// Package workflow is the contract between the state machines and the functions: what each step takes, what it
// returns, and under which name its errors are known.
//
// Every input is decoded strictly: a field that nobody here knows is an error, because the only sender is our own
// machine definition, and a misspelled field must not pass as an absent one. Events from AWS are the opposite;
// they are read by pkg/event, tolerantly.
package workflow

import (
	"net/netip"
	"strings"
)

// A Result is the end state of an execution, as people meet it: as the name of the machine's last state, in the
// execution's output and in the tag drawbridge:status.
type Result string

// The end states. docs/runbook.md has an entry for each.
const (
	Connected        Result = "Connected"
	PartlyConnected  Result = "PartlyConnected" // some of the allowed paths are not whole
	PendingApproval  Result = "PendingApproval" // connected as approved; what came later waits for the owner
	AwaitingApproval Result = "AwaitingApproval"
	RefusedByPolicy  Result = "Refused"
	Nothing          Result = "Nothing"
	InLine           Result = "InLine"    // of the Notebook machine
	Announced        Result = "Announced" // of the Change machine: a look at each peering was asked for
	Swept            Result = "Swept"     // of the Sweep machine

	// PartlySwept is the end of a sweep that could not look through every account.
	PartlySwept Result = "PartlySwept"

	// The ends of the Rebuild machine.
	Rebuilt       Result = "Rebuilt"
	PartlyRebuilt Result = "PartlyRebuilt" // it could not look through every account

	// Unreadable is the end of a look at a thing of which something cannot be read now: nothing goes for it, and the next sweep looks again.
	Unreadable Result = "Unreadable"

	// Released is the end of a connection that its owner took out of Drawbridge's hands, as it stands.
	Released Result = "Released"

	// The ends of a peering that is no more, once what Drawbridge added for it is gone.
	Removed   Result = "Removed"   // it was active and somebody deleted it
	Rejected  Result = "Rejected"  // the accepter rejected the request
	Expired   Result = "Expired"   // nobody answered the request within seven days
	Withdrawn Result = "Withdrawn" // the requester deleted the request before it was accepted
)

// VPC names a VPC and everything that is addressed in it.
type VPC struct {
	Account string         `json:"account"` // 12 digits
	Region  string         `json:"region"`
	ID      string         `json:"id"`
	CIDRs   []netip.Prefix `json:"cidrs"` // primary and secondary, IPv4 and IPv6, masked and sorted
}

// Connection is two VPCs and what connects them: a VPC peering connection, or a transit gateway that both are attached to.
type Connection struct {
	ID        string `json:"id"`     // pcx-…, or tgw-…:vpc-…:vpc-…; the value of the tag drawbridge:connection
	Target    string `json:"target"` // what routes lead to: pcx-… or tgw-…
	Requester VPC    `json:"requester"`
	Accepter  VPC    `json:"accepter"`
}

// OwnsTarget reports whether the target is the connection itself, so that every route to it ends with the connection.
// Other connections go over a transit gateway as well.
func (c Connection) OwnsTarget() bool { return c.ID == c.Target }

// TargetOf returns the target of the connection of an id; see [Connection].
func TargetOf(id string) string {
	target, _, _ := strings.Cut(id, ":")
	return target
}

// Carrier is a resource that carries Drawbridge's tags on one side of a connection, with the keys of those tags.
type Carrier struct {
	Account string   `json:"account"`
	Region  string   `json:"region"`
	ID      string   `json:"id"` // pcx-… or tgw-attach-…
	Tags    []string `json:"tags"`
	// VPC is the VPC whose attachment it is; empty for a peering.
	VPC string `json:"vpc,omitempty"`
}

// A Hop is one line of a verdict: one thing that must hold for a packet to arrive.
type Hop struct {
	Hop string `json:"hop"`
	OK  bool   `json:"ok"`
	// Unknown says of a hop that is not OK that nobody knows whether it holds: it is outside of what Drawbridge can judge.
	Unknown bool   `json:"unknown,omitempty"`
	Detail  string `json:"detail"`
}

// A Path is a line of the verdict about a connection: about one path, from a client to a port of a database and back, with its hops; or about what is
// no path's, without.
type Path struct {
	Hop
	Hops []Hop `json:"hops,omitempty"`
}

// Mark is what stands before a hop: ✓, ✗, or ? if nobody knows.
func (h Hop) Mark() string {
	switch {
	case h.OK:
		return "✓"
	case h.Unknown:
		return "?"
	}
	return "✗"
}

// An Answer is what InspectPeering wants to happen next.
type Answer string

// The answers.
const (
	AnswerAccept     Answer = "accept"
	AnswerWait       Answer = "wait"
	AnswerConnect    Answer = "connect"
	AnswerExtend     Answer = "extend" // connect, and ask about what came after the approval
	AnswerTrim       Answer = "trim"
	AnswerConflict   Answer = "conflict"
	AnswerAsk        Answer = "ask"
	AnswerRefuse     Answer = "refuse"
	AnswerDisconnect Answer = "disconnect"
	AnswerNothing    Answer = "nothing"
	AnswerUnreadable Answer = "unreadable" // something cannot be read now: nothing is taken away, and a sweep looks again
)
