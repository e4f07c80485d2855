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
		entry, err = Note(ctx, l, id, workflow.Unreadable, in.Reason)
		if err != nil {
			return err
		}
		if err := Say(ctx, l, enter, in.Connection, in.Sides, entry, in.Said); err != nil {
			return err
		}
	}
	if err := tell(ctx); err != nil {
		return err
	}
	return mode.Hold(mode.Unreadable, in.Reason, fmt.Sprintf("nothing of %s is taken away; it is looked at again", id))
}

// Say leaves the status of a connection, with what is said to each side, on the sides that can be reached.
// Many parameters, because they are those of [Leave].
func Say(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) Tagger, c workflow.Connection, sides []workflow.Side, entry ledger.Connection, said workflow.Said) error {
	for _, s := range sides {
		if s.StatusResource == "" || silent(entry, s.VPC.Account) {
			continue
		}
		err := Leave(ctx, l, enter, c, []workflow.Side{s}, entry, func(s workflow.Side) string { return said.To(s.Role) })
		if err := LetIn(ctx, s.VPC.Account, err); err != nil {
			return err
		}
	}
	return nil
}

// LetIn returns the error of saying something in an account, but none where nobody is let in to say it.
func LetIn(ctx context.Context, account string, err error) error {
	if why, unreadable := fault.Unreadable(err); unreadable {
		slog.InfoContext(ctx, "nobody is let in to say so", "account", account, "why", why)
		return nil
	}
	return err
}
