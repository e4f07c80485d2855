// Package tag knows every tag by which somebody asks Drawbridge for something: its key, the kinds of things that may have
// it, what its values mean, and which records of AWS announce that it was set or removed.
//
// It is one table, so that the rules that listen, what reads the events, what reads the values, and the tests of all three
// cannot differ. Tags that Drawbridge itself sets, such as drawbridge:status, are not wishes and not in it; their keys are here.
package tag

import "slices"

// Prefix is what all keys of Drawbridge's tags begin with: those by which owners ask, and those by which it answers.
const Prefix = "drawbridge:"

// The keys of the tags by which owners ask.
const (
	Accept   = "drawbridge:accept"   // may this VPC or transit gateway be connected without being asked?
	Approval = "drawbridge:approval" // the answer to a request that waits
	Attach   = "drawbridge:attach"   // the transit gateway that a VPC asks for
	Client   = "drawbridge:client"   // does what is in this subnet, or has this security group, call databases?
	// who queries an Aurora cluster through the Data API; a secret and a key that open the cluster for them; a VPC from where somebody does
	DataAPI          = "drawbridge:data-api"
	Divert           = "drawbridge:divert"            // what may traffic leave, which a wider route of this table, or of a table of this VPC, leads?
	Manage           = "drawbridge:manage"            // shall Drawbridge take over what was there before it, or let go of it?
	Open             = "drawbridge:open"              // may this security group be opened, though other things have it?
	PrivateNotebooks = "drawbridge:private-notebooks" // a VPC whose notebooks are reached through endpoints only; a role that opens them
	Reach            = "drawbridge:reach"             // how far does a connection go: into all of this VPC, not into this subnet, not in this table, not through this group?
	Restart          = "drawbridge:restart"           // may this notebook be restarted for its host routes?
	Routes           = "drawbridge:routes"            // shall this notebook get host routes?
	Secret           = "drawbridge:secret"            // the secret with the database user of an Aurora cluster
	Share            = "drawbridge:share"             // with whom a database is shared
	Studio           = "drawbridge:studio"            // who reads a Redshift cluster from SageMaker Studio; a role, and a domain, that lets them
	StudioGroups     = "drawbridge:studio-groups"     // the database groups that readers may join
)

// The values of [Manage].
const (
	Take  = "true"  // take it over; what is there stays its owner's
	Leave = "false" // let go of it, and leave everything as it stands
	Undo  = "undo"  // take back what was added for it, then let go of it
)

// The values of [Reach].
const (
	NoReach  = "none" // a subnet, a route table or a security group is kept out of every connection
	WholeVPC = "vpc"  // a connection reaches all of a VPC
)

// The values of [Approval] that say yes.
const (
	Approved       = "approved"     // to what the first question showed
	ApprovedPrefix = "approved-"    // and the digest of a question: to what that one showed
	ApprovedAll    = "approved-all" // to that, and to what comes later
)

// The keys of the tags by which Drawbridge says to people how something stands. Nothing is decided by them.
const (
	Status = "drawbridge:status"
	Reason = "drawbridge:reason"
	Since  = "drawbridge:since" // since when the status is so, in RFC 3339
	Pairs  = "drawbridge:pairs" // on an attachment to a transit gateway: how many connections of its VPC over the gateway stand how
	// The same of a Redshift cluster that Studio users read.
	StudioStatus = "drawbridge:studio-status"
	StudioReason = "drawbridge:studio-reason"
	StudioSince  = "drawbridge:studio-since"
)

// Answers are the keys of the tags by which Drawbridge speaks to people on things that are not its own. Whoever keeps such a thing in code lets these stay.
var Answers = []string{Pairs, Reason, Since, Status, StudioReason, StudioSince, StudioStatus, Unclear}

// Kind is a kind of thing that may have a tag: the resource type of its ARN where that is unambiguous.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
type Kind string

