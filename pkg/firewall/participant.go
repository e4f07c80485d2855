package firewall

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// apart returns those of the groups of a VPC that are an account's, and of the others, by id, whose they are: as the VPC's owner sees them, those of
// participants; as a participant does, those that somebody shares with it.
func apart(groups []Group, account string) (own []Group, others map[string]string) {
	others = map[string]string{}
	for _, g := range groups {
		if g.Owner == "" || g.Owner == account {
			own = append(own, g)
		} else {
			others[g.ID] = g.Owner
		}
	}
	return own, others
}

// noted notes who takes part in the VPC of an owner's side.
func noted(ctx context.Context, l ledger.Ledger, connection string, side workflow.Side, seen []string) error {
	if side.Owner != "" {
		return nil
	}
	return participant.Note(ctx, l, connection, side, seen)
}

// own returns those of groups that are this account's to change.
func (o *opening) own(groups []string) []string {
	return slices.DeleteFunc(slices.Clone(groups), func(g string) bool { return o.others[g] != "" })
}

// Of says whose things in a VPC a hop is about.
func Of(side workflow.Side) string {
	if side.Owner == "" {
		return side.VPC.ID
	}
	return side.VPC.ID + " of participant " + side.VPC.Account
}
