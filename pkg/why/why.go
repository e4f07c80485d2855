// Package why answers why a notebook does not reach a database: hop by hop, with whose each is and what mends it.
//
// It reads both ends and the networks between them with the credentials of whoever asks, puts them into the model of package network, and lets its
// judge decide. So it says the same of a connection that Drawbridge manages and of one that was made by hand years ago. What mends a hop is a
// [Change]: it is made in the model first, and judged again, so that the answer can say what holds after it. Nothing is changed in AWS.
//
//	why.go           the words, which are the answer's fields
//	ref.go           what people call the two ends (pure)
//	plan.go          thinks: which connection to judge, and what to say of each hop (pure)
//	mend.go          thinks: what mends a hop of one side: rules, entries, routes (pure)
//	mend_between.go  what mends what is between the sides: carriers, names (pure)
//	script.go        thinks: what a notebook's on-start script has to do with its host routes (pure)
//	share.go         thinks: whether the database is shared, and what Drawbridge does once it is (pure)
//	word.go          thinks: which tags of owners keep Drawbridge out (pure)
//	apply.go         reads; words.go reads those tags
//	client.go        finds the client, and reads its on-start script
//	database.go      finds the database
//	text.go          the answer for people
//	running.go       thinks: whether the database runs (pure)
package why

import (
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Answer is the answer of drawbridge why.
type Answer struct {
	answer.Head
	From End `json:"from"`
	To   End `json:"to"`
	// Answer is yes if every hop holds, no if one does not, unknown if nobody can say.
	Answer     string `json:"answer" jsonschema:"yes: every hop holds; no: one does not; unknown: nobody can say of one"`
	Line       string `json:"line" jsonschema:"the answer in one line"`
	Over       string `json:"over,omitempty" jsonschema:"the peering or transit gateway that was judged; local within one VPC; empty if nothing connects the two"`
	Alternates string `json:"alternates,omitempty" jsonschema:"other connections between the two, which are worse"`
	Hops       []Hop  `json:"hops" jsonschema:"in the order in which a packet meets them"`
	// After is the answer once all commands were run.
	After string `json:"after,omitempty" jsonschema:"what the answer would be once all that mends was done: yes, no or unknown; absent if nothing is to be done"`
	// Managed is what Drawbridge's ledger says of the connection.
	Managed *Managed `json:"managed,omitempty" jsonschema:"the ledger's entry of the connection; absent if there is none, or if the ledger was not read"`
	// Unread is what could not be read, and why.
	Unread []string `json:"unread,omitempty" jsonschema:"what could not be read, and why"`
}

// End is one of the two ends.
type End struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind" jsonschema:"notebook, function, Studio domain, interface, address; the engine of a database"`
	Account string   `json:"account"`
	Region  string   `json:"region"`
	VPC     string   `json:"vpc"`
	Subnets []string `json:"subnets"`
	Groups  []string `json:"groups"`
	Port    int      `json:"port,omitempty"`
}

// Hop is one thing that must hold for a packet to arrive.
type Hop struct {
	Code   string `json:"code" jsonschema:"stable; docs/hops has a page for each"`
	Answer string `json:"answer" jsonschema:"yes, no or unknown"`
	Detail string `json:"detail"`
	// Whose is the account of what the hop is about.
	Whose  string   `json:"whose,omitempty" jsonschema:"the account whose thing it is"`
	Remedy string   `json:"remedy,omitempty" jsonschema:"what to do, in words"`
	Mends  []Change `json:"mends,omitempty" jsonschema:"the commands that mend it, in their order"`
	// Itself says that nobody has to run the commands: Drawbridge does the same.
	Itself bool `json:"mendsItself,omitempty" jsonschema:"Drawbridge mends it at its next look; the commands are for who cannot wait"`
}

// Managed is what Drawbridge has of the connection: the ledger's entry, or else what its tags say.
type Managed struct {
	ID      string   `json:"id"`
	State   string   `json:"state"`
	Reason  string   `json:"reason,omitempty"`
	Waits   string   `json:"waits,omitempty" jsonschema:"what waits for somebody"`
	By      string   `json:"by,omitempty" jsonschema:"the account that answers"`
	Command []string `json:"command,omitempty" jsonschema:"the command by which its owner answers"`
	Keeps   []string `json:"keeps,omitempty" jsonschema:"whose things are not kept out by the tag drawbridge:reach, and the policy that forbids it"`
}

// The codes of hops, in the order in which a packet meets them. docs/hops has a page for each.
var Codes = []string{"path", "connection", "database-state", "port", "accept", "approval", "manage", "reach", "routes", "share", "client-group", "client-acl", "route-there", "carrier", "gateway-route", "database-acl", "database-group", "route-back",
	"gateway-route-back", "acl-back", "name-resolution", "host-route"}

// words are the answers of package network.
func words(a network.Answer) string {
	return map[network.Answer]string{network.Yes: "yes", network.No: "no", network.Unknown: "unknown"}[a]
}

// Carrier is what connects two VPCs, or could.
type Carrier struct {
	ID     string // pcx-… or tgw-…
	Status string // AWS's word: active, pending-acceptance, …; available
	// Accepter is the account, and its Region, that accepts a peering which is pending.
	Accepter, AcceptRegion string
	// AcceptVPC is the VPC that a peering was requested of.
	AcceptVPC string
	// Peer is the VPC at the other end of a peering, as the peering shows it.
	Peer Peer
	// Said is what Drawbridge says of it by its tags, on the side of the client; nil if it says nothing.
	Said *Managed
}

// handled reports whether Drawbridge connects over it: it leads to what is shared, opens it, and writes host routes.
func (c Carrier) handled() bool {
	if c.Said == nil {
		return false
	}
	switch road.CarrierOf(c.ID) {
	case road.ByGateway: // its tag counts pairs, and says of none how it stands
		return true
	case road.ByPeering, road.ByNothing:
	}
	return slices.Contains([]string{string(workflow.Connected), string(workflow.PartlyConnected), string(workflow.Contested), string(connection.Conflict), string(connection.Failed)}, c.Said.State)
}

// Peer is a VPC as another account sees it.
type Peer struct {
	ID, Account, Region string
	CIDRs               []netip.Prefix
}

// Question is what is judged: two ends in a world, and what connects them.
type Question struct {
	World    network.World
	Client   network.Client
	Database network.Database
	Port     int
	Carriers []Carrier // between the VPCs of the two; none if nothing connects them
	// From and To are the two ends as the answer says them.
	From, To End
	// Script is what sets the host routes of a notebook with direct internet access. While it is stale, its routes are not in the world.
	Script Script
	// Share is what the database's owner says of sharing it.
	Share Share
	// Words are the tags of the owners that keep Drawbridge out.
	Words []Word
	// Alternates are the databases that are not shared with the client's account, answer at the same port and have a group of the database's, by the group: a
	// rule there opens them too.
	Alternates map[string][]string
	// Serves are the ports at which the database answers; none if that is not known.
	Serves []int
	// Running is what the database's service says of whether it runs.
	Running Running

	over Carrier // the one that is judged
}
