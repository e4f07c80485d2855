// Package ledger is the one record of what Drawbridge did, for whom, and what was there before.
//
// An organization is full of other people's routes, rules and scripts, and what Drawbridge adds looks just like them. So
// it is written down: a [Connection] says that a thing is managed, an [Item] says of each thing that was added or changed in a
// member what was there before, how it was left, and which connections need it. What is not in the ledger is somebody else's.
//
//	Record   before the call: the items are written as intended
//	(the call)
//	Confirm  after the call, with what only the call tells
//	Release  a connection needs them no more; returned are those that nobody needs
//	(take them away, or put back what was there before)
//	Forget   after that
//
// All of these may be repeated: after a lost answer, or by an execution that is redriven.
//
//	ledger.go      the words, and how rows are named
//	connection.go  connections
//	item.go        items
//	plan.go        thinks: what becomes of an item (pure)
//	lease.go       one at a time
//	told.go        people are told once
//	rows.go        what an inspection found, for the steps
//	undone.go      what an owner had undone, and another tag still asks for
//	word.go        what owners said, and who
//	debt.go        restarts that notebooks are owed
//	seen.go        what was read of things that lists of AWS do not tell
//	store.go       rows that are written all or none, and only as they were read
//	table.go       the rows in DynamoDB
//	restore.go     writes what a lost ledger had
//	scan.go        reads all rows, for people
//
// docs/decisions/0069-the-ledger.md has the reasons.
package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// Ledger reads and writes the record. It is safe for concurrent use.
type Ledger struct {
	Store Store
	// Now is the clock.
	Now func() time.Time
	// Patience is how long [Ledger.While] waits for a lease that another execution has: it has most for a few seconds.
	Patience time.Duration

	under, holder string // see [Ledger.Under]
}

// Status is what became of a connection: the name of the end state that its last execution had.
type Status string

