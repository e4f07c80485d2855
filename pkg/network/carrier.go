package network

import "slices"

// Peering is a VPC peering connection. It leads from each of its VPCs to addresses of the other, and no further.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
type Peering struct {
	ID     string
	Active Answer
	VPCs   [2]string // the requester's and the accepter's
	// Resolves says of each of the VPCs whether its owner lets the other resolve its public names to private addresses.
	Resolves [2]Answer
}

// between reports whether a peering is between two VPCs.
func (p Peering) between(a, b string) bool {
	return p.VPCs == [2]string{a, b} || p.VPCs == [2]string{b, a}
}

// Gateway is a transit gateway.
type Gateway struct {
	ID    string
	Owner string // the account
	// DNS and References say whether it resolves names across VPCs, and lets rules refer to groups of other VPCs.
	DNS         Answer
	References  Answer
	Attachments []Attachment
	Tables      []Table // whose routes lead to attachments
}

// Attachment is what is attached to a transit gateway.
type Attachment struct {
	ID        string
	VPC       string // empty for a VPN, a peering of gateways, Direct Connect, Connect
	Available Answer
	Subnets   []string // that it has an interface in, one a zone
	// Table is the gateway's table that it is associated with: it decides where goes what comes from here. Empty if there is none.
	Table      string
	IPv6       Answer
	DNS        Answer
	References Answer
	Appliance  bool // appliance mode
}

// attachment returns the attachment of a VPC. A VPC has at most one to a gateway.
func (g Gateway) attachment(vpc string) (Attachment, bool) {
	n := slices.IndexFunc(g.Attachments, func(a Attachment) bool { return a.VPC == vpc })
	if n < 0 {
		return Attachment{}, false
	}
	return g.Attachments[n], true
}

func (g Gateway) byID(id string) Attachment {
	n := slices.IndexFunc(g.Attachments, func(a Attachment) bool { return a.ID == id })
	if n < 0 {
		return Attachment{ID: id}
	}
	return g.Attachments[n]
}

func (g Gateway) table(id string) (Table, bool) {
	n := slices.IndexFunc(g.Tables, func(t Table) bool { return t.ID == id })
	if n < 0 {
		return Table{}, false
	}
	return g.Tables[n], true
}

func (w World) peering(id string) (Peering, bool) {
	n := slices.IndexFunc(w.Peerings, func(p Peering) bool { return p.ID == id })
	if n < 0 {
		return Peering{}, false
	}
	return w.Peerings[n], true
}

func (w World) gateway(id string) (Gateway, bool) {
	n := slices.IndexFunc(w.Gateways, func(g Gateway) bool { return g.ID == id })
	if n < 0 {
		return Gateway{}, false
	}
	return w.Gateways[n], true
}

// Unreferable is the id of the Availability Zone in which rules cannot refer to groups over a transit gateway.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html#vpc-attachment-security
const Unreferable = "use1-az3"

// refers says whether a rule of an interface in here can refer to groups of interfaces in there, by what carries the traffic. Over a transit
// gateway that is so for ingress only.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
func (w World) refers(here, there VPC, carrier string, egress bool) Answer {
	if here.ID == there.ID {
		return Yes
	}
	if here.Region != there.Region {
		return No
	}
	if p, ok := w.peering(carrier); ok && p.between(here.ID, there.ID) {
		return p.Active
	}
	g, ok := w.gateway(carrier)
	if !ok || egress {
		return No
	}
	a, attached := g.attachment(here.ID)
	b, too := g.attachment(there.ID)
	if !attached || !too {
		return No
	}
	for _, s := range slices.Concat(here.Subnets, there.Subnets) {
		if s.ZoneID == Unreferable {
			return Unknown // whether it counts depends on which of the zones carries the packet
		}
	}
	return g.References.worse(a.References).worse(b.References)
}
