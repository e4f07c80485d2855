package brake

import (
	"context"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
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

// Member returns what AWS Organizations says of an account in which a thing is to be read: of is how it is asked, and id is the thing's connection in the ledger.
// outside says that the account is no member, as people read it, empty otherwise. Of a suspended account a managed thing ends as [Unread] says.
func Member(ctx context.Context, of func(context.Context, string) (workflow.AccountFacts, error), l ledger.Ledger, account, id string) (facts workflow.AccountFacts, outside string, err error) {
	if facts, err = of(ctx, account); err != nil {
		return facts, "", err
	}
	if held := Unread(ctx, l, id, facts.Unreadable()); held != nil {
		return facts, "", held
	}
	if facts.Organization == "" {
		outside = fmt.Sprintf("account %s is outside the organization", account)
	}
	return facts, outside, nil
}
