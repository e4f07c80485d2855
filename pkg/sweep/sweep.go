// Package sweep finds the peerings that want a look: after a change that concerns them, and where no event said
// anything.
//
// It starts nothing and decides nothing about a connection. For each peering it puts one event "Peering To Inspect" on
// the hub's bus, and the Peering machine reads the facts and asks the policy, as after any other event.
package sweep

import "github.com/drawbridge-cloud/drawbridge/pkg/event"

// Peering is a peering as one of its accounts lists it.
type Peering struct {
	ID        string
	Status    string // AWS's code, such as "active"
	Requester End
	Accepter  End
	Label     string // the tag drawbridge:status, as this account has it
	Approval  string // the tag drawbridge:approval, as this account has it
}

// End is one end of a peering.
type End struct {
	event.Place
	VPC string
}
