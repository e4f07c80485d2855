// Package database finds the databases of a VPC: RDS instances, Aurora and Multi-AZ clusters, Redshift clusters.
//
// It only reads. Whether a database is opened to a consumer is the policy's decision, and pkg/firewall's work.
package database

import (
	"cmp"
	"slices"
	"strings"
)

// Database is one database endpoint in a VPC.
type Database struct {
	ID      string // the identifier, unique per kind, account and Region
	ARN     string
	Engine  string // RDS's engine name (mysql, aurora-postgresql, …) or "redshift"
	Port    int    // TCP
	Groups  []string
	Subnets []string // where its interfaces may be; empty if not known
	Dual    bool     // it has IPv6 addresses as well as IPv4
	Zone    string   // the Availability Zone in which it is, where that is known and its subnets are not
	Tags    map[string]string
	Status  string // AWS's word: "available", "creating", "modifying", …
}

// Answers reports whether a database has an endpoint. One that is being created or modified, or that is stopped, may have none: then
// nobody can connect to it, and it is there all the same.
func (d Database) Answers() bool { return d.Port > 0 }

func sorted(databases []Database) []Database {
	slices.SortFunc(databases, func(a, b Database) int {
		return cmp.Or(strings.Compare(a.Engine, b.Engine), strings.Compare(a.ID, b.ID), strings.Compare(a.ARN, b.ARN))
	})
	return databases
}
