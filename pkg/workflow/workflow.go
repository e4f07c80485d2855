// Package workflow is the contract between the state machines and the functions: what each step takes, what it
// returns, and under which name its errors are known.
//
// Every input is decoded strictly: a field that nobody here knows is an error, because the only sender is our own
// machine definition, and a misspelled field must not pass as an absent one. Events from AWS are the opposite;
// they are read by pkg/event, tolerantly.
package workflow

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// A Result is the end state of an execution, as people meet it: as the name of the machine's last state, in the
// execution's output and in the tag drawbridge:status.
type Result string

// The end states. docs/runbook.md has an entry for each.
const (
	Connected        Result = "Connected"
	PartlyConnected  Result = "PartlyConnected" // some of the allowed paths are not whole
	PendingApproval  Result = "PendingApproval" // connected as approved; what came later waits for the owner
	AwaitingApproval Result = "AwaitingApproval"
	RefusedByPolicy  Result = "Refused"
	Nothing          Result = "Nothing"
	InLine           Result = "InLine"    // of the Notebook machine
	Announced        Result = "Announced" // of the Change machine: a look at each peering was asked for
	Swept            Result = "Swept"     // of the Sweep machine

	// PartlySwept is the end of a sweep that could not look through every account.
	PartlySwept Result = "PartlySwept"

	// The ends of the Rebuild machine.
	Rebuilt       Result = "Rebuilt"
	PartlyRebuilt Result = "PartlyRebuilt" // it could not look through every account

	// Unreadable is the end of a look at a thing of which something cannot be read now: nothing goes for it, and the next sweep looks again.
	Unreadable Result = "Unreadable"

	// Released is the end of a connection that its owner took out of Drawbridge's hands, as it stands.
	Released Result = "Released"

	// The ends of a peering that is no more, once what Drawbridge added for it is gone.
	Removed   Result = "Removed"   // it was active and somebody deleted it
	Rejected  Result = "Rejected"  // the accepter rejected the request
	Expired   Result = "Expired"   // nobody answered the request within seven days
	Withdrawn Result = "Withdrawn" // the requester deleted the request before it was accepted
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

// Carrier is a resource that carries Drawbridge's tags on one side of a connection, with the keys of those tags.
type Carrier struct {
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

// Table is a route table as far as a connection is concerned: whose subnets use it, and which of its routes matter.
type Table struct {
	ID      string   `json:"id"`
	Main    bool     `json:"main,omitempty"`
	Subnets []string `json:"subnets,omitempty"` // explicitly associated
	Routes  []Route  `json:"routes,omitempty"`
	Lists   []List   `json:"lists,omitempty"` // live routes to prefix lists
	// Apart says that its owner keeps it out of every connection, by the tag drawbridge:reach.
	Apart bool `json:"apart,omitempty"`
	// Divert is the table's tag drawbridge:divert: what traffic may leave, as far as its owner says.
	Divert string `json:"divert,omitempty"`
}

// Route is one entry of a route table. Target is the id of what the route points to (pcx-…, tgw-…, nat-…, "local").
type Route struct {
	Destination netip.Prefix `json:"destination"`
	Target      string       `json:"target"`
	Blackhole   bool         `json:"blackhole,omitempty"`
	Propagated  bool         `json:"propagated,omitempty"`
	List        string       `json:"list,omitempty"` // pl-…, if it is there as an entry of a prefix list
}

// List is a route to all entries of a prefix list.
type List struct {
	ID        string `json:"id"` // pl-…
	Target    string `json:"target"`
	Blackhole bool   `json:"blackhole,omitempty"`
}

// Side is one end of a connection with what is to be done there.
type Side struct {
	Role     string `json:"role"` // "requester" or "accepter"
	Consumer bool   `json:"consumer"`
	VPC      VPC    `json:"vpc"`
	Peer     VPC    `json:"peer"`
	// Carrier is the resource that carries this side's status tags: pcx-… or tgw-attach-….
	Carrier string `json:"carrier"`
	// Beside are peerings that lead to the peer as well: what a table reaches by a live route through one of them needs no
	// second route.
	Beside []string `json:"beside,omitempty"`
	// Owner is the account that owns the VPC, where this side is a participant's: VPC.Account is then the participant. Route tables, network ACLs,
	// the carrier are the owner's, and so on its side.
	Owner string `json:"owner,omitempty"`
	// Participants are, on the owner's side, the accounts that the inspection knew to take part in the VPC, sorted.
	Participants []string `json:"participants,omitempty"`
	// Attached are the subnets that the VPC is attached to a transit gateway in; empty for a peering.
	Attached []string `json:"attached,omitempty"`
	// Subnets are the ids of all subnets of the VPC.
	Subnets []string `json:"subnets"`
	// Seats are, over a peering, those in which clients or databases are, of participants too, on the owner's side. What is said of a subnet never changes:
	// nobody has to read it again. DHCP is the id of the VPC's DHCP options, empty if that is not known.
	Seats []Seat `json:"seats,omitempty"`
	DHCP  string `json:"dhcp,omitempty"`
	// Tables are the VPC's route tables with those routes that touch the peer's CIDRs, as InspectPeering saw them.
	Tables []Table `json:"tables,omitempty"`
	// DNS says whether this side already lets the peer resolve its public DNS names to private addresses.
	DNS bool `json:"dns"`
	// Openings are the databases of this side that the policy opens to the peer.
	Openings []Opening `json:"openings,omitempty"`
	// Ports are the TCP ports of the peer's opened databases: what this side's clients must be able to reach.
	Ports []int `json:"ports,omitempty"`
	// Goals are the ranges of those databases' subnets, as few as possible; empty if that is not known of one.
	Goals []netip.Prefix `json:"goals,omitempty"`
	// Services are those ports, each with where the databases are that answer on it.
	Services []Service `json:"services,omitempty"`
	// Refers says that a rule of a security group here may refer to groups of the account that owns the peer VPC.
	Refers bool `json:"refers,omitempty"`
	// Clients are what calls the peer's databases from here, if some are open to it, as the inspection read them once. On a side of a participant
	// they are the participant's, on the owner's side the owner's.
	Clients []Client `json:"clients,omitempty"`
	// Overlooked says which clients were not looked at, as the end of a sentence; empty if all were.
	Overlooked string `json:"overlooked,omitempty"`
	// Callers are the peer's clients, those of its participants among them, if a database is open to them.
	Callers Callers `json:"callers,omitzero"`
	// Whole says that its owner wants the connection to reach all of the VPC, by the tag drawbridge:reach, and the policy allows it.
	Whole bool `json:"whole,omitempty"`
	// Ways are, on the owner's side, what the route tables have to lead to the peer, and Aims all that is to be reached there; no aims if that is not known.
	Ways []Way          `json:"ways,omitempty"`
	Aims []netip.Prefix `json:"aims,omitempty"`
	// Diverts say, on the owner's side, which traffic may leave what its route tables lead it to.
	Diverts Diverts `json:"diverts,omitempty"`
	// Unseen is kept while both sides are surveyed; it does not travel.
	Unseen Unseen `json:"-"`
	// Trim goes with the answer trim: what goes from this side while the connection stays. Without it, all goes.
	Trim *Trim `json:"trim,omitempty"`
}

// Unseen says of a side's Region, and of its peer's, that a service of databases is not found there, or that a database there has no endpoint
// now. There may be databases that nobody sees: what may serve one is not taken away.
type Unseen struct {
	Here, There bool
	Seen        []string // security groups of the databases that are seen here
	// Waiting are the security groups of the databases here that answer without an endpoint.
	Waiting []string
	// Shut are the databases here that the policy does not open to the peer, though their owners' tags do not say that they are for others.
	Shut []Opening
}

// Opening is a database that the policy opens to the other side.
type Opening struct {
	Database string   `json:"database"`          // identifier
	Account  string   `json:"account,omitempty"` // the participant's whose it is; empty if it is the VPC's owner's
	Engine   string   `json:"engine"`            // RDS's or "redshift"
	Port     int      `json:"port"`
	Groups   []string `json:"groups"` // security groups of the database
	Subnets  []string `json:"subnets,omitempty"`
	// Network says of which families its addresses are: IPV4, IPV6 or DUAL; empty if that is not known.
	Network string `json:"network,omitempty"`
	// Private says that it has no public address, so that its name leads to a private one everywhere; else that is not known.
	Private bool `json:"private,omitempty"`
	// CIDRs are the ranges of those subnets: all addresses that the database may have; empty if that is not known.
	CIDRs    []netip.Prefix  `json:"cidrs,omitempty"`
	Decision policy.Decision `json:"decision"`
	// Shared are those of Groups that a database has, too, on the same port, which nobody opens to the other side: with the names of such databases.
	Shared map[string][]string `json:"shared,omitempty"`
	// Also are databases that nobody opens to the other side and that it could reach all the same, because they share a security group and
	// the port. Only what people are asked about says so.
	Also []string `json:"also,omitempty"`
}

// Seat is a subnet in which an end of a path is, or may be.
type Seat struct {
	ID      string         `json:"id"`
	CIDRs   []netip.Prefix `json:"cidrs"`
	Zone    string         `json:"zone"`
	ZoneID  string         `json:"zoneId,omitempty"`
	Outpost string         `json:"outpost,omitempty"`
}

// Service is a TCP port on which opened databases answer.
type Service struct {
	Port int `json:"port"`
	// CIDRs are the ranges of the databases' subnets, as few prefixes as possible; all that comes there, if that of one is not known.
	CIDRs []netip.Prefix `json:"cidrs"`
	// Groups are the sets of security groups that one of the databases has.
	Groups [][]string `json:"groups,omitempty"`
}

// Family returns those of prefixes that are of a family in which the database has addresses.
func (o Opening) Family(prefixes []netip.Prefix) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(prefixes), func(p netip.Prefix) bool {
		return o.Network == "IPV4" && !p.Addr().Is4() || o.Network == "IPV6" && p.Addr().Is4()
	})
}

