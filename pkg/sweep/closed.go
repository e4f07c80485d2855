package sweep

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// shut asks for a look at each managed peering of an account that lets nobody in, in the account of its other end: nobody else would look, since a peering
// counts where its accepter is. It ends as Unreadable, and people are told.
func (s Sweeper) shut(ctx context.Context, t workflow.Territory) error {
	for _, region := range t.Regions {
		managed, err := entries(ctx, s.Ledger, event.Place{Account: t.Account, Region: region}, connection.Peering)
		if err != nil {
			return err
		}
		for _, c := range managed {
			if other, ok := otherEnd(c, t.Account); ok {
				if err := s.Ask(ctx, event.Inspection{Account: other.Account, Region: other.Region, PeeringID: c.ID, Reason: "account " + t.Account + " lets nobody in: what of the peering can be read?"}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// otherEnd returns the side of a peering that is in another account, if the accepter's is in this one.
func otherEnd(c ledger.Connection, account string) (ledger.Side, bool) {
	var other ledger.Side
	accepts := false
	for _, s := range c.Sides {
		if s.Account != account {
			other = s
		} else if s.Role == "accepter" {
			accepts = true
		}
	}
	return other, accepts && other.Account != "" && Standing(c)
}
