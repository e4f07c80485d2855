// Package share looks at the resource shares of AWS RAM by which accounts share transit gateways, and accepts RAM's
// invitations where the account asks for what is shared and the policy allows it.
//
// Within an organization that shares with itself there are no invitations: the gateway is there at once. Otherwise each
// account is invited and has seven days to accept.
// https://docs.aws.amazon.com/ram/latest/userguide/working-with-shared-invitations.html
//
// An invitation is the invited account's to answer. It asks by the tag drawbridge:attach on one of its VPCs; without, the invitation is left
// as it is. What Drawbridge accepted is in the ledger until the share ends. See docs/decisions/0076-an-invitation-is-accepted-for-who-asks.md.
//
//	share.go     the words
//	plan.go      thinks (pure)
//	inspect.go   looks at a share, and answers
//	receiver.go  looks at the accounts that it is meant for, asks the policy, and finds the VPCs that it concerns
//	read.go      reads shares and invitations
//	apply.go     accepts an invitation
//	entry.go     what the ledger has of it
//	told.go      the same, after the ledger was lost
package share

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Share is what its owner's account says about a resource share.
type Share struct {
	ARN    string
	Name   string
	Owner  event.Place
	Status string // RAM's: ACTIVE, DELETED, …; "" if it is not there any more
	// Gateways are the ids of the transit gateways in it, Others the ARNs of everything else.
	Gateways []string
	Others   []string
	// Ended are the ids of those transit gateways that it held and holds no more, as long as RAM shows them.
	Ended []string
	// Principals are those it is shared with, account ids and ARNs of units, with the status of each.
	Principals map[string]string
}

// Receiver is one account that a share is meant for.
type Receiver struct {
	workflow.AccountFacts
	// Association is RAM's status: ASSOCIATED, ASSOCIATING, DISASSOCIATED, …; "" where only a unit of it is named.
	Association string
	Invitation  Invitation
	// Sees says whether the account sees every gateway of the share.
	Sees bool
	// Accept is the policy's decision about accepting the invitation.
	Accept policy.Decision
	// Asks says whether a VPC of the account asks, by its tag, for a gateway of the share. It is read of who is invited alone, and only
	// where that decides.
	Asks bool
	// Closed says why the account cannot be entered, if so.
	Closed string
}

// Invitation is RAM's invitation of a receiver; the zero value if there is none.
type Invitation struct {
	ARN    string
	Status string // PENDING, ACCEPTED, REJECTED or EXPIRED
}

// Verdict is what Judge says.
type Verdict struct {
	Answer   workflow.Answer
	Reason   string
	Decision policy.Decision
	Receiver int // the one that it is about, with the answer accept
}
