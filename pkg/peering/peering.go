// Package peering looks at VPC peering connections, decides what a peering needs next, and does the peering's own part
// of it: accepting, the DNS option, and the status that people see.
//
//	peering.go     the words
//	plan.go        thinks: what a peering needs next (pure)
//	inspect.go     looks at a peering
//	turn.go        finds what an event is about, and under which lease
//	judge.go       reads both VPCs and asks the policy; read.go, beside.go and asker.go read for it
//	unfit.go       why two networks cannot be peered
//	takeback.go    which owner takes the connection back, or lets go of it
//	cover.go       leaves out what came after the approval
//	unread.go      what becomes of a peering that cannot be read now
//	leftovers.go   reads what is left of one that is over
//	outcome.go     keeps what was found for the steps, and answers
//	apply.go       accepts
//	approval.go    asks for an approval, or refuses; again.go asks about what came later
//	unanswered.go  requests that nobody answers in time
//	report.go      tells that the VPCs have come to overlap
//
// The state of a peering and what may be done in it:
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
package peering

import (
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The roles of the two sides.
const (
	Requester = "requester"
	Accepter  = "accepter"
)

// Peering is what AWS says about a peering connection.
type Peering struct {
	ID        string
	Status    string // AWS's code: pending-acceptance, active, …
	Message   string // AWS's sentence about it
	Expires   string // when a request ends that nobody answers, in RFC 3339; kept after that; empty for one that was accepted
	Requester End
	Accepter  End
	Tags      map[string]string // as the account that was asked has them
}

// End is one side of a peering as the peering itself tells it. CIDRs are known only once it is active, so they are
// read from the VPC instead.
type End struct {
	event.Place
	VPC   string
	DNS   bool           // lets the other side resolve its public DNS names to private addresses
	CIDRs []netip.Prefix // as far as the peering tells them
}

// Containers are the networks of the container bridges on a notebook instance. A peer in these ranges is never
// reached from it, whatever routes there are.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
var Containers = []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("172.18.0.0/16")}

// Question is everything that Judge needs to know.
type Question struct {
	Peering Peering
	// Members says which sides' accounts belong to the organization.
	RequesterMember, AccepterMember bool
	// Requester and Accepter are the facts of the two VPCs; nil where the side is not a member or not yet read.
	Requester, Accepter *workflow.Facts
	// Notebooks says whether a VPC, by id, has notebook instances. It is only asked when it matters.
	Notebooks map[string]bool
	// Stood says that the connection was set up, to its end or not: the ledger has something that was added for it, or says that it
	// was connected.
	Stood bool
	// Own are the tags of the peering as the requester's and the accepter's account have them: each owner's words. Of an account that was not
	// read there are none.
	Own [2]map[string]string
	// Participants are who takes part in the requester's and in the accepter's VPC, as far as that is known.
	Participants [2][]string
	// Entry is what the ledger says of it.
	Entry ledger.Connection
	// Accept is the policy's decision about accepting: allowed with the action Accept or Ask, or refused.
	Accept policy.Decision
	// Routes are the policy's decisions about routing each way.
	Routes []policy.Decision
	// Unclear says which tags that a pending request is judged by mean nothing; see [tag.Why].
	Unclear string
}

// Verdict is what Judge says.
type Verdict struct {
	Answer   workflow.Answer
	Reason   string        // for the hub
	Said     workflow.Said // for the two sides, where they are told anything
	Decision policy.Decision
}
