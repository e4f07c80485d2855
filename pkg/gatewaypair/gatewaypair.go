// Package gatewaypair looks at a pair of VPCs that are attached to one transit gateway, and decides what the pair needs next.
//
// A gateway fails silently: an attachment can be available while nothing comes through. So everything that has to hold on
// the gateway is read as its owner and said: that each side's attachment is associated with a route table, that this table
// leads to the other side, and that the attachments have a subnet in every Availability Zone where it matters.
// https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html
//
//	gatewaypair.go  the words
//	plan.go         thinks: what a pair needs next (pure)
//	takeback.go     thinks: which owner takes the pair back, or lets go of it (pure)
//	inspect.go      looks at a pair, step by step
//	read.go         reads the attachments, both VPCs, and what the gateway does
//	leftovers.go    reads what is left of a pair that is over
//	refuse.go       tells that a pair is not connected
//	routes.go       thinks: what the gateway leads elsewhere, or not at all (pure)
//	cover.go        leaves out what came after the approval
//	unread.go       what becomes of a pair that cannot be read now
//	turn.go         under which lease an inspection looks
package gatewaypair

import (
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The roles of the two sides: the VPC whose id comes first, and the other.
const (
	Requester = "requester"
	Accepter  = "accepter"
)

// Gateway is a transit gateway.
type Gateway struct {
	ID    string
	Owner string // the account
	// References says that rules may refer to groups of other VPCs, as far as the attachments let them.
	References bool
	Tags       map[string]string // as its owner has them
}

// Attachment is what AWS says about a VPC's attachment to a gateway.
type Attachment struct {
	ID      string
	State   string // AWS's code: pendingAcceptance, available, …
	Subnets []string
	IPv6    bool
	// References says that rules may refer to groups across the attachment, as far as the gateway lets them.
	References bool
	Tags       map[string]string // as the VPC's account has them
}

// Entry is a route of a route table of the gateway.
type Entry struct {
	Destination netip.Prefix
	Attachment  string // where it leads
	Blackhole   bool
	// Static says that somebody leads it there on purpose, where AWS's propagation would say that the attachment has the addresses itself; Outside
	// that the attachment is not a VPC's.
	Static  bool
	Outside bool
}

// End is one of the two VPCs on the gateway. As far as a stage of the look has not read it, it is zero.
type End struct {
	VPC        workflow.VPC
	Member     bool        // its account belongs to the organization
	Closed     bool        // it lets nobody in, so that its attachment is not known
	Attachment *Attachment // nil: none, or not shown any more
	// Table is the gateway's route table that the attachment is associated with, and Entries are those of its routes that
	// touch the CIDRs of the other VPC. Empty: it is associated with none.
	Table   string
	Entries []Entry
	// Association is the state of the attachment's association, AWS's word; empty if there is none. Owner are the attachment's tags as the
	// gateway's owner has them, and Entry is what the ledger has of it; empty if it is not managed.
	Association string
	Owner       map[string]string
	Entry       ledger.Connection
}

// Question is everything that [Judge] needs to know.
type Question struct {
	Gateway Gateway
	Ends    [2]End
	// Connects are the policy's decisions about connecting: the first as the consumer, and the second.
	Connects [2]policy.Decision
	// Routes are the policy's decisions about routing each way.
	Routes [2]policy.Decision
	// Never says which of the VPCs takes no connections any more: its owner tagged it drawbridge:accept=never. Whatever the policy would
	// allow, nothing in it is opened then.
	Never [2]bool
	// Before says that the pair was set up before, to its end or not: the ledger has something that was added for it, or says that it was
	// connected.
	Before bool
	// Managed says that the ledger has an entry of the pair.
	Managed bool
	// Viewed says that what the gateway's owner sees and says was read.
	Viewed bool
	// Looks is how often this execution looked before.
	Looks int
	// Closed are the databases that are not opened because their tag drawbridge:share means nothing.
	Closed []workflow.Hop
}

// Verdict is what [Standing] and [Judge] say.
type Verdict struct {
	Answer   workflow.Answer
	Reason   string        // for the hub
	Said     workflow.Said // for the two sides, where they are told anything
	Decision policy.Decision
}

// ID returns the id of the connection of two VPCs over a gateway: the value of the tag drawbridge:connection.
func ID(gateway string, a, b workflow.VPC) string {
	return gateway + ":" + min(a.ID, b.ID) + ":" + max(a.ID, b.ID)
}