// Connection is the entry of one thing that Drawbridge manages.
type Connection struct {
	ID   string    `json:"id"`   // pcx-…, tgw-…:vpc-…:vpc-…, or the ARN or id of what is managed
	Kind road.Kind `json:"kind"` // the name of its machine
	// Sides are the two VPCs, or the things that it is about. They say in which accounts and Regions the connection is listed.
	Sides []Side `json:"sides,omitempty"`
	// Asked is who asked for it: the identity of the request's record, an ARN; empty if nothing told.
	Asked  string `json:"asked,omitempty"`
	Origin Origin `json:"origin"`
	// Approval is what the owner who was asked has approved of it.
	Approval Approval `json:"approval,omitzero"`
	Policy   string   `json:"policy,omitempty"` // that decided
	Status   Status   `json:"status,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	// Before is how it stood, and since when, before an execution about it ended without coming to a result; empty as long as none did.
	Before string `json:"before,omitempty"`
	// Paths says how many of the allowed paths were whole when they were last judged.
	Paths Paths `json:"paths,omitzero"`
	// Told is a digest of the last thing that people were told of it, so that they are told once.
	Told string `json:"told,omitempty"`
	// Question is what its owner was asked, while that waits for an answer: why, as in Reason.
	Question string `json:"question,omitempty"`
	// Contest is a digest of what people were told of its contested items, and Leave are the accounts in which the policy wants
	// what somebody took away to be left. See package contest.
	Contest string   `json:"contest,omitempty"`
	Leave   []string `json:"leave,omitempty"`
	// Theirs are things of it that somebody took away and made again themselves, of which people are to be told yet; Yielded is a digest of what they were told.
	Theirs  []Item `json:"theirs,omitempty"`
	Yielded string `json:"yielded,omitempty"`
	// Overruled are, by the account whose owner keeps nothing out of it by the tag drawbridge:reach, the policies that forbid that.
	Overruled map[string]string `json:"overruled,omitempty"`
	// Subnets are those of whose notebooks a host route for this connection was taken away again: such a line is needed by its subnet.
	Subnets []string `json:"subnets,omitempty"`
	// Hosts are the subnets in which notebooks got host routes for this connection: a subnet may be gone with its notebooks, and their scripts still be there.
	Hosts []Host `json:"hosts,omitempty"`
	// Untagged says, by account, how often somebody took away the tags by which Drawbridge tells its status.
	Untagged map[string]Untagged `json:"untagged,omitempty"`

	Since time.Time `json:"since"`          // of the entry
	At    time.Time `json:"at,omitzero"`    // of the status
	Until time.Time `json:"until,omitzero"` // when it ends by itself
	// Facts is what only its machine reads.
	Facts map[string]string `json:"facts,omitempty"`
}

// waiting are the statuses in which a question still waits for its answer: an execution that failed, and what cannot be read for an hour, answer nothing.
var waiting = []Status{"AwaitingApproval", "Failed", "Unreadable"}

// Stand writes how a connection stands, why, and by which policy. What did not change keeps its time. A question that was asked is forgotten once it stands otherwise.
func (c *Connection) Stand(status Status, reason, policy string, now time.Time) {
	if !slices.Contains(waiting, status) {
		c.Question = ""
	}
	if c.Status != status || c.Reason != reason || c.Policy != policy {
		c.Status, c.Reason, c.Policy, c.At, c.Before = status, reason, policy, now, ""
	}
}

// Stood is how a connection stands, and since when; of one of which executions came to no result, how it stood before the first of them.
func (c Connection) Stood() string {
	return cmp.Or(c.Before, fmt.Sprintf("%s since %s", c.Status, c.At.UTC().Format(time.RFC3339)))
}

// Host is a subnet with notebooks that got host routes.
type Host struct {
	Account string `json:"account"` // of the notebooks
	Region  string `json:"region"`
	VPC     string `json:"vpc"`
	Subnet  string `json:"subnet"`
}

// Paths counts the paths of a connection, from each client to each database that is open to it.
type Paths struct {
	All     int `json:"all"`
	Whole   int `json:"whole"`
	Unknown int `json:"unknown,omitempty"` // that cannot be judged to the end
	// Lines are the first paths, at most as many as package verdict shows, those that fail first.
	Lines []Path `json:"lines,omitempty"`
}

// Path is one path as it was judged last: who calls, who answers, and, unless it is whole, the hop at which that ends.
type Path struct {
	Client   End    `json:"client"`
	Database End    `json:"database"`
	Port     int    `json:"port"`
	Answer   string `json:"answer" jsonschema:"yes, no or unknown"`
	Hop      string `json:"hop,omitempty" jsonschema:"the first hop that fails, or else that nobody knows; docs/hops has a page for each"`
	Owner    string `json:"owner,omitempty" jsonschema:"the account whose thing the hop is"`
	Detail   string `json:"detail,omitempty"`
	Remedy   string `json:"remedy,omitempty"`
}

// End is what calls or answers on a path.
type End struct {
	Name    string `json:"name" jsonschema:"of a client that is no notebook instance with its kind before it"`
	Account string `json:"account"`
	Network string `json:"network" jsonschema:"vpc-…"`
}

// Approval is what an owner who was asked has approved, and what they were asked: lines, as package cover writes them.
type Approval struct {
	Covered []string `json:"covered,omitempty"` // what they approved, by whichever answer
	First   []string `json:"first,omitempty"`   // what the first question showed
	Shown   []string `json:"shown,omitempty"`   // what the last question showed
	// Told is a digest of what they were asked last of a thing that stands; see [Ledger.Once].
	Told string `json:"told,omitempty"`
}

// IsZero reports whether nobody was asked, and nothing approved.
func (a Approval) IsZero() bool {
	return len(a.Covered)+len(a.First)+len(a.Shown) == 0 && a.Told == ""
}

// Untagged is how often the status tags of a connection were taken away in one account, who did so last, and by which call.
type Untagged struct {
	Times int    `json:"times"`
	By    Hand   `json:"by"`
	Call  string `json:"call,omitempty"`
}

// Origin is how a connection came to be managed.
type Origin string

// The origins.
const (
	Requested Origin = "requested" // the request was seen as a request
	Adopted   Origin = "adopted"   // its owner asked for it to be taken over
)

// Side is one end of a connection.
type Side struct {
	Role    string   `json:"role"` // requester or accepter, consumer or producer
	Account string   `json:"account"`
	Region  string   `json:"region"`
	ID      string   `json:"id"`              // vpc-…, or what stands for the side
	CIDRs   []string `json:"cidrs,omitempty"` // of the VPC
	// Participants are the accounts that have something in subnets which the VPC's owner shares, sorted. See package participant.
	Participants []string `json:"participants,omitempty"`
	// Apart are, by account, the security groups of clients and databases of the side whose owner was seen to keep them out, sorted.
	Apart map[string][]string `json:"apart,omitempty"`
}

// Kind is what an item is.
type Kind string

// The kinds of items, with the resource that they are filed under and their key.
const (
	Route       Kind = "route"              // rtb-…; the destination
	Rule        Kind = "rule"               // sg-…; direction, protocol, port and source or destination, with spaces between
	DNSOption   Kind = "dns-option"         // pcx-…; requester or accepter
	HostRoute   Kind = "host-route"         // the lifecycle configuration; the CIDR of the subnet and the destination
	Attachment  Kind = "attachment"         // tgw-attach-…; attached, with or without its account's permission
	Association Kind = "association"        // tgw-attach-…; the route table of the gateway
	Propagation Kind = "propagation"        // tgw-attach-…; the route table of the gateway
	Endpoint    Kind = "endpoint"           // vpc-…; the service
	Group       Kind = "group"              // vpc-…; the name of the endpoints' security group
	Interface   Kind = "interface"          // vpc-…; the service of an endpoint, and an Availability Zone or "group"
	Setting     Kind = "setting"            // a cluster, a domain; the name of the setting
	Role        Kind = "role"               // the name of a role that Drawbridge made; its purpose
	Statement   Kind = "statement"          // a role, key or secret; the document and the statement's id
	Document    Kind = "document"           // a role; the name of an inline policy
	Managed     Kind = "managed-policy"     // a role; the name of a managed policy that it has
	Grant       Kind = "grant"              // a key; the grantee
	Share       Kind = "share"              // a resource share of RAM; the account that it was accepted for
	Config      Kind = "notebook-lifecycle" // a notebook; its lifecycle configuration
)

// State is how far an item is.
type State string

// The states of an item.
const (
	Intended  State = "intended"  // written before the call; perhaps the call was never made
	Confirmed State = "confirmed" // the call was made, and this is how it left the thing
	Leaving   State = "leaving"   // nobody needs it; it is about to be taken back
	Wanted    State = "wanted"    // a connection would need it, but another way serves for now
	Contested State = "contested" // somebody took it away again after it was put back: it is left to them
)

// Item is the entry of one thing that was added or changed in a member.
type Item struct {
	Account  string `json:"account"` // 12 digits
	Region   string `json:"region"`  // that of the resource; of a global service, the hub's
	Resource string `json:"resource"`
	Kind     Kind   `json:"kind"`
	Key      string `json:"key"` // within the resource
	State    State  `json:"state"`
	// Before is what was there before Drawbridge, in the words of its kind; empty if nothing was.
	Before string `json:"before,omitempty"`
	// Left is how Drawbridge left it: the target of a route, the id of a rule, a digest of a document.
	Left string `json:"left,omitempty"`
	// Past is, of a route, the target of the wider one that it takes traffic out of by its owner's leave; empty if it needed none.
	Past string `json:"past,omitempty"`
	// Needed are the ids of those who need it, sorted; see [Kind].
	Needed []string `json:"needed,omitempty"`
	// Spare are those of Needed in whose eyes something else serves in its place by now: it may go, when they look next.
	Spare []string `json:"spare,omitempty"`
	// By is the execution that intended it. Until it is confirmed, or two minutes old, no other makes the call.
	By string `json:"by,omitempty"`
	// For is who needed it last, while it is leaving.
	For string    `json:"for,omitempty"`
	At  time.Time `json:"at"` // of the state
	// Taken says how often somebody else took it away, and TakenBy who did so last; zero if nobody knows. See package contest.
	Taken   int  `json:"taken,omitempty"`
	TakenBy Hand `json:"takenBy,omitzero"`
	// Seen is the last hand that a record of AWS's saw at the resource, and SeenAt when.
	Seen   Hand      `json:"seen,omitzero"`
	SeenAt time.Time `json:"seenAt,omitzero"`
	// Missed is when it was not there, so soon after it was made that the answer may have been old; nothing was counted.
	Missed time.Time `json:"missed,omitzero"`
	// Made is when Drawbridge's own call made it last, where the step says so: what somebody makes after that is not Drawbridge's.
	Made time.Time `json:"made,omitzero"`

	version int64 // of its row, as it was read
}

// Hand is somebody who changed a thing.
type Hand struct {
	Who  string `json:"who"`            // the ARN of the identity, or what the record has in its place
	Tool string `json:"tool,omitempty"` // by which they did, as package event knows them
}

// Place is the account and Region of an item, with a slash between.
func (i Item) Place() string { return i.Account + "/" + i.Region }

// Same reports whether two items are of the same thing.
func (i Item) Same(o Item) bool { return i.row() == o.row() }

// NeededBy reports whether id needs the item.
func (i Item) NeededBy(id string) bool { return slices.Contains(i.Needed, id) }

func (i Item) row() Key {
	return Key{"resource#" + i.Place() + "/" + i.Resource, string(i.Kind) + "#" + i.Key}
}

// line is the row that says that id needs the item.
func (i Item) line(id string) Key {
	return Key{connectionPart(id), linePrefix + i.Place() + "/" + i.Resource + "#" + string(i.Kind) + "#" + i.Key}
}

const linePrefix = "item#"

func connectionPart(id string) string { return "connection#" + id }

func connectionRow(id string) Key { return Key{connectionPart(id), "connection"} }

func placeRow(s Side, id string) Key { return Key{"place#" + s.Account + "/" + s.Region, id} }

func participantRow(account, region, id string) Key {
	return Key{"participant#" + account + "/" + region, id}
}

// rowOf is the row of the item that a line of a connection names.
func rowOf(line Key) (Key, bool) {
	rest, ok := strings.CutPrefix(line.Sort, linePrefix)
	resource, item, found := strings.Cut(rest, "#")
	return Key{"resource#" + resource, item}, ok && found
}

// tries is how often a write is attempted anew on rows that others changed meanwhile.
const tries = 8

// retry does f until no row that it read was changed before it wrote.
func retry(ctx context.Context, what string, f func() error) error {
	for range tries {
		err := f()
		if !errors.Is(err, ErrChanged) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fault.New(fault.Transient, "writing the ledger's entry of %s: it kept changing under %d attempts", what, tries)
}

func encode(v any) (json.RawMessage, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing the ledger: %w", err)
	}
	return body, nil
}

func decode(row Row, v any) error {
	if err := json.Unmarshal(row.Body, v); err != nil {
		return fmt.Errorf("reading the ledger's row %s %s: %w", row.Part, row.Sort, err)
	}
	return nil
}
