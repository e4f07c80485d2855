package workflow

import (
	"encoding/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// Warehouse is a Redshift cluster, the producer of the Studio machine.
type Warehouse struct {
	Account string   `json:"account"` // 12 digits
	Region  string   `json:"region"`
	ID      string   `json:"id"`     // cluster identifier
	ARN     string   `json:"arn"`    // of the cluster; it is the id of the connection in the ledger
	Role    string   `json:"role"`   // ARN of the role that Drawbridge makes for its readers
	Groups  []string `json:"groups"` // database groups that a reader joins
	// Named says that its owner names accounts; without, the ledger forgets the cluster once nothing is left.
	Named bool `json:"named"`
	// Manage is what its owner says by the tag drawbridge:manage, "" if nothing: with true a readers' role that was let go of is Drawbridge's again, with
	// false the cluster is let go of.
	Manage string `json:"manage,omitempty"`
}

// ExecutionRole is a role with which the apps of a Studio domain run.
type ExecutionRole struct {
	Account  string          `json:"account"`
	ARN      string          `json:"arn"`
	Decision policy.Decision `json:"decision"`
	// Kept says why its account cannot be looked at now: what the role has stays as it is.
	Kept string `json:"kept,omitempty"`
	// Outside says that its account left the organization: what is on it is out of reach.
	Outside bool `json:"outside,omitempty"`
}

// Domain is a Studio domain some of whose execution roles are concerned.
type Domain struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	ID      string `json:"id"` // d-…
	ARN     string `json:"arn"`
	Name    string `json:"name"`
	// Roles are its execution roles that may read the warehouse: for them its apps shall carry the user profile's name as source
	// identity. If there is none, the warehouse does not need that any more.
	Roles []string `json:"roles"`
	// Leaving are its execution roles that may not any more.
	Leaving []string `json:"leaving"`
	// Unready are execution roles of the domain whose trust policy lacks sts:SetSourceIdentity and that nobody gives it
	// to: with the setting their apps could not start.
	Unready []string `json:"unready"`
	// Unnamed are user profiles whose name cannot be the name of a database user.
	Unnamed []string `json:"unnamed"`
}

// InspectStudioInput starts a look at one Redshift cluster, or at the clusters that concern a Studio domain or the roles of an account.
type InspectStudioInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
}

// Raw returns the execution's name and the event as it came.
func (in InspectStudioInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectStudioOutput is the answer, and numbers of what the following states work on.
type InspectStudioOutput struct {
	Result    Result          `json:"result,omitempty"` // only with the answers announce, nothing and refuse
	Answer    Answer          `json:"answer"`           // admit, retract, released, announce, refuse or nothing
	Reason    string          `json:"reason"`
	Decision  policy.Decision `json:"decision"`
	Warehouse Warehouse       `json:"warehouse"`
	// Admit, Release and Identify are the numbers of Roles, Leaving and Domains, item by item.
	Admit    []Rows `json:"roles"`
	Release  []Rows `json:"leaving"`
	Identify []Rows `json:"domains"`

	Roles   []ExecutionRole `json:"-"` // rows of the ledger, as all that follows: those that may read
	Leaving []ExecutionRole `json:"-"` // that could and may not any more
	Domains []Domain        `json:"-"`
	// Unfit are accounts and roles that cannot be served, each with why; all others are.
	Unfit []Hop `json:"-"`
	// Stands says that the ledger has it as [Identified], or waiting for apps: whatever differs from that, a step finds out.
	Stands bool `json:"-"`
}

// ReaderItems is how many items a Map over execution roles, or over Studio domains, has at most.
const ReaderItems = 20

// WriteStudioRoleInput names the warehouse. Which execution roles its role shall trust is rows of the ledger.
type WriteStudioRoleInput struct {
	Execution string          `json:"execution"`
	Warehouse Warehouse       `json:"warehouse"`
	Roles     []ExecutionRole `json:"-"`
}

// AdmitRoleInput names the warehouse, and execution roles that may read it, by their numbers.
type AdmitRoleInput struct {
	Execution string        `json:"execution"`
	Warehouse Warehouse     `json:"warehouse"`
	Rows      Rows          `json:"row"`
	Role      ExecutionRole `json:"-"` // rows of the ledger: the one that is worked on
}

// AdmitRoleOutput says what became of an execution role.
type AdmitRoleOutput struct {
	Role string `json:"role"` // its ARN
	// Ready says that SageMaker may set the source identity of its apps.
	Ready bool  `json:"ready"`
	Hops  []Hop `json:"hops"`
}

// IdentifyUsersInput names domains, by their numbers.
type IdentifyUsersInput struct {
	Execution string            `json:"execution"`
	Warehouse Warehouse         `json:"warehouse"`
	Rows      Rows              `json:"row"`
	Domain    Domain            `json:"-"` // rows of the ledger: the one that is worked on
	Admitted  []AdmitRoleOutput `json:"-"` // what became of the execution roles
}

// IdentifyUsersOutput says how far a domain is.
type IdentifyUsersOutput struct {
	Waiting bool `json:"waiting"` // apps are in the way
	// Needing are execution roles whose trust policy has to stay for now, because the domain still has the setting.
	Needing []string `json:"needing"`
	Hops    []Hop    `json:"hops"`
}

// ReleaseRoleInput names execution roles that may not read the warehouse any more, by their numbers.
type ReleaseRoleInput struct {
	Execution  string                `json:"execution"`
	Warehouse  Warehouse             `json:"warehouse"`
	Rows       Rows                  `json:"row"`
	Role       ExecutionRole         `json:"-"` // rows of the ledger: the one that is worked on
	Identified []IdentifyUsersOutput `json:"-"` // how far the domains are
}

// ConcludeStudioInput names the warehouse. What the steps before found and did is rows of the ledger.
type ConcludeStudioInput struct {
	Execution string          `json:"execution"`
	Reason    string          `json:"reason"`
	Decision  policy.Decision `json:"decision"`
	Warehouse Warehouse       `json:"warehouse"`

	Roles      []ExecutionRole       `json:"-"`
	Unfit      []Hop                 `json:"-"`
	Written    HopsOutput            `json:"-"`
	Admitted   []AdmitRoleOutput     `json:"-"` // by the numbers of Roles
	Identified []IdentifyUsersOutput `json:"-"`
	Released   []HopsOutput          `json:"-"`
}

// ConcludeStudioOutput is the output of an execution of the Studio machine.
type ConcludeStudioOutput struct {
	Result  Result `json:"result"` // Identified, AwaitingApps, Incomplete, Contested, Removed or Released
	Reason  string `json:"reason"`
	Verdict []Hop  `json:"verdict"`
}
