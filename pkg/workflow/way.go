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

// ways returns how many routes a side's ways may ask for: each in the table of each of its subnets, if that has one of its own.
func (s Side) ways() int {
	n := 0
	for _, w := range s.Ways {
		tables := len(w.Subnets)
		if tables == 0 || tables > len(s.Tables) {
			tables = len(s.Tables)
		}
		n += tables * len(w.To)
	}
	return n
}

// Leads reports whether a way of the side leads to a part of a destination.
func (s Side) Leads(destination netip.Prefix) bool {
	return slices.ContainsFunc(s.Ways, func(w Way) bool { return slices.ContainsFunc(w.To, destination.Overlaps) })
}
