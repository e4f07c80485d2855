// Package fanout turns one event that may concern many things into looks at each of them.
//
// A call can tag a hundred things of several kinds; a VPC's new address, or a database's new tag, concerns every
// connection of the VPC. This package reads only as much as it takes to name who is concerned, and asks for a look at each. Whoever is asked
// reads the facts and decides.
//
//	fanout.go  the words
//	plan.go    thinks: what an event concerns, and how what the ledger has is looked at
//	hand.go    somebody's hand at something that Drawbridge added, or that an owner asks for anew
//	apply.go   finds the connections, and asks
//	word.go    what an owner said by a tag, for the ledger
package fanout

import "github.com/drawbridge-cloud/drawbridge/pkg/look"

// Concern is what an event concerns.
type Concern struct {
	// Looks are at what the event itself names.
	Looks []look.Look
	// VPCs are those whose connections are concerned, sorted. Everywhere says that all connections of the place are: a
	// database is named without its VPC, and a prefix list without the tables and groups that name it.
	VPCs       []string
	Everywhere bool
	// Networks are VPCs whose addresses or subnets changed, sorted: beside their connections, the endpoints in them may have to follow.
	Networks []string
	// Tables are route tables whose VPC's connections are concerned, sorted.
	Tables []string
	// Clusters says that all Aurora clusters of the place that name readers are concerned: a secret or a key does not know its cluster.
	Clusters bool
	// Invited says that a VPC asks for a transit gateway: the invitations of its account that wait may be to a share that holds it.
	Invited bool
	// Notebooks are names of notebook instances, sorted, in whatever case the event has them.
	Notebooks []string
	// Configurations are lifecycle configurations that somebody changed, whose notebooks are concerned, sorted.
	Configurations []string
}

// Empty reports whether nobody is concerned.
func (o Concern) Empty() bool {
	return len(o.Looks)+len(o.VPCs)+len(o.Networks)+len(o.Tables)+len(o.Notebooks)+len(o.Configurations) == 0 && !o.Everywhere && !o.Clusters && !o.Invited
}
