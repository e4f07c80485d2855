package workflow

import (
	"encoding/json"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// Request is who asks for a connection, and why, as far as they say: for people to read.
type Request struct {
	By  string `json:"by"`  // the ARN of the identity
	Why string `json:"why"` // their tag drawbridge:reason
	// Approve is the value of the tag drawbridge:approval that answers the question with yes; empty if nobody is asked.
	Approve string `json:"approve,omitempty"`
}

// Waiting is what came to a connection after an owner approved it, and waits for their answer. Nothing waits if nothing is said.
type Waiting struct {
	Said Said `json:"said,omitzero"` // to the two sides
	// The rest is there if the owner is to be asked, and was not before. Thing is what was approved: the peering, or an attachment; Account and
	// Region are its owner's.
	Thing     string      `json:"thing,omitempty"`
	Account   string      `json:"account,omitempty"`
	Region    string      `json:"region,omitempty"`
	Ranges    []Ranged    `json:"ranges,omitempty"`
	Reachable []Reachable `json:"reachable,omitempty"`
	// Shown is what of both the question shows, as package cover writes it.
	Shown []string `json:"shown,omitempty"`
	// Decision is the policy's, by which the owner is asked; empty if another execution asked it.
	Decision policy.Decision `json:"decision,omitzero"`
	Request  Request         `json:"request,omitzero"`
	Known    Known           `json:"known,omitzero"` // the two VPCs and their accounts
}

// Ranged is a range of a VPC.
type Ranged struct {
	CIDR netip.Prefix `json:"cidr"`
	VPC  VPC          `json:"vpc"`
}

// AskAgainInput is what came to a connection that stands, and of whom to ask.
type AskAgainInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
	Waits      Waiting    `json:"-"` // rows of the ledger
}

// AskAgainOutput says whether the owner was asked now.
type AskAgainOutput struct {
	Asked bool `json:"asked"`
}

// InspectPeeringInput starts or continues a look at one peering.
type InspectPeeringInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
	Looked    Looked          `json:"looked"`
	Tried     int             `json:"tried"` // as in [AllowDNSResolutionInput]
	Known     Known           `json:"-"`     // rows of the ledger
}

// Raw returns the execution's name and the event as it came.
func (in InspectPeeringInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectPeeringOutput is the answer and what the following states need to follow it. What they work on is rows of the ledger, see [Findings].
type InspectPeeringOutput struct {
	Result     Result          `json:"result,omitempty"` // only with the answers nothing and disconnect
	Answer     Answer          `json:"answer"`
	Reason     string          `json:"reason"`
	Said       Said            `json:"said"` // what of the reason each side is told
	Request    Request         `json:"request"`
	Decision   policy.Decision `json:"decision"`
	Event      json.RawMessage `json:"event"`
	Looked     Looked          `json:"looked"`
	Pause      int             `json:"pause,omitempty"` // only with the answer wait: for how many seconds
	Known      Known           `json:"-"`
	Connection Connection      `json:"connection"`
	// Reject says whether a refused request may also be rejected at AWS.
	Reject policy.Decision `json:"reject"`
	// Members are the roles ("requester", "accepter") whose account belongs to the organization; only there
	// can Drawbridge leave a status.
	Members []string `json:"members"`
	// Told says, with the answer ask, that the approver was told of exactly this before.
	Told bool `json:"told"`
	// Reminded says, with the answer ask, that people were told that the request is stuck.
	Reminded bool `json:"reminded"`
	// Expires is when the request ends by itself if nobody answers it; empty if AWS does not say.
	Expires string `json:"expires"` // RFC 3339
	// Since is when the event happened that started the execution.
	Since string `json:"since"` // RFC 3339, empty if the event does not say
	// Sides say what is to be done on each side. With the answer ask, only which databases would be opened. With the
	// answer disconnect, only those of which the ledger has something, or that have notebooks; the steps read there what it is. With
	// the answer trim, those where something has no use any more. Rows are their numbers.
	Sides []Side `json:"-"`
	Rows  []Rows `json:"sides"`
	// Notebooks are the numbers of the ledger's rows that name the notebooks, and Batches what stands there.
	Notebooks []Rows  `json:"notebooks"`
	Batches   []Batch `json:"-"`
	// Found goes with the answer connect: what is in order already.
	Found []Hop `json:"-"`
	// Tagged and Absent go with the answer disconnect: what carries Drawbridge's tags, and the sides that are gone or
	// closed to us, with what that means for what was added there.
	Tagged []StatusResource `json:"tagged"`
	Absent []Hop            `json:"-"`
	// Waits is what of the connection waits for the owner's approval.
	Waits Waiting `json:"-"`
	// Ended says, with the answer disconnect, that nothing of the connection is left when that is done, and nothing can come of it any
	// more: the ledger forgets it.
	Ended bool `json:"ended"`
	// Stands says that the ledger has it as [Connected]: whatever differs from that, a step finds out.
	Stands bool `json:"-"`
}

// AcceptPeeringInput names the peering to accept.
type AcceptPeeringInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
}

// AcceptPeeringOutput says what AWS answered.
type AcceptPeeringOutput struct {
	Status string `json:"status"`
}

// ConcludeInput is the input of AskApproval and RefusePeering: an answer that ends the execution.
type ConcludeInput struct {
	Execution  string          `json:"execution"`
	Connection Connection      `json:"connection"`
	Known      Known           `json:"-"`
	Members    []string        `json:"members"`
	Reason     string          `json:"reason"`
	Said       Said            `json:"said"`
	Request    Request         `json:"request"`
	Decision   policy.Decision `json:"decision"`
	Reject     policy.Decision `json:"reject"`
	Told       bool            `json:"told"`
	Reminded   bool            `json:"reminded"`
	Expires    string          `json:"expires"`
	Sides      []Side          `json:"-"`
}

// Rejects reports whether a request that is refused is rejected at AWS, too: the policy allows that, and the accepter's account lets Drawbridge in.
func (in ConcludeInput) Rejects() bool {
	return in.Reject.Allowed && slices.Contains(in.Members, "accepter")
}

// ConcludeOutput is the output of an execution that ended without a connection.
type ConcludeOutput struct {
	Result   Result          `json:"result"`
	Reason   string          `json:"reason"`
	Decision policy.Decision `json:"decision"`
}
