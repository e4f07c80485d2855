package workflow

import (
	"encoding/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// InspectDataAPIEndpointInput starts or continues a look at one VPC.
type InspectDataAPIEndpointInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
}

// Raw returns the execution's name and the event as it came.
func (in InspectDataAPIEndpointInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectDataAPIEndpointOutput says what one VPC shall have.
type InspectDataAPIEndpointOutput struct {
	Result   Result          `json:"result"` // how the execution ends unless a step fails
	Answer   Answer          `json:"answer"` // place, remove, refuse, released or nothing
	Reason   string          `json:"reason"`
	Decision policy.Decision `json:"decision"`
	Event    json.RawMessage `json:"event"`
	Want     EndpointWant    `json:"want"`
	Stands   bool            `json:"-"` // the ledger has it as [Available]: whatever differs from that, a step finds out
}

// VerifyDataAPIEndpointInput is what was decided, and placed or removed.
type VerifyDataAPIEndpointInput struct {
	Execution string          `json:"execution"`
	Result    Result          `json:"result"`
	Reason    string          `json:"reason"`
	Decision  policy.Decision `json:"decision"`
	Want      EndpointWant    `json:"want"`
}

// VerifyDataAPIEndpointOutput is the output of an execution about a VPC.
type VerifyDataAPIEndpointOutput struct {
	Result   Result          `json:"result"`
	Reason   string          `json:"reason"`
	Decision policy.Decision `json:"decision"`
	Verdict  []Hop           `json:"verdict"`
}
