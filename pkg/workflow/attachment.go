package workflow

import (
	"encoding/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// Gateway is a transit gateway, and what its owner set for all attachments.
type Gateway struct {
	ID      string `json:"id"` // tgw-…
	Account string `json:"account"`
	Region  string `json:"region"`
	Name    string `json:"name,omitempty"`
	// Association and Propagation are the route tables to which an attachment belongs by default; empty if there are none.
	Association string `json:"association,omitempty"`
	Propagation string `json:"propagation,omitempty"`
	DNS         bool   `json:"dns"` // DNS support is on
}

// Attachment is a VPC's attachment to a transit gateway.
type Attachment struct {
	ID      string   `json:"id"` // tgw-attach-…; empty if there is none
	State   string   `json:"state,omitempty"`
	Subnets []string `json:"subnets,omitempty"`
	DNS     bool     `json:"dns,omitempty"` // DNS support is on
	Own     bool     `json:"own,omitempty"` // Drawbridge made it
	// Table is the gateway's route table that it was associated with when it was found in order; empty if it never was.
	Table string `json:"table,omitempty"`
	// LetGo says that an owner took it out of Drawbridge's hands: nothing of it stays in the ledger.
	LetGo bool `json:"letGo,omitempty"`
}

// InspectAttachmentInput starts or continues a look at one VPC on one gateway.
type InspectAttachmentInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
	// Gateway and VPC are what an earlier look of this execution found the event to be about; empty at the start. An
	// attachment that is gone meanwhile would not be found again.
	Gateway Gateway `json:"gateway"`
	VPC     VPC     `json:"vpc"`
}

// Raw returns the execution's name and the event as it came.
func (in InspectAttachmentInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectAttachmentOutput is the answer and what the following states need.
type InspectAttachmentOutput struct {
	Result     Result          `json:"result,omitempty"`
	Answer     Answer          `json:"answer"`
	Reason     string          `json:"reason"`
	Said       Said            `json:"said"` // to each side; empty where both hear the reason
	Decision   policy.Decision `json:"decision"`
	Event      json.RawMessage `json:"event"`
	Gateway    Gateway         `json:"gateway"`
	VPC        VPC             `json:"vpc"`
	Attachment Attachment      `json:"attachment"`
	// Subnets are those to attach the VPC with, or to add to its attachment, one for each Availability Zone.
	Subnets []string `json:"subnets"`
	// Associate and Propagate are the gateway's route tables that the attachment is to be associated with and propagated to.
	Associate string   `json:"associate"`
	Propagate []string `json:"propagate"`
	// Lacking says what keeps parts of the VPC from the gateway and is not Drawbridge's to change.
	Lacking []Hop `json:"lacking"`
	// Reject says whether a refused attachment may also be rejected at AWS.
	Reject policy.Decision `json:"reject"`
	// Told says, with the answer ask, that the gateway's owner was told of exactly this before.
	Told bool `json:"told"`
	// Known are, with the answer ask, the VPC's name and account (requester), and the account of the gateway's owner (accepter).
	Known Known `json:"known"`
	// Request says, with the answer ask, who asks. What would become reachable is in the ledger.
	Request   Request `json:"request"`
	Announced int     `json:"announced"` // for how many VPCs a look was asked
}

// Reachable is a database that would become reachable from a VPC.
type Reachable struct {
	Database AllowedDatabase `json:"database"`
	VPC      VPC             `json:"vpc"`  // that it is in
	From     VPC             `json:"from"` // that would reach it
}

// AttachVpcInput names the VPC to attach, or the attachment to give more subnets.
type AttachVpcInput struct {
	Execution  string     `json:"execution"`
	Gateway    Gateway    `json:"gateway"`
	VPC        VPC        `json:"vpc"`
	Attachment Attachment `json:"attachment"`
	Subnets    []string   `json:"subnets"`
}

// AttachmentOutput says what EC2 answered about an attachment.
type AttachmentOutput struct {
	Attachment string `json:"attachment"`
	State      string `json:"state"`
}

// AttachmentInput is the input of AcceptAttachment, DisassociateAttachment and DetachVpc: one attachment.
type AttachmentInput struct {
	Execution  string     `json:"execution"`
	Reason     string     `json:"reason"`
	Gateway    Gateway    `json:"gateway"`
	VPC        VPC        `json:"vpc"`
	Attachment Attachment `json:"attachment"`
}

// ConcludeDetachmentInput names an attachment that is over, was taken back, or is let go of, and what that is called.
type ConcludeDetachmentInput struct {
	Execution  string     `json:"execution"`
	Result     Result     `json:"result"`
	Reason     string     `json:"reason"`
	Said       Said       `json:"said"`
	Gateway    Gateway    `json:"gateway"`
	VPC        VPC        `json:"vpc"`
	Attachment Attachment `json:"attachment"`
}

// AssociateAttachmentInput names an attachment and the gateway's route tables that it belongs to.
type AssociateAttachmentInput struct {
	Execution  string     `json:"execution"`
	Gateway    Gateway    `json:"gateway"`
	VPC        VPC        `json:"vpc"`
	Attachment Attachment `json:"attachment"`
	Associate  string     `json:"associate"`
	Propagate  []string   `json:"propagate"`
}

// AnswerAttachmentInput is the input of AskAttachment and RefuseAttachment: an answer that ends the execution.
type AnswerAttachmentInput struct {
	Execution  string          `json:"execution"`
	Gateway    Gateway         `json:"gateway"`
	VPC        VPC             `json:"vpc"`
	Attachment Attachment      `json:"attachment"`
	Known      Known           `json:"known"`
	Reason     string          `json:"reason"`
	Said       Said            `json:"said"` // empty where both sides hear the reason
	Decision   policy.Decision `json:"decision"`
	Reject     policy.Decision `json:"reject"`
	Told       bool            `json:"told"`
	Request    Request         `json:"request"`
}

// Rejects reports whether an attachment that is refused is rejected at AWS, too: it waits, and the policy allows that.
func (in AnswerAttachmentInput) Rejects() bool {
	return in.Reject.Allowed && in.Attachment.State == "pendingAcceptance"
}

// VerifyAttachmentInput names an attachment that should be in order.
type VerifyAttachmentInput struct {
	Execution  string     `json:"execution"`
	Reason     string     `json:"reason"`
	Gateway    Gateway    `json:"gateway"`
	VPC        VPC        `json:"vpc"`
	Attachment Attachment `json:"attachment"`
	Lacking    []Hop      `json:"lacking"`
}

// VerifyAttachmentOutput is the output of an execution that ended Attached or Removed.
type VerifyAttachmentOutput struct {
	Result    Result `json:"result"`
	Reason    string `json:"reason"`
	Verdict   []Hop  `json:"verdict"`
	Announced int    `json:"announced"` // for how many pairs of VPCs a look was asked
}
