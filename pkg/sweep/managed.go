package sweep

import (
	"context"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Managed counts the connections that are managed and begin in an account: those whose first side is in one of its Regions. So each is counted once,
// however many sides it has. It reads the ledger alone, so an account that lets nobody in is counted, too. seen is given every connection of each
// place, counted or not, so that nobody reads them again.
func Managed(ctx context.Context, l ledger.Ledger, t workflow.Territory, seen func(event.Place, ledger.Connection)) (int, error) {
	n := 0
	for _, region := range t.Regions {
		all, err := l.Connections(ctx, t.Account, region)
		if err != nil {
			return n, fmt.Errorf("counting the connections of %s in %s: %w", t.Account, region, err)
		}
		for _, c := range all {
			seen(event.Place{Account: t.Account, Region: region}, c)
			if first := c.Sides; len(first) > 0 && first[0].Account == t.Account && first[0].Region == region && Standing(c) {
				n++
			}
		}
	}
	return n, nil
}

// Standing reports whether something may stand of a connection that is managed: not of one that was refused, or taken back, and keeps its entry.
func Standing(c ledger.Connection) bool {
	switch workflow.Result(c.Status) {
	case workflow.RefusedByPolicy, workflow.Removed, workflow.Retracted, workflow.Rejected, workflow.Expired, workflow.Withdrawn, workflow.AwaitingApproval:
		return false
	}
	return true
}

// All reports whether a sweep visits every account in every Region: only then it knows how many connections there are.
func All(s workflow.Sweep) bool { return len(s.Accounts) == 0 && len(s.Regions) == 0 }
