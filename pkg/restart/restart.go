// Package restart has the restarts that notebook instances are owed: a lifecycle configuration can be attached to a stopped notebook only, and
// where its owner and the policy allow it, Drawbridge stops the notebook for that and starts it again.
//
// Nobody waits for it. Who finds that a notebook needs one notes the debt in the ledger, and asks by the event "Notebook To Restart" for an
// execution of the machine drawbridge-notebook, which claims the debt, stops, attaches, starts, and repays it. A debt whose execution
// ended in another way is asked for again by the sweep.
//
//	owed     → claimed by an execution, if few enough are at work in the account and Region
//	claimed  → stopped, when the notebook is about to be stopped: from then on it is owed a start
//	claimed  → repaid, when it was started again or turned out to need no restart
//	claimed, and its execution ended → as owed
package restart

import (
	"context"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// AtOnce is how many notebooks of one account and Region are restarted at the same time, where the policy that permits it does not say by @at_once. A start may find no capacity for its type of instance, and
// what is started again takes minutes: so few people at a time are without their notebook, and SageMaker's throttling of an account's calls is not met.
const AtOnce = 5

// Book keeps the debts.
type Book struct {
	Ledger ledger.Ledger
	// Ask asks for executions.
	Ask func(context.Context, ...look.Look) error
}

// Owe notes debts, which are of one account and Region, and asks for as many executions as may begin.
func (b Book) Owe(ctx context.Context, at event.Place, debts ...ledger.Debt) error {
	if len(debts) == 0 {
		return nil
	}
	if err := b.Ledger.Owe(ctx, debts...); err != nil {
		return err
	}
	return b.next(ctx, at)
}

// next asks for executions for the oldest debts that nobody is at, as many as may begin.
func (b Book) next(ctx context.Context, at event.Place) error {
	debts, err := b.Ledger.Debts(ctx, at.Account, at.Region)
	if err != nil {
		return err
	}
	if looks := Next(debts); len(looks) > 0 {
		return b.Ask(ctx, looks...)
	}
	return nil
}

// Ended reports whether the execution that has a lease came to its end.
type Ended func(context.Context, ledger.Turn) (bool, error)

// Claim gives an execution the debt to a notebook. why says why it does not get it: nobody owes one, another execution is at it, or enough
// are restarted at the moment; then there is nothing to do for it, and who is at work asks for it in turn.
func (b Book) Claim(ctx context.Context, at event.Place, notebook, execution string, ended Ended) (debt ledger.Debt, why string, err error) {
	err = b.Ledger.While(ctx, "restarts of "+at.Account+"/"+at.Region, execution, func() error {
		debts, err := b.Ledger.Debts(ctx, at.Account, at.Region)
		if err != nil {
			return err
		}
		running, room, known := 0, AtOnce, false
		for _, d := range debts {
			mine := d.Notebook == notebook
			if known = known || mine; mine {
				room = limit(d)
			}
			if d.By == "" || d.By == execution {
				continue
			}
			over, err := ended(ctx, ledger.Turn{Holder: d.By, Since: d.At})
			switch {
			case err != nil:
				return err
			case over:
			case mine:
				why = "execution " + d.By + " restarts notebook " + notebook
				return nil
			default:
				running++
			}
		}
		switch {
		case !known:
			why = "notebook " + notebook + " is owed no restart"
			return nil
		case running >= room:
			why = fmt.Sprintf("notebook %s waits for its turn: %d of its account are being restarted", notebook, running)
			return nil
		}
		debt, _, err = b.Ledger.Settle(ctx, at.Account, at.Region, notebook, func(d *ledger.Debt) bool {
			if d.By != execution {
				d.By, d.At = execution, b.Ledger.Now().UTC()
			}
			return true
		})
		return err
	})
	return debt, why, err
}

// Repay removes the debt to a notebook that an execution has, and asks for the next ones.
func (b Book) Repay(ctx context.Context, at event.Place, notebook, execution string) error {
	repaid := false
	_, _, err := b.Ledger.Settle(ctx, at.Account, at.Region, notebook, func(d *ledger.Debt) bool {
		repaid = d.By == execution
		return !repaid
	})
	if err != nil || !repaid {
		return err
	}
	return b.next(ctx, at)
}

// Stopping notes whether a notebook is about to be stopped by the execution that has the debt to it, so that it is owed a start.
func Stopping(ctx context.Context, l ledger.Ledger, at event.Place, notebook, execution string, stopping bool) error {
	_, _, err := l.Settle(ctx, at.Account, at.Region, notebook, func(d *ledger.Debt) bool {
		if d.By == execution {
			d.Stopped = stopping
		}
		return true
	})
	return err
}
