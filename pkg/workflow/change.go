package workflow

import "net/netip"

// Trim is what goes from one side of a connection that stays: exactly what is named here, if it is still Drawbridge's.
type Trim struct {
	Rules        []string       `json:"rules,omitempty"`        // ids of security group rules
	Destinations []netip.Prefix `json:"destinations,omitempty"` // of routes to the connection's target, and of host routes
}

// Leaving returns the destinations whose routes go from this side: those that are trimmed, or, with the whole
// connection, all that it reaches.
func (s Side) Leaving() []netip.Prefix {
	if s.Trim != nil {
		return s.Trim.Destinations
	}
	return s.Peer.CIDRs
}

// ReportConflictInput names a connection that its own change broke.
type ReportConflictInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
	Members    []string   `json:"members"`
}

// ReportConflictOutput says why there is no conflict any more.
type ReportConflictOutput struct {
	Reason string `json:"reason"`
}
