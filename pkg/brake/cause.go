package brake

import (
	"context"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// Why says who wants a removal, as far as it matters to the brake.
type Why string

// The causes. One that nobody named counts.
const (
	Ended     Why = "ended"     // an owner ended it: deleted the thing, let go of it, or said so by the value of a tag
	Forbidden Why = "forbidden" // the policy does not allow it any more
	Lost      Why = "lost"      // a tag that asked for it is not there any more, whoever took it
	Outside   Why = "outside"   // an account left the organization, or sees a thing no more that was shared with it
)

// Removal is something that an inspection is about to have taken away.
type Removal struct {
	// ID is what is counted: the id of the connection in the ledger, and what of it, if it is not all.
	ID    string
	Why   Why
	Cause string // a sentence's end: "the policy does not allow it any more"
	// Stands says that there is something to be taken away, and that nobody let it through before.
	Stands bool
}

// Counts reports whether a removal is asked about. It is the one place that says so, for every machine:
//
//	nothing stands                        no
//	an owner ended it                     no
//	the policy, a lost tag, an account
//	outside the organization, anything else  yes
func Counts(r Removal) bool { return r.Stands && r.Why != Ended }

// Asker is how an inspection asks the brake about what it is about to have taken away. It returns nil if that may go, else the error
// with which the machine ends as [mode.Braked].
type Asker func(context.Context, Removal) error

// Ask asks about removals, one after the other; the first that waits is the answer.
func (a Asker) Ask(ctx context.Context, all ...Removal) error {
	for _, r := range all {
		if !Counts(r) {
			continue
		}
		if a == nil {
			return fault.New(fault.Invalid, "taking %s away: there is no brake to ask", r.ID)
		}
		if err := a(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Asker returns how inspections ask this brake. Only in the mode full something is taken away, so only then it is counted: what is held
// back by the mode is held back by [mode.Gate].
func (b Brake) Asker(now func(context.Context) (mode.Setting, error)) Asker {
	return func(ctx context.Context, r Removal) error {
		at, err := now(ctx)
		if err != nil {
			return fmt.Errorf("asking whether %s may be taken away: %w", r.ID, err)
		}
		if at.Mode != mode.Full {
			return nil
		}
		return b.Ask(ctx, r.ID, r.Cause)
	}
}
