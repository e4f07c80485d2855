package sweep

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// suspended is the visit to an account that AWS Organizations shows as not active. Nothing in it can be read; what is managed there is in the ledger.
func (s Sweeper) suspended(ctx context.Context, t workflow.Territory, out workflow.SweepAccountOutput) (workflow.SweepAccountOutput, error) {
	out.Closed = fmt.Sprintf("account %s is %s", t.Account, t.Suspended)
	slog.WarnContext(ctx, "sweeping", "account", out.Account, "closed", out.Closed)
	return out, s.shut(ctx, t, out.Closed)
}

// left asks for a look at each peering whose requester is in an account and whose accepter's account is not in the organization any more: a
// peering is looked at where its accepter is, and no sweep visits that account.
func (s Sweeper) left(ctx context.Context, asked []request) error {
	for _, r := range asked {
		facts, err := s.Account(ctx, r.accepter)
		if err != nil {
			return err
		}
		if facts.Organization != "" || facts.Suspended != "" {
			continue
		}
		if l, ok := look.At(r.Connection, r.at, "account "+r.accepter+" is not in the organization any more"); ok {
			if err := s.Ask(ctx, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// request is a peering that was requested at a place.
type request struct {
	at event.Place
	ledger.Connection
	accepter string
}

// shut asks for a look at each connection of an account that nobody gets into, as [Elsewhere] tells: nobody else would look. It ends as Unreadable,
// nothing goes, and people are told once. When the account can be read again, the next sweep's looks find it as it is.
func (s Sweeper) shut(ctx context.Context, t workflow.Territory, why string) error {
	for _, region := range t.Regions {
		at := event.Place{Account: t.Account, Region: region}
		managed, err := s.Ledger.Connections(ctx, at.Account, at.Region)
		if err != nil {
			return err
		}
		for _, c := range managed {
			if l, ok := Elsewhere(c, at, why+": what of it can be read?"); ok {
				if err := s.Ask(ctx, l); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
