package restart

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// Next returns the events for the debts of an account and Region that may be paid now, the oldest first: of those that nobody is at, as
// many as [AtOnce] leaves.
func Next(debts []ledger.Debt) []look.Look {
	free := AtOnce
	for _, d := range debts {
		if d.By != "" {
			free--
		}
	}
	var out []look.Look
	for _, d := range debts {
		if d.By == "" && len(out) < free {
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
		case others < AtOnce:
			out, others = append(out, wanted(d, "nobody restarted it yet")), others+1
		}
	}
	return out
}

func wanted(d ledger.Debt, reason string) look.Look {
	return event.NotebookRestart{Account: d.Account, Region: d.Region, Notebook: d.Notebook, Reason: reason}
}