// Request is who asks for a connection, and why, as far as they say: for people to read.
type Request struct {
	By  string `json:"by"`  // the ARN of the identity
	Why string `json:"why"` // their tag drawbridge:reason
	// Approve is the value of the tag drawbridge:approval that answers the question with yes; empty if nobody is asked.
	Approve string `json:"approve,omitempty"`
}

// Waiting is what came to a connection after an owner approved it, and waits for their answer. Nothing waits if nothing is said.
type Waiting struct {
	Said Said `json:"said,omitzero"` // to the two sides
	// The rest is there if the owner is to be asked, and was not before. Thing is what was approved: the peering, or an attachment; Account and
	// Region are its owner's.
	Thing     string      `json:"thing,omitempty"`
	Account   string      `json:"account,omitempty"`
	Region    string      `json:"region,omitempty"`
	Ranges    []Ranged    `json:"ranges,omitempty"`
	Reachable []Reachable `json:"reachable,omitempty"`
	// Shown is what of both the question shows, as package cover writes it.
	Shown []string `json:"shown,omitempty"`
	// Decision is the policy's, by which the owner is asked; empty if another execution asked it.
	Decision policy.Decision `json:"decision,omitzero"`
	Request  Request         `json:"request,omitzero"`
	Known    Known           `json:"known,omitzero"` // the two VPCs and their accounts
}

