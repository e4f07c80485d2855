package workflow

import (
	"encoding/json"
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// PrivateVPC is a VPC through which notebooks are reached privately, or no more.
type PrivateVPC struct {
	Account  string          `json:"account"`
	Region   string          `json:"region"`
	ID       string          `json:"id"`
	Primary  netip.Prefix    `json:"primary,omitzero"` // its first IPv4 CIDR, in which its resolver has an address
	CIDRs    []netip.Prefix  `json:"cidrs,omitempty"`
	Decision policy.Decision `json:"decision"`
	// Manage is what its owner says by the tag drawbridge:manage, "" if nothing. With true a policy that was let go of is Drawbridge's again.
	Manage string `json:"manage,omitempty"`
}

// InspectPrivateNotebooksInput starts or continues a look at one account.
type InspectPrivateNotebooksInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
}

// Raw returns the execution's name and the event as it came.
func (in InspectPrivateNotebooksInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectPrivateNotebooksOutput says what one account shall have, in all Regions.
type InspectPrivateNotebooksOutput struct {
	Result  Result          `json:"result"` // how the execution ends unless a step fails: Private, Removed, Released, Refused or Nothing
	Answer  Answer          `json:"answer"` // arrange, refuse or nothing
	Reason  string          `json:"reason"`
	Event   json.RawMessage `json:"event"`
	Account string          `json:"account"`
	Region  string          `json:"region"` // of the event
	// Of is under what the ledger has the rows; Place and Remove are the numbers of those of Wants that shall have their endpoints, and of those that shall have
	// them no more, item by item.
	Of     string `json:"of"`
	Place  []Rows `json:"wants"`
	Remove []Rows `json:"leaving"`

	// VPCs are tagged and allowed, Refused are tagged and not; Wants says of each of VPCs which endpoints it shall have. They are rows of the ledger, as Leaving:
	// those that have something of ours and shall have it no more, which are numbered after Wants.
	VPCs    []PrivateVPC   `json:"-"`
	Refused []PrivateVPC   `json:"-"`
	Wants   []EndpointWant `json:"-"`
	Leaving []EndpointWant `json:"-"`
	// Released are those whose owners have Drawbridge let go of them: what is there stays as it is, and the ledger forgets it.
	Released []PrivateVPC `json:"-"`
	// Stands says that the ledger has each of VPCs as [Private]: whatever differs from that, a step finds out.
	Stands bool `json:"-"`
}

// EndpointItems is how many items a Map over VPCs with endpoints has at most. Each waits for its own, and one item waits for several VPCs at a time.
const EndpointItems = 2

// EndpointWant says which interface endpoints one VPC shall have, and for what purpose; or where the ledger says that of several VPCs.
type EndpointWant struct {
	// Of and Rows are where wants stand in the ledger; then there is nothing else.
	Of   string `json:"of,omitempty"`
	Rows Rows   `json:"row,omitempty"`

	Account  string         `json:"account,omitempty"`
	Region   string         `json:"region,omitempty"`
	VPC      string         `json:"vpc,omitempty"`
	Owner    string         `json:"owner,omitempty"` // the value of the tag drawbridge:connection on what is made
	Services []string       `json:"services,omitempty"`
	Callers  []netip.Prefix `json:"callers,omitempty"` // who may call beside the VPC itself
	// Leave says that the policy wants what somebody takes away to be left to them at once.
	Leave bool `json:"leave,omitempty"`
}

// PlaceEndpointsInput is the input of PlaceEndpoints and of RemoveEndpoints: one VPC, or several by their numbers.
type PlaceEndpointsInput struct {
	Execution string       `json:"execution"`
	Want      EndpointWant `json:"want"`
}

// PlaceEndpointsOutput says how far one VPC is. Of several there is only the answer: what is told of each is rows of the ledger.
type PlaceEndpointsOutput struct {
	Answer    Answer           `json:"answer"` // ready or wait
	Want      EndpointWant     `json:"want,omitzero"`
	Waiting   []string         `json:"waiting,omitempty"`
	Hops      []Hop            `json:"hops"`
	Endpoints []PlacedEndpoint `json:"endpoints"`
}

// PlacedEndpoint is an endpoint that serves a VPC, ours or its owner's.
type PlacedEndpoint struct {
	ID      string `json:"id"`
	Service string `json:"service"`
	Ours    bool   `json:"ours"`
}

// GrantNotebookAccessInput names the account. The VPCs whose endpoints its policy shall name are rows of the ledger.
type GrantNotebookAccessInput struct {
	Execution string       `json:"execution"`
	Of        string       `json:"of"`
	Account   string       `json:"account"`
	Region    string       `json:"region"`
	VPCs      []PrivateVPC `json:"-"`
	Refused   []PrivateVPC `json:"-"`
	// Released are VPCs that were let go of: the policy goes on naming those of their endpoints that it names.
	Released []PrivateVPC `json:"-"`
}

// GrantNotebookAccessOutput says what the policy allows to whom. It is a row of the ledger; only the answer travels.
type GrantNotebookAccessOutput struct {
	Answer    Answer   `json:"answer"` // done, or again: the account changed meanwhile
	Hops      []Hop    `json:"hops"`
	Endpoints []string `json:"endpoints"` // ids, sorted
	Roles     []string `json:"roles"`     // names, sorted
}

// VerifyPrivateNotebooksInput names the account. What the steps before found and did is rows of the ledger.
type VerifyPrivateNotebooksInput struct {
	Execution string `json:"execution"`
	Of        string `json:"of"`
	Result    Result `json:"result"`
	Reason    string `json:"reason"`
	Account   string `json:"account"`
	Region    string `json:"region"`

	VPCs     []PrivateVPC              `json:"-"`
	Refused  []PrivateVPC              `json:"-"`
	Released []PrivateVPC              `json:"-"` // that the ledger forgets
	Placed   []PlaceEndpointsOutput    `json:"-"`
	Granted  GrantNotebookAccessOutput `json:"-"`
	Removed  []PlaceEndpointsOutput    `json:"-"`
}

// VerifyPrivateNotebooksOutput is the output of an execution that brought an account in line.
type VerifyPrivateNotebooksOutput struct {
	Result  Result `json:"result"`
	Reason  string `json:"reason"`
	Verdict []Hop  `json:"verdict"`
}
