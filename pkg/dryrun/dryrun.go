// Package dryrun lets Drawbridge's steps work as they do, and changes nothing: calls that read go to AWS, calls that write are noted and answered as AWS
// would answer them, and never sent.
//
// Whatever is not known to read is never sent, so a call that is new is refused rather than made. What was noted is shown to the reads that come after
// it, as far as a step goes by what it reads back: an accepted peering is active, a route is in its table, a rule in its group.
//
//	dryrun.go     the words
//	guard.go      stands before every call of the SDK
//	answers.go    what AWS answers to a write, with ec2.go, rule.go, tag.go, gateway.go, share.go, sagemaker.go, role.go,
//	              access.go, endpoint.go and hub.go
//	read.go       shows tags to what reads nothing else that may be otherwise
//	shared.go     answers that several worlds share
//	store.go      the ledger, of which only a copy is written
package dryrun

import (
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Sign says what a change does to a thing, as plans show it.
type Sign string

// The signs.
const (
	Adds    Sign = "+"
	Changes Sign = "~"
	Takes   Sign = "-"
)

// Change is one change to one thing.
type Change struct {
	Sign  Sign
	What  string // "route 10.2.0.0/23 to pcx-1"
	Thing string // whose id, name or ARN it is: rtb-1
	// Interfaces is how many network interfaces of VPC endpoints it adds, or takes: they are billed by the hour.
	Interfaces int
}

// Write is one call that would change something.
type Write struct {
	Call    string // as IAM names it: ec2:CreateRoute
	Account string
	Region  string
	Changes []Change // none: it only says again what is said
	Input   any      // of the call, as the SDK has it: *ec2.CreateRouteInput
}

// Notice is something that would be told: an event on the hub's bus, or a message to people.
type Notice struct {
	Call   string // events:PutEvents or sns:Publish
	Kind   string // of the event, or the subject of the message
	Detail string // of the event, JSON
}

// World is AWS as it would be after what was noted. It is safe for concurrent use. The zero value is AWS as it is.
type World struct {
	mu      sync.Mutex
	writes  []Write
	notices []Notice
	made    int // how many ids were given to new things
	reads   *Answers

	peerings   map[string]*peering
	requested  map[string]types.VpcPeeringConnection // that is only described
	tags       map[string]map[string]*string         // by account and id; nil: taken away
	said       map[string]map[string]string          // tags that were read, the same
	routes     map[string]map[string]*types.Route    // by table and destination; nil: taken away
	rules      []rule
	gone       map[string]bool                    // rules that were taken away, by id
	seen       map[string]types.SecurityGroupRule // that were read, by id
	configs    map[string]*config                 // lifecycle configurations
	notebooks  map[string]*notebook
	gateways   gateways
	shares     shares
	identities identities
	access     access
	endpoints  endpoints
}

// Writes returns the calls that would change something, in their order.
func (w *World) Writes() []Write {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.writes)
}

// Notices returns what would be told, in its order.
func (w *World) Notices() []Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.notices)
}
