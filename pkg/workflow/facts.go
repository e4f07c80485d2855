package workflow

import (
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Known is what an earlier look read and a later one, or the step that asks an owner, need not read again. Of a look at a peering it is rows of the
// ledger.
type Known struct {
	Requester *Facts `json:"requester,omitempty"`
	Accepter  *Facts `json:"accepter,omitempty"`
	// Sides and Batches are what there is to connect, as it was found before the peering was accepted.
	Sides   []Side  `json:"-"`
	Batches []Batch `json:"-"`
	Closed  []Hop   `json:"-"` // the databases that stay closed, with why
}

// Looked is how far the looks at a peering are in one execution.
type Looked struct {
	// Accepted says that a look of this execution let the peering be accepted: the ledger has what it found.
	Accepted bool `json:"accepted,omitempty"`
	// Trimmed says that this execution took away what the connection has no use for any more, to its last step.
	Trimmed bool `json:"trimmed,omitempty"`
	// Waited is how often this execution waited for AWS.
	Waited int `json:"waited,omitempty"`
}

// Facts are what AWS says about one VPC and its account.
type Facts struct {
	VPC     VPC               `json:"vpc"`
	Name    string            `json:"name,omitempty"` // the VPC's Name tag
	Tags    map[string]string `json:"tags,omitempty"`
	Account AccountFacts      `json:"account"`
	Tables  []Table           `json:"tables,omitempty"`
	DHCP    string            `json:"dhcp,omitempty"` // the id of its DHCP options
}

// AccountFacts are what AWS Organizations says about an account.
type AccountFacts struct {
	ID           string `json:"id"`
	Name         string `json:"name,omitempty"`
	Organization string `json:"organization"` // o-…, empty: not a member
	OUPath       string `json:"ouPath"`       // o-…/r-…/ou-…/
	// Suspended is the state of an account of the organization that is not active now, such as SUSPENDED. It begins nothing, and nothing in it
	// can be read: what it has stays.
	Suspended string `json:"suspended,omitempty"`
	// Units are the names of the units of the path, with slashes between: for people to read, who are asked about the account.
	Units string `json:"units,omitempty"`
}

// Unreadable returns the error with which nothing of a suspended account is read, nil for any other; see [fault.Unreadable].
func (f AccountFacts) Unreadable() error {
	if f.Suspended == "" {
		return nil
	}
	return &fault.Error{Kind: fault.Refused, Cause: fault.ErrSuspended, Message: fmt.Sprintf("account %s is %s, so that nothing in it can be read now", f.ID, f.Suspended)}
}

// Unit says in which unit the account is, for people: by name, or by the path if the names are not known.
func (f AccountFacts) Unit() string {
	if f.Units == "" {
		return f.OUPath
	}
	return f.Units + "  " + f.OUPath
}
