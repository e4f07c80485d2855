package share

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Accepted is the status of the entry of a resource share that Drawbridge accepted.
const Accepted ledger.Status = "Accepted"

// The roles of an entry's sides: the account that shares, and the one that is invited.
const (
	roleOwner   = "owner"
	roleInvited = "invited"
)

// Entry is the id in the ledger of a resource share, given by its ARN, that was accepted for an account.
func Entry(share, account string) string { return share + ":" + account }

// accepted is the item of an invitation that is accepted. Nothing was there before, and nothing of it can be taken back: whoever leaves a share
// has to be invited anew.
func accepted(in workflow.Invitation) ledger.Item {
	return ledger.Item{Account: in.Account, Region: in.Region, Resource: in.Share, Kind: ledger.Share, Key: in.Account, Left: in.ARN}
}

// entryOf is the entry of an invitation, before it is accepted.
func entryOf(to workflow.Invitation) ledger.Connection {
	owner, _ := event.ShareOwner(to.Share)
	return ledger.Connection{ID: Entry(to.Share, to.Account), Kind: road.Share, Origin: ledger.Requested, Sides: []ledger.Side{
		{Role: roleOwner, Account: owner.Account, Region: owner.Region, ID: to.Share},
		{Role: roleInvited, Account: to.Account, Region: to.Region, ID: to.Share}}}
}

// begin writes that an invitation is about to be accepted.
func begin(ctx context.Context, l ledger.Ledger, in workflow.AcceptShareInput) error {
	to, item := in.Invitation, accepted(in.Invitation)
	entry := entryOf(to)
	entry.Policy = in.Decision.Policy
	if _, err := l.Begin(ctx, entry); err != nil {
		return err
	}
	item.By = in.Execution
	_, err := l.Record(ctx, Entry(to.Share, to.Account), item)
	return err
}

// confirm writes that an invitation is accepted.
func confirm(ctx context.Context, l ledger.Ledger, in workflow.AcceptShareInput) error {
	to := in.Invitation
	if _, err := l.Confirm(ctx, accepted(to)); err != nil {
		return err
	}
	_, err := l.Change(ctx, Entry(to.Share, to.Account), func(c *ledger.Connection) {
		if c.Status != Accepted {
			c.Status, c.Reason, c.At = Accepted, "accepted by policy "+in.Decision.Policy, l.Now().UTC()
		}
	})
	return err
}

// forget takes the entries of a share out of the ledger, of the receivers for whom it ended: of all, if it is no more.
func forget(ctx context.Context, l ledger.Ledger, s Share, receivers []Receiver) error {
	gone := Over(s, receivers)
	if gone != nil && len(gone) == 0 {
		return nil
	}
	entries, err := l.Connections(ctx, s.Owner.Account, s.Owner.Region)
	if err != nil {
		return err
	}
	for _, c := range entries {
		n := slices.IndexFunc(c.Sides, func(side ledger.Side) bool { return side.Role == roleInvited && side.ID == s.ARN })
		if c.Kind != road.Share || n < 0 || gone != nil && !slices.Contains(gone, c.Sides[n].Account) {
			continue
		}
		if err := l.LetGo(ctx, c.ID); err != nil {
			return err
		}
	}
	return nil
}
