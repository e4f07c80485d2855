// Package attachment attaches VPCs to transit gateways that their accounts own or are given: one VPC on one gateway at a
// time, with a subnet in every Availability Zone that needs one, accepted and associated as the gateway's owner decides.
//
// A VPC asks for a gateway by its tag drawbridge:attach. An attachment that somebody else made is used as it is, accepted
// if the policy says so, and never deleted.
//
//	attachment.go  the words
//	plan.go        thinks: what an attachment needs next (pure)
//	takeback.go    thinks: which owner takes it back, or lets go of it (pure)
//	cover.go       thinks: what the gateway's owner is asked about, and what an approval covers
//	order.go       thinks: what the gateway's owner sees of it (pure)
//	inspect.go     looks at each VPC on a gateway that an event is about
//	look.go        one such look: gathers the facts and asks the policy
//	units.go       finds which VPCs on which gateways an event concerns
//	read.go        reads a VPC, an attachment, a gateway
//	prospect.go    reads what is in a VPC, and what would become reachable
//	entry.go       the attachment in the ledger
//	apply.go       attaches, accepts, detaches
//	associate.go   associates and propagates, and takes that back
//	verify.go      reads back whether it is in order
//	conclude.go    ends it, or says that it was taken back
//	role.go        makes the role that AWS attaches with
//	approval.go    asks the gateway's owner, or refuses
//	zone.go        thinks: which subnets it needs, zone by zone (pure)
//	brake.go       says what an answer takes away, for the brake
//	turn.go        finds what an event is about, and under which lease
//
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
package attachment

import (
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The tags that this package reads or writes, besides those of pkg/connection.
const (
	// TagConnection says on an attachment that Drawbridge made it, and for which VPC and gateway; see [Unit].
	TagConnection = "drawbridge:connection"
	// TagAssociation and TagPropagation, with the value "default", are how a gateway's owner chooses the route tables that managed
	// attachments belong to, where the gateway has no default ones. IAM lets Drawbridge at no other table.
	TagAssociation = "drawbridge:association"
	TagPropagation = "drawbridge:propagation"
)

// Unit names one VPC on one gateway; it is the value of the tag drawbridge:connection.
func Unit(gateway, vpc string) string { return gateway + ":" + vpc }

// Subnet is a subnet of the VPC as far as attaching is concerned.
type Subnet struct {
	ID   string
	Zone string // Availability Zone
	Free int32  // addresses
	V4   bool   // it has IPv4 addresses
}

// Table is a route table of a gateway.
type Table struct {
	ID   string
	Tags map[string]string
}

// Question is everything that Judge needs to know about one VPC on one gateway.
type Question struct {
	Gateway    workflow.Gateway
	VPC        workflow.VPC
	Attachment workflow.Attachment
	// Failed are the attachments of Drawbridge's own, of the VPC to the gateway, that AWS failed and shows still.
	Failed []string
	// OwnerMember says whether the gateway's owner belongs to the organization. The VPC's account does.
	OwnerMember bool
	// Asked says whether the VPC's tag drawbridge:attach names the gateway, Visible whether the VPC's account sees the
	// gateway: it owns it, or it is shared with it.
	Asked, Visible bool
	// Attach, Answer, Reject, Adopt and Associate are the policy's decisions.
	Attach, Answer, Reject, Adopt, Associate policy.Decision
	// Requested says that the attachment was asked for where it could be seen: by the event that started the execution.
	Requested bool
	// Managed says that the ledger has an entry of the attachment, see [Manages]; Status and Because are what it came to, and why.
	Managed bool
	Status  ledger.Status
	Because string
	// Added says that the ledger has associations or propagations that Drawbridge added for the attachment.
	Added bool
	// Undone says that an owner had the attachment that Drawbridge made taken back, and the VPC's owner did not ask anew since.
	Undone bool
	// Paired says that the ledger has a pair of the VPC with another on the gateway.
	Paired bool
	// Owners are the tags by which its owners speak.
	Owners Owners
	// Association is the state of the attachment's association, AWS's word; empty if there is none. Associated is its table.
	Association, Associated string
	// Propagated are the route tables that the attachment is propagated to.
	Propagated []string
	// Unclear says which tags of the VPC, the gateway and the attachment mean nothing; see [tag.Why].
	Unclear string
	// Tables are the gateway's route tables.
	Tables []Table
	// Subnets are those of the VPC, Used those that hold a consumer or a producer.
	Subnets []Subnet
	Used    []string
}

// Says returns what the tags drawbridge:manage say; see [Says].
func (q Question) Says() string { return Says(q.Owners.VPC, q.Owners.Owner) }

// given reports whether the gateway's owner, in the own account, gave the attachment to Drawbridge.
func (q Question) given() bool { return q.Owners.Owner[tag.Manage] == tag.Take }

// refused reports whether Drawbridge says on the attachment, to one of its owners, that it is refused. Nothing else is said on one of which the ledger
// has no entry, see [keep]: another status is of an entry that was lost, and is what a rebuild reads.
func (q Question) refused() bool {
	return slices.ContainsFunc([]map[string]string{q.Owners.VPC, q.Owners.Owner}, func(tags map[string]string) bool {
		return tags[tag.Status] == string(workflow.RefusedByPolicy)
	})
}

// Verdict is what Judge says.
type Verdict struct {
	Answer    workflow.Answer
	Reason    string        // for the hub
	Said      workflow.Said // for the two sides, where that is not the same; one to whom nothing is said is told nothing
	Decision  policy.Decision
	Subnets   []string
	Associate string
	Propagate []string
	Lacking   []workflow.Hop
	Undone    bool // its owners let go of it, and what was added for it is taken back
}
