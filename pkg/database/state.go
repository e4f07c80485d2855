package database

import (
	"slices"
	"strings"
)

// The states in which nothing answers, and those that end by themselves, in which nobody knows. In all others a database answers.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html#Overview.DBInstance.Status
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html#Aurora.Status
// https://docs.aws.amazon.com/redshift/latest/mgmt/working-with-clusters.html#rs-mgmt-cluster-status
var (
	down = []string{"stopped", "paused", "suspended", "failed", "deleting", "final-snapshot", "storage-full", "hardware-failure", "inaccessible-encryption-credentials",
		"inaccessible-encryption-credentials-recoverable", "incompatible-hsm", "incompatible-network", "incompatible-parameters", "incompatible-restore", "insufficient-capacity",
		"insufficient-resource-limits", "restore-error"}
	passing = []string{"creating", "starting", "stopping", "rebooting", "pausing", "resuming", "upgrading", "resizing", "migrating"}
)

// Down reports whether nothing answers in a state, as its service names it, until somebody does something.
func Down(status string) bool { return slices.Contains(down, strings.ToLower(status)) }

// Passing reports whether a state ends by itself, and nobody knows what answers in it.
func Passing(status string) bool { return slices.Contains(passing, strings.ToLower(status)) }

// Silent says why nothing answers, as what the database is; empty if something does, or may within minutes.
func (d Database) Silent() string {
	switch {
	case d.Empty:
		return "a cluster without an instance"
	case Down(d.Status):
		return strings.ToLower(d.Status)
	}
	return ""
}
