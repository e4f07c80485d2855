// Package database finds the databases of a VPC: RDS instances, Aurora and Multi-AZ clusters, RDS Proxies, Redshift clusters with their managed
// endpoints, workgroups of Redshift Serverless. It also finds what its owner tagged as a database, and that is of a kind that is not served.
//
//	database.go  the words
//	kinds.go     the table of the kinds
//	read.go      reads what RDS and Redshift list with its tags
//	state.go     the states in which nothing answers
//	port.go      reads at which ports an instance of RDS answers beside its own
//	tagged.go    reads what is found by its tag
//
// It only reads. Whether a database is opened to a consumer is the policy's decision, and pkg/firewall's work.
package database

import (
	"cmp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// Database is one database endpoint in a VPC.
type Database struct {
	ID      string // the identifier, unique per kind, account and Region
	ARN     string
	Engine  string // RDS's engine name (mysql, aurora-postgresql, …) or "redshift"
	Port    int    // TCP. What serves several has an entry for each, all else alike
	TLS     bool   // the port takes TLS alone, beside one that does not
	Groups  []string
	Subnets []string // where its interfaces may be; empty if not known
	Zone    string   // the Availability Zone in which it is, where that is known and its subnets are not
	Tags    map[string]string
	Status  string // AWS's word: "available", "creating", "modifying", …
	Network string // [IPv4], [IPv6] or [Dual]: of which families its addresses are
	// Public says whether it has a public address as well, to which its name leads whoever does not resolve names in its VPC.
	Public network.Answer
	// Member is the cluster of RDS of which it is an instance, by its identifier: who reaches the cluster reaches it, by whichever endpoint.
	Member string
	Empty  bool   // it is a cluster of RDS without an instance
	Why    string // why it is not served, and what to do instead; empty if it is served
}

// Cluster returns the identifier of a database that is a cluster of RDS, of Aurora or Multi-AZ; empty for any other.
func (d Database) Cluster() string {
	if strings.Contains(d.ARN, ":cluster:") && strings.Contains(d.ARN, ":rds:") {
		return d.ID
	}
	return ""
}

// The families of a database's addresses.
const (
	IPv4 = "IPV4"
	IPv6 = "IPV6"
	Dual = "DUAL"
)

// Found is what [Read] found.
type Found struct {
	Databases []Database // in the VPC
	// Unserved are in the VPC, too, if they are of an engine of RDS; those that were found by their tags are anywhere in the account and Region.
	Unserved []Database
	// Unread are those of which something single could not be read, such as their subnet group, so that they may be in the VPC, or have more than what is among
	// Databases: Why says what. All others are known. Nothing of theirs may be taken away because of it.
	Unread []Database
}

// Answers reports whether a database has an endpoint. One that is being created or modified, or that is stopped, may have none: then
// nobody can connect to it, and it is there all the same.
func (d Database) Answers() bool { return d.Port > 0 }

func sorted(databases []Database) []Database {
	slices.SortFunc(databases, func(a, b Database) int {
		return cmp.Or(strings.Compare(a.Engine, b.Engine), strings.Compare(a.ID, b.ID), strings.Compare(a.ARN, b.ARN), cmp.Compare(a.Port, b.Port))
	})
	return databases
}
