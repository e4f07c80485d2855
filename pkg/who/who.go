// Package who says who can reach a database: over which road, by whose decision and since when, and the call that ends it.
//
// A road is what Drawbridge made, or watches over: a peering or a pair on a gateway with rules that let clients in, the role of the Data API, the
// role of Studio's readers. And it is what the database's owner did themselves: the rules in its security groups that are not Drawbridge's, over whatever
// leads there. Who has a password, or rights of IAM in the database's own account, is not asked: that is no road between accounts.
//
//	who.go    the words, which are the answer's fields
//	plan.go   thinks: which entry of the ledger is a road to the database (pure)
//	find.go   finds the database, its tags, the rules of its groups and its roles
//	text.go   the answer for people
package who

import (
	"net/netip"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Who is the answer of drawbridge who.
type Who struct {
	answer.Head
	Hub      board.Hub `json:"hub"`
	At       time.Time `json:"at" jsonschema:"when it was read"`
	Database Database  `json:"database"`
	Roads    []Road    `json:"roads" jsonschema:"by kind and account"`
	// Unread are sentences: what could not be read, and what is not known therefore.
	Unread []string `json:"unread,omitempty" jsonschema:"what could not be read; with it the answer may lack roads"`
}

// Database is what the question is about.
type Database struct {
	Name    string   `json:"name"`
	Engine  string   `json:"engine"`
	ARN     string   `json:"arn"`
	Account string   `json:"account"`
	Region  string   `json:"region"`
	VPC     string   `json:"vpc"`
	Port    int      `json:"port"`
	Groups  []string `json:"groups" jsonschema:"its security groups"`
	// Endpoints are those of a warehouse in other VPCs, which Redshift manages.
	Endpoints []Endpoint `json:"endpoints,omitempty" jsonschema:"its endpoints in other VPCs"`
	// Shared is the tag drawbridge:share, as Drawbridge reads it.
	Shared   string    `json:"shared,omitempty" jsonschema:"with whom its owner shares it: accounts, or true for all; empty for nobody"`
	SharedBy string    `json:"sharedBy,omitempty" jsonschema:"who set that tag last; absent if it is not recorded"`
	SharedAt time.Time `json:"sharedAt,omitzero"`
}

// Endpoint is where a database answers: it has security groups of its own.
type Endpoint struct {
	Name   string   `json:"name"`
	VPC    string   `json:"vpc"`
	Port   int      `json:"port"`
	Groups []string `json:"groups"`
}

// The roads.
const (
	Peering = "peering"
	Gateway = "gateway" // a pair of VPCs on a transit gateway
	DataAPI = "data-api"
	Studio  = "studio"
	Rule    = "rule" // a rule of its owner's, over whatever leads there
)

// Road is one way by which somebody reaches the database.
type Road struct {
	Road    string   `json:"road" jsonschema:"peering, gateway, data-api, studio or rule"`
	Account string   `json:"account,omitempty" jsonschema:"who reaches it; absent of a rule that names addresses"`
	VPC     string   `json:"vpc,omitempty"`
	To      string   `json:"to,omitempty" jsonschema:"the endpoint that it leads to, if that is one in another VPC"`
	From    []string `json:"from" jsonschema:"addresses, security groups or principals that are let in"`
	Over    string   `json:"over,omitempty" jsonschema:"the entry of the ledger"`
	State   string   `json:"state,omitempty" jsonschema:"of that entry"`
	// The decision: the policy, who asked and approved, and when.
	Policy     string    `json:"policy,omitempty" jsonschema:"that decided"`
	Asked      string    `json:"asked,omitempty" jsonschema:"who asked"`
	ApprovedBy string    `json:"approvedBy,omitempty" jsonschema:"who approved; absent if nobody had to or it is not recorded"`
	ApprovedAt time.Time `json:"approvedAt,omitzero"`
	Since      time.Time `json:"since,omitzero"`
	Detail     string    `json:"detail,omitempty"`
	Ends       []End     `json:"ends" jsonschema:"the calls that end it: the first alone ends this road and no other, where there is such a call"`
}

// End is a call that ends a road.
type End struct {
	What string `json:"what" jsonschema:"what ends with it"`
	deed.Call
}

// Facts are what was read of a database.
type Facts struct {
	At       event.Place
	Database database.Database
	Kind     tag.Kind
	VPC      string
	// Endpoints are its endpoints in other VPCs.
	Endpoints []Endpoint
	// Rules are those of all groups for what comes in on the port.
	Rules []Ingress
	// Admitted are the principals that the role of a road trusts, by road; a road is absent if there is no such role.
	Admitted map[string][]string
	Unread   []string
}

// Ingress is a rule of a security group, for what comes in.
type Ingress struct {
	ID, Group string
	From, To  int
	CIDR      netip.Prefix // or
	Other     string       // a group or a prefix list
	Account   string       // of that group
	Says      string       // its description
}
