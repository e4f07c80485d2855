package workflow

import (
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// AllowDNSResolutionInput is the input of AllowDnsResolution, with what each side's DNS option is now, and of RestoreDnsResolution.
type AllowDNSResolutionInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
	Answer     Answer     `json:"answer"`
	Tried      int        `json:"tried"` // how often the Task was tried again already, see [fault.Last]
	Sides      []Side     `json:"-"`     // rows of the ledger
}

// HopsOutput is the output of a step that only has hops to tell.
type HopsOutput struct {
	Hops []Hop `json:"hops"`
	// Groups are, of OpenFirewall, security groups of the side's clients and databases as it left them, as many as have room in [GroupsSize], and At is when
	// it read them: who judges the paths right after it need not read them again.
	Groups []network.Group `json:"groups,omitempty"`
	At     time.Time       `json:"at,omitzero"`
}

// GroupsSize is how many bytes of JSON the groups of one side have together at most.
const GroupsSize = 24 << 10

// SideInput is the input of AddRoutes, OpenFirewall, CloseFirewall and RemoveRoutes: one side of a connection, by its number.
type SideInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
	Answer     Answer     `json:"answer"`
	Rows       Rows       `json:"row"`
	Tried      int        `json:"tried"` // as in [AllowDNSResolutionInput]
	Side       Side       `json:"-"`     // rows of the ledger: the one that is worked on
}

// AddRoutesOutput is what the route tables of one side hold afterwards.
type AddRoutesOutput struct {
	Account string `json:"account"`
	VPC     string `json:"vpc"`
	Hops    []Hop  `json:"hops"`
	// Tables carries, of each table in use, the routes that a notebook behind it needs as host routes.
	Tables []Table `json:"tables"`
}

// VerifyConnectionInput names a connection that was set up. What the steps before found and did is rows of the ledger.
type VerifyConnectionInput struct {
	Execution  string     `json:"execution"`
	Since      string     `json:"since"` // when the event happened; empty if unknown
	Reason     string     `json:"reason"`
	Connection Connection `json:"connection"`
	Answer     Answer     `json:"answer"`
	Tried      int        `json:"tried"` // as in [AllowDNSResolutionInput]

	Sides    []Side            `json:"-"`
	Found    []Hop             `json:"-"` // in order before
	DNS      HopsOutput        `json:"-"`
	Waits    Waiting           `json:"-"`
	Routed   []AddRoutesOutput `json:"-"`
	Opened   []HopsOutput      `json:"-"`
	Batches  []Batch           `json:"-"` // of notebooks, and what became of each
	Injected []NotebooksOutput `json:"-"`
	Refused  []Refusal         `json:"-"` // what the steps before could not do
}

// VerifyConnectionOutput is the output of an execution that ended Connected, PartlyConnected, PendingApproval or Contested. The verdict has a line
// for each path, up to some, and what else there is to say.
type VerifyConnectionOutput struct {
	Result  Result `json:"result"`
	Reason  string `json:"reason"`
	Verdict []Path `json:"verdict"`
}

// RemoveRoutesOutput is what the route tables of one side hold afterwards.
type RemoveRoutesOutput struct {
	Account string `json:"account"`
	VPC     string `json:"vpc"`
	Hops    []Hop  `json:"hops"`
}

// Disconnected is one side after both steps of taking a connection away from it.
type Disconnected struct {
	Connection Connection         `json:"connection"`
	Side       Side               `json:"side"`
	Closed     HopsOutput         `json:"closed"`
	Removed    RemoveRoutesOutput `json:"removed"`
}

// ConcludeRemovalInput names a connection that was taken away. What the steps before removed, or could not, is rows of the ledger.
type ConcludeRemovalInput struct {
	Execution  string           `json:"execution"`
	Result     Result           `json:"result"`
	Reason     string           `json:"reason"`
	Said       Said             `json:"said"` // empty: both sides are told the reason
	Connection Connection       `json:"connection"`
	Tagged     []StatusResource `json:"tagged"`
	Ended      bool             `json:"ended"`

	Absent       []Hop             `json:"-"`
	Disconnected []Disconnected    `json:"-"`
	Withdrawn    []NotebooksOutput `json:"-"`
	DNS          HopsOutput        `json:"-"`
}

// ConcludeRemovalOutput is the output of an execution that took a connection away, or found none to take away.
type ConcludeRemovalOutput struct {
	Result  Result `json:"result"`
	Reason  string `json:"reason"`
	Verdict []Hop  `json:"verdict"`
}
