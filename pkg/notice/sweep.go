package notice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// PartlySwept is what people are told of a sweep that could not look through every account, or found accounts whose events do not reach the hub.
func PartlySwept(execution, arn string, t workflow.Tally) Attention {
	var accounts, what, why, remedy []string
	for _, of := range []struct {
		missed       []workflow.Missed
		more         int
		what, remedy string
	}{
		{t.Failed, t.More.Failed, "drawbridge-sweep could not sweep %d of %d accounts", "mend the cause in these accounts; all others were swept, and the next sweep visits these again"},
		{t.Deaf, t.More.Deaf, "the events of %d of %d accounts do not all reach the hub", "turn the rules on, or have the StackSet deploy anew; until then only a sweep sees what changes there"},
	} {
		if len(of.missed) == 0 {
			continue
		}
		what, remedy = append(what, fmt.Sprintf(of.what, len(of.missed)+of.more, t.Accounts)), append(remedy, of.remedy)
		for _, m := range of.missed {
			if !slices.Contains(accounts, m.Account) {
				accounts = append(accounts, m.Account)
			}
			why = append(why, strings.Join(append([]string{m.Account}, m.Regions...), " ")+": "+m.Why)
		}
		if of.more > 0 {
			why = append(why, fmt.Sprintf("and %d more", of.more))
		}
	}
	return Attention{
		What:  strings.Join(what, "; "),
		Where: Where{Machine: "drawbridge-sweep", State: "SweepAccount", Status: string(workflow.PartlySwept), Execution: execution, ExecutionARN: arn},
		Kind:  string(workflow.PartlySwept), Why: strings.Join(why, "\n  "),
		Remedy: strings.Join(remedy, "; "),
		Command: fmt.Sprintf(`aws stepfunctions start-execution --state-machine-arn %s --input '{"accounts":["%s"]}'`,
			strings.TrimSuffix(strings.Replace(arn, ":execution:", ":stateMachine:", 1), ":"+execution), strings.Join(accounts, `","`)),
		Runbook: runbook + "partlyswept", Console: console(arn),
	}
}

// Sentence says what is wrong and, of the first thing of which that is known, why.
func (a Attention) Sentence() string {
	why, more, _ := strings.Cut(a.Why, "\n")
	if more != "" {
		why += ", and others"
	}
	return fit.Bytes(a.What+": "+why, 400)
}

// SweptAgain is what people are told once sweeps look through every account again, and all events reach the hub, after they were told of one that did not.
func SweptAgain(accounts int) Notification {
	what := fmt.Sprintf("drawbridge-sweep looks through all of %d accounts again", accounts)
	return Notification{Kind: AttentionNeeded, Subject: "Drawbridge: " + what,
		Body: what + ", and their events reach the hub.\n\nWhat was told before of accounts that could not be swept, or whose events did not arrive, is over.\n"}
}
