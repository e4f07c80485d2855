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

// Divert is an answer of the policy about traffic that would leave what route tables lead it to now: it may, or a policy forbids it. What nothing is said of
// may not, and it is for the tables' owner to say so.
type Divert struct {
	Leaves string   `json:"leaves"` // the target of the routes, such as tgw-…
	Tables []string `json:"tables"` // sorted
	Policy string   `json:"policy,omitempty"`
	// Allowed says that Policy permits it.
	Allowed bool `json:"allowed,omitempty"`
}

// Diverts are what the policy says of a side's route tables.
type Diverts []Divert

// May reports whether traffic of a table may leave a target, and if not, which policy forbids it; empty if none does.
func (all Diverts) May(table, target string) (allowed bool, forbids string) {
	for _, d := range all {
		if d.Leaves == target && slices.Contains(d.Tables, table) {
			if d.Allowed {
				return true, ""
			}
			return false, d.Policy
		}
	}
	return false, ""
}

// DivertHop begins the hops by which AddRoutes says of a table what leaves, or would leave, what it leads to; "there" or "back" and the table follow.
const DivertHop = "divert "

// ReachHop begins the hops that say what is tagged to be kept out and is not, as a policy forbids it; whose things they are follows.
const ReachHop = "reach "
