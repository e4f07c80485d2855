package workflow

import (
	"encoding/json"
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// Notebook is a notebook instance of a consumer VPC with what the policy allows to do for it.
type Notebook struct {
	Account         string          `json:"account"`
	Region          string          `json:"region"`
	VPC             string          `json:"vpc,omitempty"`
	Owner           string          `json:"owner,omitempty"` // of the VPC, if that is another account
	Name            string          `json:"name"`
	ARN             string          `json:"arn"`
	Subnet          string          `json:"subnet"`
	SubnetCIDR      netip.Prefix    `json:"subnetCidr"`
	SubnetCIDRv6    netip.Prefix    `json:"subnetCidrV6,omitzero"`
	Status          string          `json:"status"`
	DirectInternet  bool            `json:"directInternet"`
	LifecycleConfig string          `json:"lifecycleConfig,omitempty"`
	Tag             string          `json:"tag,omitempty"`  // its tag drawbridge:status
	Said            string          `json:"said,omitempty"` // its tag drawbridge:reason
	Inject          policy.Decision `json:"inject"`
	Restart         policy.Decision `json:"restart"`
	// Asks says that its owner asks for host routes by tag: then to all that its route table reaches, else to what is managed.
	Asks    bool   `json:"asks,omitempty"`
	Unclear string `json:"unclear,omitempty"` // which of its tags mean nothing, as the end of a sentence
	// Others is how many other notebooks the execution of the Notebook machine brings in line.
	Others int `json:"others,omitempty"`
}

// AttachRoutesInput names a notebook and the route tables that tell its routes. Without a connection, they tell all of them.
type AttachRoutesInput struct {
	Execution  string            `json:"execution"`
	Connection Connection        `json:"connection"`
	Routed     []AddRoutesOutput `json:"routed"`
	Notebook   Notebook          `json:"notebook"`
	Phase      Phase             `json:"phase"`
	Tried      int               `json:"tried"` // as in [AllowDNSResolutionInput]
}

// A Phase is how far an execution is with restarting a notebook.
type Phase string

// The phases.
const (
	PhaseUntouched Phase = "untouched" // this execution may not stop it
	PhaseOwed      Phase = "owed"      // this execution owes it a restart
	PhaseStopped   Phase = "stopped"   // this execution stopped it and owes it a start
	PhaseStarted   Phase = "started"   // this execution started it again
)

// AttachRoutesOutput says how far the notebook is: done, or what the machine must do before trying again.
type AttachRoutesOutput struct {
	Answer Answer `json:"answer"` // done, stop, wait or start
	Hops   []Hop  `json:"hops"`
}

// InspectNotebooksInput starts a look at the notebooks that an event concerns.
type InspectNotebooksInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
}

// Raw returns the execution's name and the event as it came.
func (in InspectNotebooksInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectNotebooksOutput says which notebooks must be brought in line with which route tables.
type InspectNotebooksOutput struct {
	Result Result `json:"result"` // InSync or Nothing
	Answer Answer `json:"answer"` // inject or nothing
	Reason string `json:"reason"`
	// Connection is empty: the routes are whatever the tables hold, not those of one connection.
	Connection Connection        `json:"connection"`
	Routed     []AddRoutesOutput `json:"routed"`
	Notebooks  []Notebook        `json:"notebooks"`
	// Phase is how far the notebooks' restart is: owed or stopped in an execution that owes one a restart, else untouched.
	Phase Phase `json:"phase"`
}

// NotebookInput is the input of StopNotebook and StartNotebook.
type NotebookInput struct {
	Execution string   `json:"execution"`
	Notebook  Notebook `json:"notebook"`
}

// NotebookOutput says how far the execution is with the notebook.
type NotebookOutput struct {
	Phase Phase `json:"phase"`
}
