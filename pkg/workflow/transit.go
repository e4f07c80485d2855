package workflow

import (
	"encoding/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// InspectTransitInput starts or continues a look at one pair of VPCs on a transit gateway.
type InspectTransitInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
	Looks     int             `json:"looks"`   // that this execution had before
	Waited    int             `json:"waited"`  // how often this execution waited
	Trimmed   bool            `json:"trimmed"` // see [Known]
	Tried     int             `json:"tried"`   // as in [AllowDNSResolutionInput]
}

// Raw returns the execution's name and the event as it came.
func (in InspectTransitInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectTransitOutput is the answer and everything that the following states need. The fields of the same names are as
// in [InspectPeeringOutput].
type InspectTransitOutput struct {
	Result     Result           `json:"result,omitempty"` // only with the answers nothing, refuse and disconnect
	Answer     Answer           `json:"answer"`
	Reason     string           `json:"reason"`
	Said       Said             `json:"said"` // what of the reason each side is told
	Decision   policy.Decision  `json:"decision"`
	Event      json.RawMessage  `json:"event"`
	Looks      int              `json:"looks"`
	Waited     int              `json:"waited"`
	Pause      int              `json:"pause,omitempty"` // only with the answer wait: for how many seconds
	Trimmed    bool             `json:"trimmed"`
	Connection Connection       `json:"connection"`
	Since      string           `json:"since"` // RFC 3339, empty if the event does not say
	Found      []Hop            `json:"-"`
	Sides      []Side           `json:"-"`
	Rows       []Rows           `json:"sides"`
	Notebooks  []Rows           `json:"notebooks"`
	Batches    []Batch          `json:"-"`
	Tagged     []StatusResource `json:"tagged"`
	Absent     []Hop            `json:"-"`
	Ended      bool             `json:"ended"`
	Waits      Waiting          `json:"-"` // what of it waits for the gateway's owner
	Stands     bool             `json:"-"` // the ledger has it as [Connected]
}

// RefuseTransitInput says why a pair of VPCs is not connected.
type RefuseTransitInput struct {
	Execution  string          `json:"execution"`
	Connection Connection      `json:"connection"`
	Reason     string          `json:"reason"`
	Said       Said            `json:"said"`
	Decision   policy.Decision `json:"decision"`
	// Tagged are the attachments on which the pair was counted.
	Tagged []StatusResource `json:"tagged"`
}