// Ranged is a range of a VPC.
type Ranged struct {
	CIDR netip.Prefix `json:"cidr"`
	VPC  VPC          `json:"vpc"`
}

// AskAgainInput is what came to a connection that stands, and of whom to ask.
type AskAgainInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
	Waits      Waiting    `json:"-"` // rows of the ledger
}

// AskAgainOutput says whether the owner was asked now.
type AskAgainOutput struct {
	Asked bool `json:"asked"`
}

// Notebook is a notebook instance of a consumer VPC with what the policy allows to do for it.
type Notebook struct {
	Account         string          `json:"account"`
	Region          string          `json:"region"`
	VPC             string          `json:"vpc,omitempty"`
	Owner           string          `json:"owner,omitempty"` // of the VPC, if that is another account
	Name            string          `json:"name"`
	ARN             string          `json:"arn"`
	Subnet          string          `json:"subnet"`
	SubnetCIDR      netip.Prefix    `json:"subnetCidr"`
	SubnetCIDRv6    netip.Prefix    `json:"subnetCidrV6,omitzero"`
	Status          string          `json:"status"`
	DirectInternet  bool            `json:"directInternet"`
	LifecycleConfig string          `json:"lifecycleConfig,omitempty"`
	Tag             string          `json:"tag,omitempty"`  // its tag drawbridge:status
	Said            string          `json:"said,omitempty"` // its tag drawbridge:reason
	Inject          policy.Decision `json:"inject"`
	Restart         policy.Decision `json:"restart"`
	// Asks says that its owner asks for host routes by tag: then to all that its route table reaches, else to what is managed.
	Asks    bool   `json:"asks,omitempty"`
	Unclear string `json:"unclear,omitempty"` // which of its tags mean nothing, as the end of a sentence
}

// Known is what an earlier look read and a later one, or the step that asks an owner, need not read again. Of a look at a peering it is rows of the
// ledger.
type Known struct {
	Requester *Facts `json:"requester,omitempty"`
	Accepter  *Facts `json:"accepter,omitempty"`
	// Sides and Batches are what there is to connect, as it was found before the peering was accepted.
	Sides   []Side  `json:"-"`
	Batches []Batch `json:"-"`
	Closed  []Hop   `json:"-"` // the databases that stay closed, with why
}

