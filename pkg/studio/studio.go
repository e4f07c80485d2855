// Package studio lets the people of a SageMaker Studio domain query a Redshift cluster of another account, each as the
// database user of their own name.
//
// The producer has a role that may ask for credentials of exactly one database user: the one whose name is the source
// identity of the session. The execution roles of the consumer's domain may assume that role and pass the source identity
// on, and the domain makes the user profile's name the source identity of everything that an app does. So nobody can be
// another user, and CloudTrail shows on both sides who it was.
// https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
//
// It all hangs on the tag drawbridge:studio, which each owner sets on their own thing: on the cluster it names the consumer accounts, on an
// execution role and on a domain it says true. IAM asks for it before each write to that very thing. The network between the two is the business
// of the connections (package peering and transit): Studio in VPC only mode needs no host routes.
//
// What was done for a cluster's readers stands in the ledger, under the cluster's ARN: the readers' role and its policy; on each execution role one
// inline policy for each cluster, and one statement in its trust policy for all; on a domain its setting. Each says what was there before. What the
// ledger does not have is somebody else's: it is used if it serves, and never changed.
//
//	studio.go    the words
//	plan.go      thinks: documents, who is admitted, when a domain's setting may change (pure)
//	inspect.go   reads the event and answers
//	warehouse.go looks at one cluster, and answers what it needs next
//	consumer.go  looks at one account whose people may read it, and asks the policy
//	read.go      reads clusters, domains and roles
//	readers.go   writes the readers' role
//	role.go      writes execution roles
//	release.go   gives them back
//	domain.go    writes the setting of domains
//	conclude.go  names the end
//	paths.go     tells who is let in, for people (pure)
//	told.go      tells from what the accounts show what a ledger had that was lost
//	trust.go     thinks: our statement in the trust policy of an execution role (pure)
//	removal.go   thinks: what an answer takes away, for the brake (pure)
//	turn.go      under which lease an inspection looks
package studio

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// machine is the state machine that all of this is for.
const machine = "drawbridge-studio"

const (
	// Path is the path of every role that Drawbridge makes in a member account.
	Path = "/drawbridge/"
	// RolePrefix begins the name of every readers' role; see [RoleName]. It begins the name of our inline policies on execution roles, too.
	RolePrefix = "drawbridge-studio-"
	// Boundary is the permissions boundary, a managed policy under [Path] of the member stack.
	Boundary = "drawbridge-studio-boundary"
	// PolicyName is the inline policy of a readers' role.
	PolicyName = "drawbridge-studio"
	// Sid is the one statement of ours in the trust policy of an execution role.
	Sid = "DrawbridgeSetSourceIdentity"
	// MarkTag is on everything that we made or added something to; its value is [Mark]. It is a permit and no record: nothing reads it but IAM,
	// which lets Drawbridge put it only where the owner's tag is, and take things back only where it is.
	MarkTag = "drawbridge:connection"
	// Mark is the value of [MarkTag].
	Mark = "studio"
)

// The values of a domain's setting ExecutionRoleIdentityConfig.
const (
	ByProfile = "USER_PROFILE_NAME"
	Disabled  = "DISABLED"
	setting   = "ExecutionRoleIdentityConfig"
)

// Book is the ledger, and the Region in which it has things of IAM, which knows no Regions: the hub's.
type Book struct {
	ledger.Ledger
	Home string
}

// BookOf returns the ledger of the hub as this package needs it, with the hub's Region.
func BookOf(l ledger.Ledger, home string) Book {
	book := Book{Ledger: l, Home: home}
	book.Store = ownStore{book.Store}
	return book
}

// Under is [ledger.Ledger.Under], for a step that works on a warehouse.
func (b Book) Under(w workflow.Warehouse, execution string) Book {
	b.Ledger = b.Ledger.Under(LeaseOf(event.Place{Account: w.Account, Region: w.Region}, w.ID), execution)
	return b
}

// ownStore tells what goes wrong in the hub from what goes wrong in a member: see [forAPerson].
type ownStore struct{ ledger.Store }

// ownError is what the hub's own table answered.
type ownError struct{ error }

func (e ownError) Unwrap() error { return e.error }

func own(err error) error {
	if err == nil {
		return nil
	}
	return ownError{err}
}

// Read implements [ledger.Store].
func (s ownStore) Read(ctx context.Context, keys []ledger.Key) ([]ledger.Row, error) {
	rows, err := s.Store.Read(ctx, keys)
	return rows, own(err)
}

// List implements [ledger.Store].
func (s ownStore) List(ctx context.Context, part, prefix string) ([]ledger.Row, error) {
	rows, err := s.Store.List(ctx, part, prefix)
	return rows, own(err)
}

// Write implements [ledger.Store].
func (s ownStore) Write(ctx context.Context, changes []ledger.Change) error {
	return own(s.Store.Write(ctx, changes))
}

func (b Book) contest() contest.Contest { return contest.Contest{Ledger: b.Ledger} }

// role returns what the ledger calls a thing on a role.
func (b Book) role(account, name string, kind ledger.Kind, key string) ledger.Item {
	return ledger.Item{Account: account, Region: b.Home, Resource: name, Kind: kind, Key: key}
}

// readersKey, and trustKey, are the keys of a readers' role and of our statement in the ledger.
const (
	readersKey = "readers"
	trustKey   = "trust " + Sid
)

// find returns the item of the same thing, nil if there is none.
func find(items []ledger.Item, of ledger.Item) *ledger.Item {
	for _, i := range items {
		if i.Same(of) {
			return &i
		}
	}
	return nil
}

// of returns those of the items that a connection needs, or that are leaving for it.
func of(items []ledger.Item, id string) []ledger.Item {
	var out []ledger.Item
	for _, i := range items {
		if i.NeededBy(id) || i.For == id {
			out = append(out, i)
		}
	}
	return out
}
