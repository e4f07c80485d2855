package workflow

import (
	"encoding/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
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
