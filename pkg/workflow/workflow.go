// Package workflow is the contract between the state machines and the functions: what each step takes, what it
// returns, and under which name its errors are known.
//
// Every input is decoded strictly: a field that nobody here knows is an error, because the only sender is our own
// machine definition, and a misspelled field must not pass as an absent one. Events from AWS are the opposite;
// they are read by pkg/event, tolerantly.
package workflow

import (
	"net/netip"
	"strings"
)

// VPC names a VPC and everything that is addressed in it.
type VPC struct {
	Account string         `json:"account"` // 12 digits
	Region  string         `json:"region"`
	ID      string         `json:"id"`
	CIDRs   []netip.Prefix `json:"cidrs"` // primary and secondary, IPv4 and IPv6, masked and sorted
}

// Connection is two VPCs and what connects them: a VPC peering connection, or a transit gateway that both are attached to.
type Connection struct {
	ID        string `json:"id"`     // pcx-…, or tgw-…:vpc-…:vpc-…; the value of the tag drawbridge:connection
	Target    string `json:"target"` // what routes lead to: pcx-… or tgw-…
	Requester VPC    `json:"requester"`
	Accepter  VPC    `json:"accepter"`
}

// OwnsTarget reports whether the target is the connection itself, so that every route to it ends with the connection.
// Other connections go over a transit gateway as well.
func (c Connection) OwnsTarget() bool { return c.ID == c.Target }

// TargetOf returns the target of the connection of an id; see [Connection].
func TargetOf(id string) string {
	target, _, _ := strings.Cut(id, ":")
	return target
}

// StatusResource is a resource that carries Drawbridge's tags on one side of a connection, with the keys of those tags.
type StatusResource struct {
	Account string   `json:"account"`
	Region  string   `json:"region"`
	ID      string   `json:"id"` // pcx-… or tgw-attach-…
	Tags    []string `json:"tags"`
	// VPC is the VPC whose attachment it is; empty for a peering.
	VPC string `json:"vpc,omitempty"`
}

// A Hop is one line of a verdict: one thing that must hold for a packet to arrive.
type Hop struct {
	Hop string `json:"hop"`
	OK  bool   `json:"ok"`
	// Unknown says of a hop that is not OK that nobody knows whether it holds: it is outside of what Drawbridge can judge.
	Unknown bool   `json:"unknown,omitempty"`
	Detail  string `json:"detail"`
}

// A Path is a line of the verdict about a connection: about one path, from a client to a port of a database and back, with its hops; or about what is
// no path's, without.
type Path struct {
	Hop
	Hops []Hop `json:"hops,omitempty"`
}

// Mark is what stands before a hop: ✓, ✗, or ? if nobody knows.
func (h Hop) Mark() string {
	switch {
	case h.OK:
		return "✓"
	case h.Unknown:
		return "?"
	}
	return "✗"
}
