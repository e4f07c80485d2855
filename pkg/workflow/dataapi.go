package workflow

import (
	"encoding/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// DataAPI is an Aurora cluster, the secret that opens it, and the accounts that may use both through the Data API.
type DataAPI struct {
	Cluster Cluster `json:"cluster"`
	Secret  Secret  `json:"secret"`
	// Consumers are the accounts that the cluster's tag names, with what the policy says to each.
	Consumers []Consumer `json:"consumers"`
	// Leave says that the policy wants what somebody takes away to be left to them at once.
	Leave bool `json:"leave,omitempty"`
	// Manage is what the cluster's owner says by the tag drawbridge:manage, "" if nothing. With true a role that was let go of is Drawbridge's again.
	Manage string `json:"manage,omitempty"`
	// Tagged says that the cluster's tags say what the ledger has of it.
	Tagged bool `json:"tagged,omitempty"`
	// Ends says that nobody is to query the cluster any more: all that Drawbridge added for it goes.
	Ends bool `json:"ends,omitempty"`
}

// Cluster is an Aurora cluster.
type Cluster struct {
	Account      string `json:"account"`
	Region       string `json:"region"`
	ID           string `json:"id"`
	ARN          string `json:"arn"`
	Organization string `json:"organization"` // o-…
	// Gone says that the cluster does not exist any more.
	Gone bool `json:"gone,omitempty"`
}

// Secret is a secret and the key that encrypts it, by their ARNs.
type Secret struct {
	ARN string `json:"arn"`
	Key string `json:"key"`
	// Grant says that the key's policy does not leave it to IAM who decrypts: the role needs a grant.
	Grant bool `json:"grant,omitempty"`
}

// Consumer is an account that a cluster's tag names.
type Consumer struct {
	Account  string          `json:"account"`
	Decision policy.Decision `json:"decision"`
}

// InspectDataAPIInput starts a look at one cluster.
type InspectDataAPIInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
}

// Raw returns the execution's name and the event as it came.
func (in InspectDataAPIInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectDataAPIOutput is the answer and everything that the following states need.
type InspectDataAPIOutput struct {
	Result   Result          `json:"result"`
	Answer   Answer          `json:"answer"`
	Reason   string          `json:"reason"`
	Decision policy.Decision `json:"decision"`
	DataAPI  DataAPI         `json:"dataApi"`
	// Enabled, Admitted and Retracted are empty: the steps that follow put what they did in their place.
	Enabled   HopsOutput `json:"enabled"`
	Admitted  HopsOutput `json:"admitted"`
	Retracted HopsOutput `json:"retracted"`
	// First says that the ledger has nothing of the cluster, so that what is not there will be made; Off that its HTTP endpoint is off, Unmade that it has no role.
	First, Off, Unmade bool `json:"-"`
	// Stands says that the ledger has it as [Exposed]: whatever differs from that, a step finds out.
	Stands bool `json:"-"`
}

// DataAPIInput is the input of EnableHttpEndpoint, AdmitConsumers and RetractDataApi.
type DataAPIInput struct {
	Execution string  `json:"execution"`
	DataAPI   DataAPI `json:"dataApi"`
}

// ConcludeDataAPIInput is the result and everything that the steps before did.
type ConcludeDataAPIInput struct {
	Execution string          `json:"execution"`
	Result    Result          `json:"result"`
	Reason    string          `json:"reason"`
	Decision  policy.Decision `json:"decision"`
	DataAPI   DataAPI         `json:"dataApi"`
	Enabled   HopsOutput      `json:"enabled"`
	Admitted  HopsOutput      `json:"admitted"`
	Retracted HopsOutput      `json:"retracted"`
}

// ConcludeDataAPIOutput is the output of an execution of the Data API machine.
type ConcludeDataAPIOutput struct {
	Result   Result          `json:"result"`
	Reason   string          `json:"reason"`
	Decision policy.Decision `json:"decision"`
	Verdict  []Hop           `json:"verdict"`
}