// The kinds of things.
const (
	VPC             Kind = "vpc"
	Peering         Kind = "vpc-peering-connection"
	Gateway         Kind = "transit-gateway"
	Attachment      Kind = "transit-gateway-attachment"
	DBInstance      Kind = "db"
	DBCluster       Kind = "db-cluster" // of RDS, whose ARNs say "cluster"
	DBProxy         Kind = "db-proxy"
	RedshiftCluster Kind = "redshift-cluster" // of Redshift, whose ARNs say "cluster", too
	Workgroup       Kind = "workgroup"        // of Redshift Serverless
	Role            Kind = "role"
	Notebook        Kind = "notebook-instance"
	Domain          Kind = "domain" // of SageMaker Studio
	StoredSecret    Kind = "secret" // of Secrets Manager
	KMSKey          Kind = "key"    // of KMS
	Subnet          Kind = "subnet"
	RouteTable      Kind = "route-table"
	Group           Kind = "security-group"
)

// Wish is one key on one kind of thing.
type Wish struct {
	Key    string
	On     Kind
	Values Values
}

// Wishes are all there are, by kind and key.
var Wishes = []Wish{
	{Accept, VPC, OneOf("auto", "ask", "never").InDoubt("ask")},
	{Attach, VPC, Name},
	{DataAPI, VPC, OneOf("true", "false")},
	{Divert, VPC, Targets},
	{Manage, VPC, OneOf(Take, Leave, Undo)},
	{PrivateNotebooks, VPC, OneOf("true", "false")},
	{Reach, VPC, OneOf(WholeVPC)},
	{Approval, Peering, OneOf(Approved, ApprovedAll, "rejected").OrDigest(ApprovedPrefix)},
	{Manage, Peering, OneOf(Take, Leave, Undo)},
	{Accept, Gateway, OneOf("auto", "ask", "never").InDoubt("ask")},
	{Approval, Attachment, OneOf(Approved, ApprovedAll, "rejected").OrDigest(ApprovedPrefix)},
	{Manage, Attachment, OneOf(Take, Leave, Undo)},
	{Share, DBInstance, AccountsOrAll},
	{Share, DBCluster, AccountsOrAll},
	{Share, DBProxy, AccountsOrAll},
	{DataAPI, DBCluster, Accounts},
	{Manage, DBCluster, OneOf(Take, Leave, Undo)},
	{Secret, DBCluster, Name},
	{Manage, RedshiftCluster, OneOf(Take, Leave, Undo)},
	{Share, RedshiftCluster, AccountsOrAll},
	{Studio, RedshiftCluster, Accounts},
	{StudioGroups, RedshiftCluster, Names},
	{Share, Workgroup, AccountsOrAll},
	{Studio, Workgroup, Accounts},
	{PrivateNotebooks, Role, OneOf("true", "false")},
	{Studio, Role, OneOf("true", "false")},
	{Studio, Domain, OneOf("true", "false")},
	{Restart, Notebook, OneOf("allowed", "never")},
	{Routes, Notebook, OneOf("on", "off").InDoubt("off")},
	{DataAPI, StoredSecret, Clusters},
	{DataAPI, KMSKey, Clusters},
	{Client, Subnet, OneOf("true", "false")},
	{Reach, Subnet, OneOf(NoReach)},
	{Divert, RouteTable, Targets},
	{Reach, RouteTable, OneOf(NoReach)},
	{Client, Group, OneOf("true", "false")},
	{Open, Group, OneOf("true", "false")},
	{Reach, Group, OneOf(NoReach)},
}

// Letting returns what the owners of a thing say with the tag [Manage] about letting go of it, of which each has tags of its own: [Undo] if one of them
// says so, else [Leave] if one does, else "".
func Letting(tags ...map[string]string) string {
	says := ""
	for _, t := range tags {
		if v := t[Manage]; v == Undo || v == Leave && says == "" {
			says = v
		}
	}
	return says
}

// Keys returns the keys that things of these kinds may have, sorted; of no kind, all.
func Keys(kinds ...Kind) []string {
	var keys []string
	for _, w := range Wishes {
		if len(kinds) == 0 || slices.Contains(kinds, w.On) {
			keys = append(keys, w.Key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
