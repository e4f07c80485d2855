// Package verdict says of each allowed path of a connection, from a client to a port of a database, whether it is whole.
//
// It is pure: package network judges, hop by hop, what package discover read; here it becomes the lines that people read, few enough for a
// payload, and the numbers that decide about the end of an execution.
//
//	verdict.go  the words
//	plan.go     thinks: judges all pairs, each kind once, and words the lines
//	end.go      the paths as the ledger keeps them
//	fail.go     says what is in the way, to each account its own
package verdict

import (
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Shown is how many paths have a line of their own; the rest is counted.
const Shown = 20

// Client is what opens connections: several that are alike, so that the packets of all of them meet the same.
type Client struct {
	network.Client          // its Name is not used
	Names          []string // as people know them; not all, if they are many
	Count          int      // how many they are
	Account        string   // whose they are: their security groups, their scripts
	// Anywhere says that it is not known in which of the subnets they are.
	Anywhere bool
}

// Database is what answers, on one port.
type Database struct {
	network.Database
	Port     int
	Account  string // whose it is
	Anywhere bool   // it is not known in which of the subnets it is
	Silent   string // what it is, such as stopped, if nothing answers whatever the network does
}

// Ends are the clients of one VPC, and the databases of the other that the policy opens to them: each client has a path to each database.
type Ends struct {
	Clients   []Client
	Databases []Database
}

// A Reason is what a step said of its own work that it did not do, such as a rule that somebody takes away again: why a path fails at a hop.
type Reason struct {
	Hop    string // of a path
	About  string // the route table, the client or the database that it is about; empty: any
	Detail string
	// Owner and Remedy are, where the step asks for something, whom, and what they do: then the path fails at the hop, also if nobody can judge where
	// it leads as it is.
	Owner, Remedy string
}

// The hops of a path at which a step may have a reason, as [network.Judge] names them.
const (
	ClientGroup   = "client group"
	RouteThere    = "route there"
	DatabaseGroup = "database group"
	RouteBack     = "route back"
	Resolution    = "name resolution"
	HostRoute     = "host route"
)

// State is the hop of a database that does not run. It is no network's: what is stopped each night is nothing to mend, and nobody says that it answers.
const State = "database state"

// Paths is what became of all paths of a connection.
type Paths struct {
	Whole   int // every hop was judged, and holds
	Unknown int // no hop fails, and something on the way is outside of what can be judged
	Failed  int // some hop fails
	// Hosts are those of Failed of which the network is whole, and a notebook lacks its host route.
	Hosts int
	// Lines has one for each path, with its hops: first those that fail, then those that are not known; at most [Shown], and one that counts
	// the rest.
	Lines []workflow.Path
	// Ends are the paths that have a line, for the ledger, in the order of Lines.
	Ends []ledger.Path
	// Faults are what is in the way, each once.
	Faults []Fault
}

// All is how many paths there are.
func (p Paths) All() int { return p.Whole + p.Unknown + p.Failed }

// Answers reports whether the network of some path is not known to be broken.
func (p Paths) Answers() bool { return p.Whole+p.Unknown+p.Hosts > 0 }

// Counted says how many of the paths are whole: "2 of 3 paths are whole".
func (p Paths) Counted() string {
	word := "paths are"
	if p.All() == 1 {
		word = "path is"
	}
	said := fmt.Sprintf("%d of %d %s whole", p.Whole, p.All(), word)
	if p.Unknown > 0 {
		said += fmt.Sprintf(", %d cannot be judged to the end", p.Unknown)
	}
	return said
}

// Fault is a hop at which paths fail.
type Fault struct {
	Hop    string
	Owner  string // the account whose thing it is
	Detail string
	Remedy string
	Paths  int // how many fail there
}

// Called is how people know a client: a notebook instance by its name alone.
func Called(name string) string { return strings.TrimPrefix(name, "notebook ") }
