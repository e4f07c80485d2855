package brake

import (
	"context"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// Unread says what becomes of an inspection that failed with err. If err says that something cannot be read now, see [fault.Unreadable], and the
// connection id is managed, it is the error with which the machine ends as [mode.Unreadable]: nothing goes, and the next sweep
// looks again. Else it is nil, and err is what it was.
func Unread(ctx context.Context, l ledger.Ledger, id string, err error) error {
	why, unreadable := fault.Unreadable(err)
	if !unreadable {
		return nil
	}
	_, managed, err := l.Connection(ctx, id)
	if err != nil || !managed {
		return err
	}
	return mode.Hold(mode.Unreadable, why, fmt.Sprintf("nothing of %s is taken away; it is looked at again", id))
}
