package workflow

import (
	"net/netip"
	"slices"
)

// Way is what the route tables that some subnets of a side use have to lead to the peer.
type Way struct {
	// Subnets are those of clients, or of databases, sorted; none: all subnets of the VPC.
	Subnets []string       `json:"subnets,omitempty"`
	To      []netip.Prefix `json:"to"` // sorted
}

// Leads reports whether a way of the side leads to a part of a destination.
func (s Side) Leads(destination netip.Prefix) bool {
	return slices.ContainsFunc(s.Ways, func(w Way) bool { return slices.ContainsFunc(w.To, destination.Overlaps) })
}
