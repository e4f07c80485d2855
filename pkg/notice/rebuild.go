package notice

import (
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// shown is how many things of each kind a notice names that a rebuild could not tell.
const shown = 5

// Rebuilt is what people are told of a rebuild of the ledger: what was written, and what could not be told.
func Rebuilt(execution, arn string, result workflow.Result, t workflow.Tally) Attention {
	written, untold := 0, 0
	var why []string
	for _, f := range t.Found {
		written, untold = written+f.Written, untold+f.Untold
		line := fmt.Sprintf("%s: %d told, %d of them new in the ledger", f.Kind, f.Seen, f.Written)
		if f.Untold > 0 {
			line += fmt.Sprintf("; %d cannot be told and stay as they are: %s", f.Untold, strings.Join(f.Names[:min(shown, len(f.Names))], "; "))
			if f.Untold > shown {
				line += fmt.Sprintf("; and %d more", f.Untold-shown)
			}
		}
		why = append(why, line)
	}
	for _, missed := range []struct {
		what string
		of   []workflow.Missed
		more int
	}{{"lets nobody in", t.Closed, t.More.Closed}, {"has Regions out of reach", t.Barred, t.More.Barred}, {"failed", t.Failed, t.More.Failed}} {
		for _, m := range missed.of[:min(shown, len(missed.of))] {
			why = append(why, fmt.Sprintf("account %s %s: %s", m.Account, missed.what, m.Why))
		}
		if more := len(missed.of) - shown + missed.more; more > 0 {
			why = append(why, fmt.Sprintf("and %d accounts more of which this is true", more))
		}
	}
	if len(why) == 0 {
		why = []string{"nothing carries a mark of Drawbridge's"}
	}
	a := Attention{
		What:  fmt.Sprintf("drawbridge-rebuild wrote %d rows of the ledger anew, in %d accounts; of %d things nobody can tell whose they are", written, t.Accounts, untold),
		Where: Where{Machine: "drawbridge-rebuild", State: "RebuildAccount", Status: string(result), Execution: execution, ExecutionARN: arn},
		Kind:  string(result), Why: strings.Join(why, "\n  "),
		Remedy:  "read what could not be told, as the runbook says; then set the mode to what it was, which starts a sweep",
		Runbook: runbook + strings.ToLower(string(result)), Console: console(arn),
	}
	if result == workflow.PartlyRebuilt {
		a.Remedy = "mend the cause in the accounts that failed, and start drawbridge-rebuild again: what is in the ledger stays as it is"
		a.Command = fmt.Sprintf("aws stepfunctions start-execution --state-machine-arn %s --input '{}'",
			strings.TrimSuffix(strings.Replace(arn, ":execution:", ":stateMachine:", 1), ":"+execution))
	}
	return a
}
