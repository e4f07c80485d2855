// Package policy decides who may connect to what. Every change that Drawbridge makes is asked for first, and what
// answers is a policy in Cedar (https://docs.cedarpolicy.com), written by the organization: one text, kept in a
// parameter, that can change without a redeploy.
//
//	set, err := policy.Parse("policy.cedar", text)     // once: syntax, names, types; errors carry file:line:column
//	d := set.Answer(requester, accepter, context)      // accept, ask or refuse a peering request
//	d := set.Open(consumer, database, context)         // and so on: Route, Inject, Restart, Reject
//
// A question has the form: may PRINCIPAL do ACTION to RESOURCE? The principal is always the VPC that gains something,
// the resource what it gains it from:
//
//	Accept, Ask, Reject   the requester's VPC   the accepter's VPC
//	Adopt                 the VPC whose owner asks for it   the VPC that it is peered with
//	Route                 the VPC whose route tables change   the VPC that the routes lead to
//	Restore               the VPC at the other end   the VPC in whose account somebody took it away
//	Divert                the VPC at the other end   the route table whose traffic goes through the connection instead
//	Widen                 the VPC at the other end   the VPC of which all is connected
//	Exclude               the VPC at the other end   the VPC in which an owner keeps things out
//	Connect               the consumer's VPC    the producer's VPC
//	Open                  the consumer's VPC    a database
//	Inject, Restart       the VPC that the host routes lead to   a notebook
//	Expose                a VPC               a service that it gets an endpoint of
//	Identify              an execution role of a Studio domain   a Redshift cluster
//	AcceptShare           the account that shares   the account that it shares with
//	Attach, AcceptAttachment, AskAttachment, AdoptAttachment, Associate, RejectAttachment   a VPC   a transit gateway
//	Admit                 a consumer account    an Aurora cluster
//
// Nothing is allowed unless a policy permits it, and a forbid beats every permit. Exclude alone is allowed unless a policy forbids it: who keeps
// out what is their own takes from nobody. The [Decision] names the policy that made it, by its @id. Three rules go beyond Cedar's own and all deny:
//
//   - A VPC has several CIDRs, and Cedar cannot loop. So a question about VPCs is asked once for each pair of a CIDR of
//     the principal and a CIDR of the resource (attribute cidr), and allowed only if it is allowed for every pair.
//   - A forbid that cannot be evaluated (an overflow, say) denies, where Cedar would skip it.
//   - A question with missing facts (no account, Region or CIDR, or no path although the policy speaks of organizational
//     units) is denied: a forbid could otherwise be passed by saying nothing.
//
// To deny Exclude is to lead to what its owner keeps out, so the last two do not hold there.
//
// The files: policy.go has the words, entity.go says them in Cedar, parse.go and validate.go read a policy, decide.go
// asks it. schema.cedarschema lists what a policy can speak of, default.cedar is the policy that comes with Drawbridge.
// docs/policy.md is for those who write policies.
package policy

import "net/netip"

// An Action is what a policy is asked to allow.
type Action string

// The actions. schema.cedarschema says which principal and resource belong to each.
const (
	Accept  Action = "Accept"  // accept a peering request
	Ask     Action = "Ask"     // ask the accepter's owner for approval
	Adopt   Action = "Adopt"   // take over a peering that was there before Drawbridge
	Reject  Action = "Reject"  // reject a peering request at AWS, rather than let it expire
	Route   Action = "Route"   // add routes from one VPC to another
	Open    Action = "Open"    // open a database's security groups
	Inject  Action = "Inject"  // write host routes into a notebook's lifecycle configuration
	Restart Action = "Restart" // stop and start a running notebook
	Connect Action = "Connect" // connect two VPCs that are attached to one transit gateway
	Restore Action = "Restore" // put back once what somebody took away of a connection
	Widen   Action = "Widen"   // connect all of a VPC, as its owner asks, instead of what calls and answers there
	Exclude Action = "Exclude" // keep things out of a connection, as their owner asks; allowed unless a policy forbids it
	// Divert adds a route to a table that leads the same addresses elsewhere by a live wider one: traffic leaves what that leads to.
	Divert Action = "Divert"
	// Expose gives a VPC an interface endpoint of a service.
	Expose Action = "Expose"
	// Identify lets an execution role of a Studio domain query a Redshift cluster, each person under their own name.
	Identify Action = "Identify"

	AcceptShare      Action = "AcceptShare"      // accept RAM's invitation to a share of transit gateways
	Attach           Action = "Attach"           // attach a VPC to a transit gateway
	AcceptAttachment Action = "AcceptAttachment" // accept, as the gateway's owner, an attachment that waits for it
	AskAttachment    Action = "AskAttachment"    // ask the gateway's owner for approval
	AdoptAttachment  Action = "AdoptAttachment"  // take over an attachment that was there before Drawbridge
	Associate        Action = "Associate"        // associate and propagate an attachment, as the gateway's owner
	RejectAttachment Action = "RejectAttachment" // reject an attachment at AWS, rather than leave it pending
	// Admit lets an account query an Aurora cluster through the Data API.
	Admit Action = "Admit"
)

