package report

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
)

// Ask says whether somebody keeps taking away what a connection needs, as the ledger has it, and asks for people to be told if so: the machine
// drawbridge-change tells them, once, when whoever does it is likely to be done. Of the entry, the id counts, and the subnets if it names some. What is
// contested and there all the same, its owner put there: the steps before have made the ledger forget it.
func Ask(ctx context.Context, l ledger.Ledger, bus notice.Bus, entry ledger.Connection) (reason string, err error) {
	items, err := contest.Contest{Ledger: l}.Contested(ctx, entry)
	if err != nil || len(items) == 0 {
		return "", err
	}
	reason = contest.Reason(items)
	ask := look.Asker{API: bus.API, Bus: bus.Name}
	return reason, ask.Ask(ctx, event.ContestReport{Connection: entry.ID, Reason: reason})
}
