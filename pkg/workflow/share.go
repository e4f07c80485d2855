package workflow

import (
	"encoding/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// The answers of InspectShare and InspectAttachment, besides those of InspectPeering.
const (
	AnswerAnnounce  Answer = "announce"  // looks at other things were asked for
	AnswerExpired   Answer = "expired"   // nobody answered the invitation in time
	AnswerRejected  Answer = "rejected"  // somebody rejected it
	AnswerAttach    Answer = "attach"    // the VPC is to be attached, or its attachment to get subnets
	AnswerAssociate Answer = "associate" // the attachment is to be associated with a route table, or propagated to one
	AnswerVerify    Answer = "verify"    // everything is there: is it right?
	AnswerDetach    Answer = "detach"    // the VPC's own attachment is to be deleted
	// what Drawbridge added for the attachment on the gateway is to be taken back
	AnswerDisassociate Answer = "disassociate"
	AnswerRemoved      Answer = "removed"  // the attachment is gone, or taken back
	AnswerReleased     Answer = "released" // its owner takes the attachment out of Drawbridge's hands
)

// InspectShareInput starts or continues a look at one resource share.
type InspectShareInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
}

// Raw returns the execution's name and the event as it came.
func (in InspectShareInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectShareOutput is the answer and what the following states need.
type InspectShareOutput struct {
	Result     Result          `json:"result,omitempty"`
	Answer     Answer          `json:"answer"`
	Reason     string          `json:"reason"`
	Decision   policy.Decision `json:"decision"`
	Event      json.RawMessage `json:"event"`
	Share      string          `json:"share"` // its ARN
	Invitation Invitation      `json:"invitation"`
	Announced  int             `json:"announced"` // for how many VPCs, or shares, a look was asked
}

// Invitation is RAM's invitation of one account to a resource share.
type Invitation struct {
	ARN     string `json:"arn"`
	Share   string `json:"share"`   // the ARN of the resource share
	Account string `json:"account"` // that is invited
	Region  string `json:"region"`
}

// AcceptShareInput names the invitation to accept.
type AcceptShareInput struct {
	Execution  string          `json:"execution"`
	Invitation Invitation      `json:"invitation"`
	Decision   policy.Decision `json:"decision"` // of the policy, to accept it
}

// AcceptShareOutput says what RAM answered.
type AcceptShareOutput struct {
	Status string `json:"status"`
}