// Actions lists every action.
func Actions() []Action {
	return []Action{Accept, Ask, Adopt, Reject, Route, Open, Inject, Restart, Connect, Restore, Widen, Exclude, Divert, Identify, AcceptShare, Attach, AcceptAttachment, AskAttachment, AdoptAttachment, Associate, RejectAttachment, Admit, Expose}
}

// DefaultDeny is the Policy of a decision that no policy made: nothing permitted what was asked.
const DefaultDeny = "default-deny"

// DefaultPermit is the Policy of a decision about Exclude that no policy made: nothing forbade what was asked.
const DefaultPermit = "default-permit"

// MissingFacts is the Policy of a denial for want of facts: the question could not be put to the policies.
const MissingFacts = "missing-facts"

// A Decision is the answer to one question.
type Decision struct {
	Action  Action `json:"action"`
	Allowed bool   `json:"allowed"`
	// Policy is the @id of the policy that decided, [DefaultDeny], [DefaultPermit] or [MissingFacts].
	Policy string `json:"policy"`
	// Reason is for people: the deciding policy's @reason, else a sentence that says who was asked about what.
	Reason string `json:"reason,omitempty"`
	// AtOnce is how many things of one account and Region it is done for at once, by the deciding policy's @at_once; 0 if that says nothing.
	AtOnce int `json:"atOnce,omitempty"`
}

// An Account is what AWS Organizations says about an account.
type Account struct {
	ID   string // 12 digits
	Name string
	// Organization is the id of the organization (o-…), empty for an account that belongs to none that we know.
	Organization string
	// OUPath is the way from the organization to the account, "o-…/r-…/ou-…/", as in the condition key
	// aws:PrincipalOrgPaths. An account id at its end, as DescribeAccount returns it, is ignored.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths
	OUPath string
}

// A VPC is a principal of every action and the resource of those that concern a whole VPC.
type VPC struct {
	ID      string
	Region  string
	Account Account
	CIDRs   []netip.Prefix // primary and secondary, IPv4 and IPv6; at least one
	Tags    map[string]string
}

// A Database is an RDS instance, an Aurora cluster or a Redshift cluster.
type Database struct {
	ARN    string // its entity id in a policy; ID where there is none
	ID     string
	Engine string // RDS's name of it, or "redshift"
	Port   int
	TLS    bool // the port takes TLS alone, beside one that does not
	Tags   map[string]string
	VPC    VPC
}

// A Notebook is a SageMaker notebook instance.
type Notebook struct {
	ARN  string // its entity id in a policy; Name where there is none
	Name string
	Tags map[string]string
	VPC  VPC
}

// Table is a route table of a VPC, which answers for it.
type Table struct {
	ID   string            // rtb-…
	Tags map[string]string // of Drawbridge's keys; those of its VPC are not in it
	VPC  VPC
}

// Context is what is known about the occasion, apart from principal and resource.
type Context struct {
	// Approval is what the accepter's owner said: "", "approved" or "rejected"; where Adopt is asked, what the owner of the other VPC said.
	Approval string
	// Connection is the id of the connection (pcx-…, or tgw-…:vpc-…:vpc-…), if there is one.
	Connection string
	// Databases is how many databases of the resource the policy opens to the principal (Connect).
	Databases int
	// Leaves is what traffic would leave (Divert): the target of the route that leads it now, such as tgw-….
	Leaves string
}
