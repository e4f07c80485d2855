package notice

import (
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// PartlySwept is what people are told of a sweep that could not look through every account.
func PartlySwept(execution, arn string, t workflow.Tally) Attention {
	var accounts, why []string
	for _, m := range t.Failed {
		accounts = append(accounts, m.Account)
		why = append(why, m.Account+": "+m.Why)
	}
	if t.More.Failed > 0 {
		why = append(why, fmt.Sprintf("and %d more", t.More.Failed))
	}
	return Attention{
		What:  fmt.Sprintf("drawbridge-sweep could not sweep %d of %d accounts", len(t.Failed)+t.More.Failed, t.Accounts),
		Where: Where{Machine: "drawbridge-sweep", State: "SweepAccount", Status: string(workflow.PartlySwept), Execution: execution, ExecutionARN: arn},
		Kind:  string(workflow.PartlySwept), Why: strings.Join(why, "\n  "),
		Remedy: "mend the cause in these accounts; all others were swept, and the next sweep visits these again",
		Command: fmt.Sprintf(`aws stepfunctions start-execution --state-machine-arn %s --input '{"accounts":["%s"]}'`,
			strings.TrimSuffix(strings.Replace(arn, ":execution:", ":stateMachine:", 1), ":"+execution), strings.Join(accounts, `","`)),
		Runbook: runbook + "partlyswept", Console: console(arn),
	}
}