// Looked is how far the looks at a peering are in one execution.
type Looked struct {
	// Accepted says that a look of this execution let the peering be accepted: the ledger has what it found.
	Accepted bool `json:"accepted,omitempty"`
	// Trimmed says that this execution took away what the connection has no use for any more, to its last step.
	Trimmed bool `json:"trimmed,omitempty"`
}

// Facts are what AWS says about one VPC and its account.
type Facts struct {
	VPC     VPC               `json:"vpc"`
	Name    string            `json:"name,omitempty"` // the VPC's Name tag
	Tags    map[string]string `json:"tags,omitempty"`
	Account AccountFacts      `json:"account"`
	Tables  []Table           `json:"tables,omitempty"`
	DHCP    string            `json:"dhcp,omitempty"` // the id of its DHCP options
}

// AccountFacts are what AWS Organizations says about an account.
type AccountFacts struct {
	ID           string `json:"id"`
	Name         string `json:"name,omitempty"`
	Organization string `json:"organization"` // o-…, empty: not a member
	OUPath       string `json:"ouPath"`       // o-…/r-…/ou-…/
	// Suspended is the state of an account of the organization that is not active now, such as SUSPENDED. It begins nothing, and nothing in it
	// can be read: what it has stays.
	Suspended string `json:"suspended,omitempty"`
	// Units are the names of the units of the path, with slashes between: for people to read, who are asked about the account.
	Units string `json:"units,omitempty"`
}

// Unreadable returns the error with which nothing of a suspended account is read, nil for any other; see [fault.Unreadable].
func (f AccountFacts) Unreadable() error {
	if f.Suspended == "" {
		return nil
	}
	return &fault.Error{Kind: fault.Refused, Cause: fault.ErrSuspended, Message: fmt.Sprintf("account %s is %s, so that nothing in it can be read now", f.ID, f.Suspended)}
}

// Unit says in which unit the account is, for people: by name, or by the path if the names are not known.
func (f AccountFacts) Unit() string {
	if f.Units == "" {
		return f.OUPath
	}
	return f.Units + "  " + f.OUPath
}

// InspectPeeringInput starts or continues a look at one peering.
type InspectPeeringInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
	Looked    Looked          `json:"looked"`
	Known     Known           `json:"-"` // rows of the ledger
}

// Raw returns the execution's name and the event as it came.
func (in InspectPeeringInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// An Answer is what InspectPeering wants to happen next.
type Answer string

// The answers.
const (
	AnswerAccept     Answer = "accept"
	AnswerWait       Answer = "wait"
	AnswerConnect    Answer = "connect"
	AnswerExtend     Answer = "extend" // connect, and ask about what came after the approval
	AnswerTrim       Answer = "trim"
	AnswerConflict   Answer = "conflict"
	AnswerAsk        Answer = "ask"
	AnswerRefuse     Answer = "refuse"
	AnswerDisconnect Answer = "disconnect"
	AnswerNothing    Answer = "nothing"
	AnswerUnreadable Answer = "unreadable" // something cannot be read now: nothing is taken away, and a sweep looks again
)

// InspectPeeringOutput is the answer and what the following states need to follow it. What they work on is rows of the ledger, see [Findings].
type InspectPeeringOutput struct {
	Result     Result          `json:"result,omitempty"` // only with the answers nothing and disconnect
	Answer     Answer          `json:"answer"`
	Reason     string          `json:"reason"`
	Said       Said            `json:"said"` // what of the reason each side is told
	Request    Request         `json:"request"`
	Decision   policy.Decision `json:"decision"`
	Event      json.RawMessage `json:"event"`
	Looked     Looked          `json:"looked"`
	Known      Known           `json:"-"`
	Connection Connection      `json:"connection"`
	// Reject says whether a refused request may also be rejected at AWS.
	Reject policy.Decision `json:"reject"`
	// Members are the roles ("requester", "accepter") whose account belongs to the organization; only there
	// can Drawbridge leave a status.
	Members []string `json:"members"`
	// Told says, with the answer ask, that the approver was told of exactly this before.
	Told bool `json:"told"`
	// Reminded says, with the answer ask, that people were told that the request is stuck.
	Reminded bool `json:"reminded"`
	// Expires is when the request ends by itself if nobody answers it; empty if AWS does not say.
	Expires string `json:"expires"` // RFC 3339
	// Since is when the event happened that started the execution.
	Since string `json:"since"` // RFC 3339, empty if the event does not say
	// Sides say what is to be done on each side. With the answer ask, only which databases would be opened. With the
	// answer disconnect, only those of which the ledger has something, or that have notebooks; the steps read there what it is. With
	// the answer trim, those where something has no use any more. Rows are their numbers.
	Sides []Side `json:"-"`
	Rows  []int  `json:"sides"`
	// Notebooks are the numbers of the ledger's rows that name the notebooks, and Batches what stands there.
	Notebooks []int   `json:"notebooks"`
	Batches   []Batch `json:"-"`
	// Found goes with the answer connect: what is in order already.
	Found []Hop `json:"-"`
	// Tagged and Absent go with the answer disconnect: what carries Drawbridge's tags, and the sides that are gone or
	// closed to us, with what that means for what was added there.
	Tagged []Carrier `json:"tagged"`
	Absent []Hop     `json:"-"`
	// Waits is what of the connection waits for the owner's approval.
	Waits Waiting `json:"-"`
	// Ended says, with the answer disconnect, that nothing of the connection is left when that is done, and nothing can come of it any
	// more: the ledger forgets it.
	Ended bool `json:"ended"`
}

// AcceptPeeringInput names the peering to accept.
type AcceptPeeringInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
}

