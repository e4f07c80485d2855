package notice

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The kinds of event about access that needs no route of its own: private notebooks, the Data API, Studio and Redshift.
const (
	AccessGranted Kind = "Access Granted"
	AccessPending Kind = "Access Pending"
	AccessRefused Kind = "Access Refused"
	AccessRemoved Kind = "Access Removed"
)

// Accesses lists them.
func Accesses() []Kind { return []Kind{AccessGranted, AccessPending, AccessRefused, AccessRemoved} }

// Resource is what an [AccessGranted] and its like are about: the thing whose owner opted in by a tag, or does so no more.
type Resource struct {
	Account string `json:"account"`
	// Region and ID, the ARN of a cluster, the id of a VPC or of a Studio domain, are empty where the account as a whole is
	// looked at.
	Region string `json:"region,omitempty"`
	ID     string `json:"id,omitempty"`
}

// Thing is what every event about access says.
type Thing struct {
	Execution string   `json:"execution"` // that came to this result
	Machine   string   `json:"machine"`   // such as drawbridge-studio
	Resource  Resource `json:"resource"`
	// For are the accounts, or the VPCs of the account, that have the access.
	For    []string        `json:"for"`
	Result workflow.Result `json:"result"` // the end state
	Reason string          `json:"reason"`
	Mode   string          `json:"mode,omitempty"` // how far Drawbridge goes
}

// about is the thing that the event is about.
func (t Thing) about() string {
	if t.Resource.ID == "" {
		return t.Resource.Account
	}
	return t.Resource.ID
}

// Granted is the detail of [AccessGranted]: everything was set up and read back.
type Granted struct {
	Thing
	// Missing are the hops that Drawbridge may not set up, such as a role that is not restricted.
	Missing []workflow.Hop `json:"missing"`
}

// Pending is the detail of [AccessPending]: Drawbridge goes on by itself as soon as somebody did something.
type Pending struct {
	Thing
	Missing []workflow.Hop `json:"missing"` // what it waits for
}

// Barred is the detail of [AccessRefused]: the policy does not allow the access.
type Barred struct {
	Thing
	Decision policy.Decision `json:"decision"`
}

// Withdrawn is the detail of [AccessRemoved]: what Drawbridge had added is taken away, or, with the result Released, stays as it is and is its owner's.
type Withdrawn struct {
	Thing
	Hops []workflow.Hop `json:"hops"` // what went, and what had to stay
}

func (Granted) kind() Kind   { return AccessGranted }
func (Pending) kind() Kind   { return AccessPending }
func (Barred) kind() Kind    { return AccessRefused }
func (Withdrawn) kind() Kind { return AccessRemoved }

// Failed is the result of an access whose execution ended without one: it failed, was stopped, or took too long.
const Failed workflow.Result = "Failed"

// Access returns the event about a result: of its verdict, what does not hold, or, when it is over, all of it.
func Access(t Thing, decision policy.Decision, verdict []workflow.Hop) Event {
	if t.For == nil {
		t.For = []string{}
	}
	missing := []workflow.Hop{}
	for _, h := range verdict {
		if !h.OK {
			missing = append(missing, h)
		}
	}
	switch t.Result {
	case workflow.RefusedByPolicy:
		return Barred{t, decision}
	case workflow.Removed, workflow.Retracted, workflow.Released:
		return Withdrawn{t, append([]workflow.Hop{}, verdict...)}
	case workflow.AwaitingApps, workflow.Incomplete, workflow.Contested, Failed:
		return Pending{t, missing}
	}
	return Granted{t, missing}
}
