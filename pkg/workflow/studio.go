package workflow

import (
	"encoding/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// The end states of the Studio machine.
const (
	Identified   Result = "Identified"   // each person of the domains queries the cluster under their own name
	AwaitingApps Result = "AwaitingApps" // as soon as the apps of a domain are deleted they will
)

// Warehouse is a Redshift cluster, the producer of the Studio machine.
type Warehouse struct {
	Account string   `json:"account"` // 12 digits
	Region  string   `json:"region"`
	ID      string   `json:"id"`     // cluster identifier
	ARN     string   `json:"arn"`    // of the cluster
	Role    string   `json:"role"`   // ARN of the role that Drawbridge makes for its readers
	Groups  []string `json:"groups"` // database groups that a reader joins
}

// ExecutionRole is a role with which the apps of a Studio domain run.
type ExecutionRole struct {
	Account string `json:"account"`
	ARN     string `json:"arn"`
	// Admit says that it may assume the warehouse's role; otherwise what was added to it for that is taken away.
	Admit    bool            `json:"admit"`
	Decision policy.Decision `json:"decision"`
}

// Domain is a Studio domain some of whose execution roles are concerned.
type Domain struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	ID      string `json:"id"` // d-…
	ARN     string `json:"arn"`
	Name    string `json:"name"`
	// Identify says that its apps shall carry the user profile's name as source identity; otherwise Drawbridge's setting,
	// if it is one, is taken back.
	Identify bool `json:"identify"`
	// Unready are execution roles of the domain whose trust policy lacks sts:SetSourceIdentity and that nobody gives it
	// to: with the setting their apps could not start.
	Unready []string `json:"unready"`
	// Unnamed are user profiles whose name cannot be the name of a database user.
	Unnamed []string `json:"unnamed"`
}

// InspectStudioInput starts a look at one Redshift cluster, at one Studio domain that waits for its apps, or at the clusters
// that an account's roles may read.
type InspectStudioInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
}

// Raw returns the execution's name and the event as it came.
func (in InspectStudioInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectStudioOutput is the answer and everything that the following states need.
type InspectStudioOutput struct {
	Result    Result          `json:"result,omitempty"` // only with the answers announce, nothing and refuse
	Answer    string          `json:"answer"`           // admit, retract, identify, announce, refuse or nothing
	Reason    string          `json:"reason"`
	Decision  policy.Decision `json:"decision"`
	Warehouse Warehouse       `json:"warehouse"`
	Roles     []ExecutionRole `json:"roles"`
	Domains   []Domain        `json:"domains"`
}

// WriteStudioRoleInput names the warehouse and the execution roles that its role shall trust, and those that leave. It is what
// WriteStudioRole and ForgetReaders are given.
type WriteStudioRoleInput struct {
	Execution string          `json:"execution"`
	Warehouse Warehouse       `json:"warehouse"`
	Roles     []ExecutionRole `json:"roles"`
}

// AdmitRoleInput names an execution role and the warehouse that it may read, or may no longer.
type AdmitRoleInput struct {
	Execution string        `json:"execution"`
	Warehouse Warehouse     `json:"warehouse"`
	Role      ExecutionRole `json:"role"`
}

// IdentifyUsersInput names a domain.
type IdentifyUsersInput struct {
	Execution string `json:"execution"`
	Domain    Domain `json:"domain"`
}

// IdentifyUsersOutput says how far a domain is.
type IdentifyUsersOutput struct {
	Waiting bool  `json:"waiting"` // apps are in the way
	Hops    []Hop `json:"hops"`
}

// ConcludeStudioInput is everything that the steps before did.
type ConcludeStudioInput struct {
	Execution  string                `json:"execution"`
	Reason     string                `json:"reason"`
	Warehouse  Warehouse             `json:"warehouse"`
	Roles      []ExecutionRole       `json:"roles"`
	Domains    []Domain              `json:"domains"`
	Written    HopsOutput            `json:"written"`
	Admitted   []HopsOutput          `json:"admitted"`
	Identified []IdentifyUsersOutput `json:"identified"`
}

// ConcludeStudioOutput is the output of an execution of the Studio machine.
type ConcludeStudioOutput struct {
	Result  Result `json:"result"` // Identified, AwaitingApps or Removed
	Reason  string `json:"reason"`
	Verdict []Hop  `json:"verdict"`
}
