package connection

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// contested says whether somebody keeps taking away what a connection needs, as the ledger has it, and asks for people to be told if so. The machine
// drawbridge-change tells them, once, when whoever does it is likely to be done. What is contested and there all the same, its owner put there: the steps
// before have made the ledger forget it.
func contested(ctx context.Context, l ledger.Ledger, bus notice.Bus, in workflow.VerifyConnectionInput) (reason string, err error) {
	entry := ledger.Connection{ID: in.Connection.ID}
	missing := func(n workflow.InjectRoutesOutput) bool {
		return slices.ContainsFunc(n.Hops, func(h workflow.Hop) bool { return !h.OK })
	}
	if slices.ContainsFunc(in.Injected, missing) { // the entry says of which subnets a host route is contested
		if entry, _, err = l.Connection(ctx, in.Connection.ID); err != nil {
			return "", err
		}
		entry.ID = in.Connection.ID
	}
	items, err := contest.Contest{Ledger: l}.Contested(ctx, entry)
	if err != nil || len(items) == 0 {
		return "", err
	}
	reason = contest.Reason(items)
	ask := look.Asker{API: bus.API, Bus: bus.Name}
	return reason, ask.Ask(ctx, event.ContestReport{Connection: in.Connection.ID, Reason: reason})
}

// silent reports whether the status tags of a connection are not written in an account, because somebody there took them away twice.
func silent(c ledger.Connection, account string) bool { return c.Untagged[account].Times > 1 }
