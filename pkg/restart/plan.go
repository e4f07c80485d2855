package restart

import (
	"cmp"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// limit is how many may be restarted at the same time, of which a debt is one.
func limit(d ledger.Debt) int { return cmp.Or(d.AtOnce, AtOnce) }

// Next returns the events for the debts of an account and Region that may be paid now, the oldest first: of those that nobody is at, as
// many as their limits leave.
func Next(debts []ledger.Debt) []look.Look {
	busy := 0
	for _, d := range debts {
		if d.By != "" {
			busy++
		}
	}
	var out []look.Look
	for _, d := range debts {
		if d.By == "" && busy+len(out) < limit(d) {
			out = append(out, wanted(d, "a lifecycle configuration is to be attached"))
		}
	}
	return out
}

// Overdue returns the events by which a sweep asks for debts: those that somebody claimed, since that one may have ended, and as many
// of the others as there may be at once. Which are paid, the executions decide.
func Overdue(debts []ledger.Debt) []look.Look {
	var out []look.Look
	others := 0
	for _, d := range debts {
		switch {
		case d.By != "":
			out = append(out, wanted(d, "is execution "+d.By+" still at it?"))
		case others < limit(d):
			out, others = append(out, wanted(d, "nobody restarted it yet")), others+1
		}
	}
	return out
}

func wanted(d ledger.Debt, reason string) look.Look {
	return event.NotebookRestart{Account: d.Account, Region: d.Region, Notebook: d.Notebook, Reason: reason}
}
