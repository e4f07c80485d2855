package connection

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Unread is what both sides are told of a connection of which something cannot be read now.
const Unread = "what it needs cannot all be read now; nothing of it is taken away, and Drawbridge looks again"

// ReportUnreadable ends an execution about a connection that stands and of which something cannot be read now. It leaves the status on the sides
// that can be reached and tells people, both once, as long as it stays so. It always fails, with the error with which the machine ends as
// [mode.Unreadable]; the next sweep looks again.
func ReportUnreadable(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) Tagger, tell func(context.Context) error, in workflow.ReportUnreadableInput) error {
	id := in.Connection.ID
	entry, managed, err := l.Connection(ctx, id)
	if err != nil {
		return err
	}
	if managed && (entry.Status != ledger.Status(workflow.Unreadable) || entry.Reason != in.Reason) {
		if entry, err = Note(ctx, l, id, workflow.Unreadable, in.Reason); err != nil {
			return err
		}
		for _, s := range in.Sides {
			if s.StatusResource == "" || silent(entry, s.VPC.Account) {
				continue
			}
			err := Leave(ctx, l, enter, in.Connection, []workflow.Side{s}, entry, func(s workflow.Side) string { return in.Said.To(s.Role) })
			if why, unreadable := fault.Unreadable(err); unreadable {
				slog.InfoContext(ctx, "nobody is let in to say so", "account", s.VPC.Account, "why", why)
			} else if err != nil {
				return err
			}
		}
	}
	if err := tell(ctx); err != nil {
		return err
	}
	return mode.Hold(mode.Unreadable, in.Reason, fmt.Sprintf("nothing of %s is taken away; it is looked at again", id))
}
