package workflow

import "net/netip"

// Said is what the two sides of a connection are told about it, each in a text of its own: what only one side knows, such as its
// CIDRs, its tables or what is in its VPC, never stands in the text for the other. The whole reason is for the hub.
type Said struct {
	Requester string `json:"requester"`
	Accepter  string `json:"accepter"`
}

// Alike is the same text for both.
func Alike(text string) Said { return Said{Requester: text, Accepter: text} }

// To returns the text for a role, "requester" or "accepter".
func (s Said) To(role string) string {
	if role == "accepter" {
		return s.Accepter
	}
	return s.Requester
}

// Only returns the VPC without its CIDRs, which are its owner's to tell: what the other side named itself.
func (v VPC) Only() VPC {
	v.CIDRs = []netip.Prefix{}
	return v
}

// Only returns the connection without the CIDRs of its VPCs; see [VPC.Only].
func (c Connection) Only() Connection {
	c.Requester, c.Accepter = c.Requester.Only(), c.Accepter.Only()
	return c
}