// AcceptPeeringOutput says what AWS answered.
type AcceptPeeringOutput struct {
	Status string `json:"status"`
}

// ConcludeInput is the input of AskApproval and RefusePeering: an answer that ends the execution.
type ConcludeInput struct {
	Execution  string          `json:"execution"`
	Connection Connection      `json:"connection"`
	Known      Known           `json:"-"`
	Members    []string        `json:"members"`
	Reason     string          `json:"reason"`
	Said       Said            `json:"said"`
	Request    Request         `json:"request"`
	Decision   policy.Decision `json:"decision"`
	Reject     policy.Decision `json:"reject"`
	Told       bool            `json:"told"`
	Reminded   bool            `json:"reminded"`
	Expires    string          `json:"expires"`
	Sides      []Side          `json:"-"`
}

// ConcludeOutput is the output of an execution that ended without a connection.
type ConcludeOutput struct {
	Result   Result          `json:"result"`
	Reason   string          `json:"reason"`
	Decision policy.Decision `json:"decision"`
}

// AllowDNSResolutionInput is the input of AllowDnsResolution, with what each side's DNS option is now, and of RestoreDnsResolution.
type AllowDNSResolutionInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
	Answer     Answer     `json:"answer"`
	Sides      []Side     `json:"-"` // rows of the ledger
}

// HopsOutput is the output of a step that only has hops to tell.
type HopsOutput struct {
	Hops []Hop `json:"hops"`
}

// SideInput is the input of AddRoutes, OpenFirewall, CloseFirewall and RemoveRoutes: one side of a connection, by its number.
type SideInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
	Answer     Answer     `json:"answer"`
	Row        int        `json:"row"`
	Side       Side       `json:"-"` // rows of the ledger
}

// AddRoutesOutput is what the route tables of one side hold afterwards.
type AddRoutesOutput struct {
	Account string `json:"account"`
	VPC     string `json:"vpc"`
	Hops    []Hop  `json:"hops"`
	// Tables carries, of each table in use, the routes that a notebook behind it needs as host routes.
	Tables []Table `json:"tables"`
}

// AttachRoutesInput names a notebook and the route tables that tell its routes. Without a connection, they tell all of them.
type AttachRoutesInput struct {
	Execution  string            `json:"execution"`
	Connection Connection        `json:"connection"`
	Routed     []AddRoutesOutput `json:"routed"`
	Notebook   Notebook          `json:"notebook"`
	Phase      Phase             `json:"phase"`
}

// A Phase is how far an execution is with restarting a notebook.
type Phase string

// The phases.
const (
	PhaseUntouched Phase = "untouched" // this execution may not stop it
	PhaseOwed      Phase = "owed"      // this execution owes it a restart
	PhaseStopped   Phase = "stopped"   // this execution stopped it and owes it a start
	PhaseStarted   Phase = "started"   // this execution started it again
)

// AttachRoutesOutput says how far the notebook is: done, or what the machine must do before trying again.
type AttachRoutesOutput struct {
	Answer string `json:"answer"` // done, stop, wait or start
	Hops   []Hop  `json:"hops"`
}

