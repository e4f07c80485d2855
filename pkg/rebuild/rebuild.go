// Package rebuild writes the ledger anew from what the accounts show, after its table was lost, or restored to an older time.
//
// Without its table Drawbridge takes all that it ever added for somebody else's, and leaves it. What carries its marks can be told again: a
// peering with its status, a rule with its tags, a line in its block of a script. What cannot be told stays as it is and is its owner's from
// then on. Nothing is changed in a member; what the ledger has already is not changed either; so a second rebuild writes nothing.
//
// A mark counts if both accounts that a connection is between have it: nobody gives the other's things to Drawbridge by a tag of their own.
//
//	rebuild.go    the words
//	plan.go       thinks: which rows the ledger gets (pure)
//	read.go       reads what carries marks, each place once
//	facts.go      puts together what both accounts show of one connection
//	endpoints.go  the same for the endpoints of a VPC, and for the policy of private notebooks
//	shares.go     the same for invitations that were accepted
//	clusters.go   the same for clusters that are queried through the Data API
//	warehouses.go the same for clusters that are read from Studio
//	apply.go      visits an account, and writes
//	tally.go      says what a rebuild came to
//
// docs/decisions/0091-the-ledger-is-rebuilt.md has the reasons, and what is not rebuilt.
package rebuild

import (
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The kinds of what is told, and of what cannot be told, in the plural.
const (
	Peerings    = "peerings"
	Pairs       = "pairs"
	Attachments = "attachments"
	Routes      = "routes"
	Rules       = "rules"
	HostRoutes  = "host routes"
	Made        = "attachments made by Drawbridge"
	DNSOptions  = "DNS options"
	Belonging   = "associations"
	Endpointed  = "VPCs with endpoints"
	Endpoints   = "endpoints"
	Groups      = "groups of endpoints"
	Clusters    = "clusters with the Data API"
	Roles       = "roles"
	Warehouses  = "clusters with readers in Studio"
	Studio      = "what Studio got"
	Statements  = "statements of trust policies"
	Documents   = "policies of roles"
	Settings    = "settings of domains"
	Opening     = "propagations"
	Shares      = "resource shares"
	Accepted    = "accepted invitations"
	Given       = "policies given to roles"
)

// Connected is a peering, or a pair of VPCs on a gateway, that carries a mark of Drawbridge's, as its two accounts show it.
type Connected struct {
	ID     string
	Kind   road.Kind // of the two that connect VPCs
	Target string    // what routes lead to
	State  string    // AWS's code of a peering; empty for a pair
	Sides  [2]Side   // the requester's, and the accepter's
}

// Side is one side of a [Connected].
type Side struct {
	VPC workflow.VPC
	// Tags are those of the peering, or of the VPC's attachment, as this account has them.
	Tags map[string]string
	// Adopted says that the carrier was there before Drawbridge, which an owner asked to take it over: routes through it may be older, too.
	Adopted bool
	// Attachment is the VPC's on the gateway; empty if there is none.
	Attachment string
	Subnets    []string
	Ranges     []netip.Prefix // of those subnets
	Tables     []route.Table
	Rules      []firewall.Marked // of this account and Region, that name the connection
	DNS        bool              // the DNS option of this side is on
}

// Attached is an attachment of a VPC to a transit gateway as both its accounts show it.
type Attached struct {
	ID, State  string
	VPC        workflow.VPC
	Gateway    workflow.Gateway
	Tags       map[string]string // as the VPC's account has them
	Owner      map[string]string // as the gateway's owner has them
	Asks       bool              // the VPC's tag asks for a gateway
	Associated string            // the gateway's route table; empty if none
	Propagated []string          // the gateway's route tables, sorted
}

// Notebook is a notebook instance, and what is in the lifecycle configuration that it uses.
type Notebook struct {
	event.Place
	Name, Subnet, Configuration string
	CIDRs                       []netip.Prefix // of its subnet
	Lines                       []lifecycle.Line
}

// Rows is what the ledger gets of one thing. The zero value means: nothing.
type Rows struct {
	Kind   string             // of the entry
	Entry  *ledger.Connection // nil: none
	Items  []ledger.Item
	Untold []Untold
}

// Untold is something that may be Drawbridge's, of which nobody can tell: it stays as it is, as its owner's.
type Untold struct{ Kind, What string }
