// Package notice tells others what Drawbridge did or could not do: programs by events on the hub's bus, people by
// notifications on its topic.
//
// The events are documented, with a sample each, in events/. They carry what a chat or ticket system needs to say
// something useful without asking back, and come at least once: a step that is retried tells again. None of them starts
// a machine.
//
//	notice.go     the words: the kinds of event and their details
//	access.go     the same, of access that needs no route
//	tag.go        the same, of tags that mean nothing
//	plan.go       thinks: what a failed execution means for people (pure)
//	apply.go      tells
//	watch.go      looks at an execution that failed, and tells
//	contested.go  the same, of what somebody takes away again and again
//	held.go       the same, of changes that were not made
//	ended.go      what Step Functions says of an execution that ended without success
//	heard.go      tells owners of access that they gave or have
//	request.go    what people are told of requests that wait or expired
//	sweep.go      the same, of sweeps
//	rebuild.go    the same, of a rebuild
//	trouble.go    tells the same trouble once
//	room.go       makes events and notifications fit
package notice

import (
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Source is the source of every event of Drawbridge's own.
const Source = "drawbridge"

// Kind is the detail-type of an event.
type Kind string

// The kinds of event.
const (
	ConnectionConnected Kind = "Connection Connected"
	ApprovalNeeded      Kind = "Approval Needed"
	ConnectionRefused   Kind = "Connection Refused"
	ConnectionRemoved   Kind = "Connection Removed"
	AttentionNeeded     Kind = "Attention Needed"
)

// Kinds lists every kind of event.
func Kinds() []Kind {
	return []Kind{ConnectionConnected, ApprovalNeeded, ConnectionRefused, ConnectionRemoved, AccessGranted, AccessPending, AccessRefused, AccessRemoved, AttentionNeeded, TagUnclear, ConnectionContested, ChangeHeld}
}

// Event is the detail of one event: [Connected], [Approval], [Refused], [Removed], [Granted], [Pending], [Barred], [Withdrawn],
// [Attention], [Unclear] or [Held].
type Event interface {
	kind() Kind
	// within returns the event with the first n of each list, and shorter sentences.
	within(n int) Event
}

// Head is what every event about a connection says.
type Head struct {
	Execution  string              `json:"execution"` // that came to this result
	Connection workflow.Connection `json:"connection"`
	Result     workflow.Result     `json:"result"` // the end state
	Reason     string              `json:"reason"`
	Mode       string              `json:"mode,omitempty"` // how far Drawbridge goes: full, add, observe or paused
}

// about is the connection that the event is about.
func (h Head) about() string { return h.Connection.ID }

// Connected is the detail of [ConnectionConnected]: the connection was set up and judged. Its result is Connected, or PartlyConnected if some path
// that the policy allows is not whole; the reason says how many are.
type Connected struct {
	Head
	// Missing are the hops that Drawbridge may not or need not set up, such as a notebook that has to be started again.
	Missing []workflow.Hop `json:"missing"`
}

// Approval is the detail of [ApprovalNeeded]: a request waits for the accepter's owner.
type Approval struct {
	Head
	Decision policy.Decision `json:"decision"`
	// Expires is when the request ends unanswered (RFC 3339); empty if AWS does not say.
	Expires string `json:"expires"`
	// Request is who asks, and why. Console is a link to the peering in the accepter's console.
	Request workflow.Request `json:"request"`
	Console string           `json:"console"`
	// Reachable are the databases that the policy would open, on both sides.
	Reachable []Reachable `json:"reachable"`
	// Ranges are those of the requester that came after an approval; Reachable are then the databases that came. What was approved stands.
	Ranges []netip.Prefix `json:"ranges,omitempty"`
	// Approve and Reject are the commands to answer with, in the accepter's account. ApproveAll approves what comes later, too.
	Approve    string `json:"approve"`
	ApproveAll string `json:"approveAll"`
	Reject     string `json:"reject"`
}

// Reachable is a database that would become reachable from the other side.
type Reachable struct {
	Account  string `json:"account"`
	Region   string `json:"region"`
	VPC      string `json:"vpc"`
	Database string `json:"database"`
	Engine   string `json:"engine"`
	Port     int    `json:"port"`
	From     string `json:"from"` // the VPC that reaches it
	// Also are databases that nobody shared and that become reachable with it: they have the same security group and port.
	Also     []string        `json:"also,omitempty"`
	Decision policy.Decision `json:"decision"`
}

// Refused is the detail of [ConnectionRefused]: the policy or the networks do not allow a connection. The two sides are still
// strangers: neither the connection nor the reason holds what only one of them knows, and each has a text of its own.
type Refused struct {
	Head
	Said     workflow.Said   `json:"said"`
	Decision policy.Decision `json:"decision"`
	// Rejected says that the request was also rejected at AWS; otherwise it is still pending.
	Rejected bool `json:"rejected"`
}

// Refuse returns the event about a connection that is refused.
func Refuse(execution string, c workflow.Connection, said workflow.Said, d policy.Decision) Refused {
	reason := "the two sides do not fit: each is told what it has to know"
	if !d.Allowed && d.Policy != "" {
		reason, d.Reason = "refused by policy "+d.Policy, ""
	} else if said.Requester == said.Accepter {
		reason = said.Requester
	}
	return Refused{Head: Head{Execution: execution, Connection: c.Only(), Result: workflow.RefusedByPolicy, Reason: reason}, Said: said, Decision: d}
}

// Removed is the detail of [ConnectionRemoved]: the peering is over, and what Drawbridge had added for it is taken away.
// Result is Removed, or Rejected, Expired or Withdrawn for a request that never became a connection.
type Removed struct {
	Head
	Hops []workflow.Hop `json:"hops"` // what went, and what had to stay
}

// Attention is the detail of [AttentionNeeded]: something failed that only a person can mend.
type Attention struct {
	What    string `json:"what"`    // one sentence
	Where   Where  `json:"where"`   // the thing that it is about
	Kind    string `json:"kind"`    // the error's name: one of fault.Kinds, or of Step Functions
	Why     string `json:"why"`     // in Drawbridge's or AWS's words
	Remedy  string `json:"remedy"`  // what to do
	Command string `json:"command"` // to go on, once it is done; empty if there is none
	Runbook string `json:"runbook"` // the entry of the runbook
	Console string `json:"console"` // a link into the AWS console
	Mode    string `json:"mode,omitempty"`
}

// Where names the thing that needs attention, as far as it is known.
type Where struct {
	Account      string `json:"account,omitempty"`
	Region       string `json:"region,omitempty"`
	Connection   string `json:"connection,omitempty"`
	Notebook     string `json:"notebook,omitempty"`
	RouteTable   string `json:"routeTable,omitempty"`
	Resource     string `json:"resource,omitempty"` // a cluster or a Studio domain
	Machine      string `json:"machine,omitempty"`
	State        string `json:"state,omitempty"`
	Status       string `json:"status,omitempty"` // FAILED, TIMED_OUT, ABORTED
	Execution    string `json:"execution,omitempty"`
	ExecutionARN string `json:"executionArn,omitempty"`
}

func (Connected) kind() Kind { return ConnectionConnected }
func (Approval) kind() Kind  { return ApprovalNeeded }
func (Refused) kind() Kind   { return ConnectionRefused }
func (Removed) kind() Kind   { return ConnectionRemoved }
func (Attention) kind() Kind { return AttentionNeeded }