// InspectNotebooksInput starts a look at the notebooks that an event concerns.
type InspectNotebooksInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
}

// Raw returns the execution's name and the event as it came.
func (in InspectNotebooksInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// InspectNotebooksOutput says which notebooks must be brought in line with which route tables.
type InspectNotebooksOutput struct {
	Result Result `json:"result"` // InLine or Nothing
	Answer string `json:"answer"` // inject or nothing
	Reason string `json:"reason"`
	// Connection is empty: the routes are whatever the tables hold, not those of one connection.
	Connection Connection        `json:"connection"`
	Routed     []AddRoutesOutput `json:"routed"`
	Notebooks  []Notebook        `json:"notebooks"`
	// Phase is how far the notebooks' restart is: owed or stopped in an execution that owes one a restart, else untouched.
	Phase Phase `json:"phase"`
}

// NotebookInput is the input of StopNotebook and StartNotebook.
type NotebookInput struct {
	Execution string   `json:"execution"`
	Notebook  Notebook `json:"notebook"`
}

// NotebookOutput says how far the execution is with the notebook.
type NotebookOutput struct {
	Phase Phase `json:"phase"`
}

// VerifyConnectionInput names a connection that was set up. What the steps before found and did is rows of the ledger.
type VerifyConnectionInput struct {
	Execution  string     `json:"execution"`
	Since      string     `json:"since"` // when the event happened; empty if unknown
	Reason     string     `json:"reason"`
	Connection Connection `json:"connection"`
	Answer     Answer     `json:"answer"`

	Sides    []Side            `json:"-"`
	Found    []Hop             `json:"-"` // in order before
	DNS      HopsOutput        `json:"-"`
	Waits    Waiting           `json:"-"`
	Routed   []AddRoutesOutput `json:"-"`
	Opened   []HopsOutput      `json:"-"`
	Batches  []Batch           `json:"-"` // of notebooks, and what became of each
	Injected []NotebooksOutput `json:"-"`
}

// VerifyConnectionOutput is the output of an execution that ended Connected, PartlyConnected, PendingApproval or Contested. The verdict has a line
// for each path, up to some, and what else there is to say.
type VerifyConnectionOutput struct {
	Result  Result `json:"result"`
	Reason  string `json:"reason"`
	Verdict []Path `json:"verdict"`
}

// RemoveRoutesOutput is what the route tables of one side hold afterwards.
type RemoveRoutesOutput struct {
	Account string `json:"account"`
	VPC     string `json:"vpc"`
	Hops    []Hop  `json:"hops"`
}

// Disconnected is one side after both steps of taking a connection away from it.
type Disconnected struct {
	Connection Connection         `json:"connection"`
	Side       Side               `json:"side"`
	Closed     HopsOutput         `json:"closed"`
	Removed    RemoveRoutesOutput `json:"removed"`
}

// ConcludeRemovalInput names a connection that was taken away. What the steps before removed, or could not, is rows of the ledger.
type ConcludeRemovalInput struct {
	Execution  string     `json:"execution"`
	Result     Result     `json:"result"`
	Reason     string     `json:"reason"`
	Said       Said       `json:"said"` // empty: both sides are told the reason
	Connection Connection `json:"connection"`
	Tagged     []Carrier  `json:"tagged"`
	Ended      bool       `json:"ended"`

	Absent       []Hop             `json:"-"`
	Disconnected []Disconnected    `json:"-"`
	Withdrawn    []NotebooksOutput `json:"-"`
	DNS          HopsOutput        `json:"-"`
}

// ConcludeRemovalOutput is the output of an execution that took a connection away, or found none to take away.
type ConcludeRemovalOutput struct {
	Result  Result `json:"result"`
	Reason  string `json:"reason"`
	Verdict []Hop  `json:"verdict"`
}

// FindConnectionsInput starts a look for the connections that a change concerns.
type FindConnectionsInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
}

// Raw returns the execution's name and the event as it came.
func (in FindConnectionsInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// FindConnectionsOutput says for how many peerings and attachments a look was asked.
type FindConnectionsOutput struct {
	Result    Result `json:"result"` // Announced or Nothing
	Reason    string `json:"reason"`
	Announced int    `json:"announced"`
	// Tagged are the things whose tags the event says were set or removed; an empty list, never null.
	Tagged []TaggedThing `json:"tagged"`
	// Contested is the connection whose owners may have to be told that something of it is contested; empty if there is none.
	Contested string `json:"contested"`
}
