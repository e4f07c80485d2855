package workflow

import (
	"net/netip"
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// Table is a route table as far as a connection is concerned: whose subnets use it, and which of its routes matter.
type Table struct {
	ID      string   `json:"id"`
	Main    bool     `json:"main,omitempty"`
	Subnets []string `json:"subnets,omitempty"` // explicitly associated
	Routes  []Route  `json:"routes,omitempty"`
	Lists   []List   `json:"lists,omitempty"` // live routes to prefix lists
	// Apart says that its owner keeps it out of every connection, by the tag drawbridge:reach. Whether that holds, the side says; see [Side.Overruled].
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
	// StatusResource is the resource that carries this side's status tags: pcx-… or tgw-attach-….
	StatusResource string `json:"statusResource"`
	// Alternates lead to the peer as well, for a pair on a gateway peerings, for a peering gateways: what a table reaches by a live route through one of them
	// needs no second route.
	Alternates []string `json:"alternates,omitempty"`
	// Owner is the account that owns the VPC, where this side is a participant's: VPC.Account is then the participant. Route tables, network ACLs,
	// the carrier are the owner's, and so on its side.
	Owner string `json:"owner,omitempty"`
	// Participants are, on the owner's side, the accounts that the inspection knew to take part in the VPC, sorted.
	Participants []string `json:"participants,omitempty"`
	// Apart are the security groups of this side's clients and databases that their owner keeps out of every connection, by the tag drawbridge:reach, as the
	// inspection read it; sorted. Noted are those that the entry of the connection said before: of databases, the inspection reads the tags of these alone.
	Apart []string `json:"apart,omitempty"`
	Noted []string `json:"noted,omitempty"`
	// Overruled is the policy that forbids this side's owner to keep things out of the connection, by its id: then nothing of theirs is. Empty if none does.
	Overruled string `json:"overruled,omitempty"`
	// Attached are the subnets that the VPC is attached to a transit gateway in; empty for a peering.
	Attached []string `json:"attached,omitempty"`
	// Subnets are the ids of all subnets of the VPC.
	Subnets []string `json:"subnets"`
	// EndSubnets are, over a peering, those in which clients or databases are, of participants too, on the owner's side. What is said of a subnet never changes:
	// nobody has to read it again. DHCP is the id of the VPC's DHCP options, empty if that is not known.
	EndSubnets []EndSubnet `json:"endSubnets,omitempty"`
	DHCP       string      `json:"dhcp,omitempty"`
	// Tables are the VPC's route tables with those routes that touch the peer's CIDRs, as InspectPeering saw them.
	Tables []Table `json:"tables,omitempty"`
	// DNS says whether this side already lets the peer resolve its public DNS names to private addresses.
	DNS bool `json:"dns"`
	// AllowedDatabases are the databases of this side that the policy opens to the peer.
	AllowedDatabases []AllowedDatabase `json:"allowedDatabases,omitempty"`
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
	// Unread is how many of those that may be clients this look did not come to: the next one does. Overlooked says which, as the end of a sentence;
	// empty if all were looked at.
	Unread     int    `json:"unread,omitempty"`
	Overlooked string `json:"overlooked,omitempty"`
	// Unheeded says which tags of the side's things do not bring what they say, for their owner alone: what is shared and of a kind that is not served, what is
	// kept out though a policy forbids that. Empty if there is nothing.
	Unheeded []string `json:"unheeded,omitempty"`
	// Groups are, where nothing is opened here, the security groups of Clients as the inspection read them at GroupsAt, and Owners the accounts whose groups
	// are in the VPC. No groups: they are not all this account's, or have no room in [GroupsSize].
	Groups   []network.Group `json:"groups,omitempty"`
	GroupsAt time.Time       `json:"groupsAt,omitzero"`
	Owners   []string        `json:"owners,omitempty"`
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
	Shut []AllowedDatabase
}

// AllowedDatabase is a database that the policy opens to the other side.
type AllowedDatabase struct {
	Database string   `json:"database"`          // identifier
	Account  string   `json:"account,omitempty"` // the participant's whose it is; empty if it is the VPC's owner's
	Engine   string   `json:"engine"`            // RDS's or "redshift"
	Port     int      `json:"port"`
	Groups   []string `json:"groups"` // security groups of the database
	Subnets  []string `json:"subnets,omitempty"`
	// Network says of which families its addresses are: IPV4, IPV6 or DUAL; empty if that is not known.
	Network string `json:"network,omitempty"`
	// Public says whether it has a public address as well: without, its name leads to a private one everywhere.
	Public network.Answer `json:"public,omitempty"`
	// Silent says what it is, such as stopped, if nothing answers whatever the network does.
	Silent string `json:"silent,omitempty"`
	// CIDRs are the ranges of those subnets: all addresses that the database may have; empty if that is not known.
	CIDRs    []netip.Prefix  `json:"cidrs,omitempty"`
	Decision policy.Decision `json:"decision"`
	// Shared are those of Groups that a database has, too, on the same port, which nobody opens to the other side: with the names of such databases.
	Shared map[string][]string `json:"shared,omitempty"`
	// Withheld says why nothing leads to it: the database stays closed, and its paths fail.
	Withheld *Withheld `json:"barred,omitempty"`
	// Also are databases that nobody opens to the other side and that it could reach all the same, because they share a security group and
	// the port. Only what people are asked about says so.
	Also []string `json:"also,omitempty"`
}

// Withheld says why nothing leads to a database, or back to a client: what nobody shares would be reached as well, or the database's groups are kept out.
type Withheld struct {
	Owner  string `json:"owner"` // the account that can mend it
	Detail string `json:"detail"`
	Remedy string `json:"remedy"`
	// Kept says that its owner wants that, by a tag.
	Kept bool `json:"kept,omitempty"`
}

// EndSubnet is a subnet in which an end of a path is, or may be.
type EndSubnet struct {
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
func (o AllowedDatabase) Family(prefixes []netip.Prefix) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(prefixes), func(p netip.Prefix) bool {
		return o.Network == "IPV4" && !p.Addr().Is4() || o.Network == "IPV6" && p.Addr().Is4()
	})
}
