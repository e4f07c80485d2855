package attachment

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestRemoval(t *testing.T) {
	for name, c := range map[string]struct {
		state       string
		answer      workflow.Answer
		asked, says bool
		why         brake.Why
		counts      bool
	}{
		"the tag is gone":                    {"available", workflow.AnswerDetach, false, false, brake.Lost, true},
		"it asks for another gateway":        {"available", workflow.AnswerDetach, false, true, brake.Ended, false},
		"the gateway is not shown any more":  {"available", workflow.AnswerDetach, true, true, brake.Outside, true},
		"a request that waits is no removal": {"pendingAcceptance", workflow.AnswerDetach, false, false, brake.Lost, false},
		"nothing is detached":                {"available", workflow.AnswerVerify, true, true, brake.Outside, false},
		"a request that the policy refuses":  {"pendingAcceptance", workflow.AnswerRefuse, true, true, brake.Outside, false},
	} {
		r := Removal(Question{Asked: c.asked, Attachment: workflow.Attachment{ID: "tgw-attach-1", State: c.state}}, Verdict{Answer: c.answer, Reason: "so"}, c.says)
		if r.ID != "tgw-attach-1" || r.Why != c.why || brake.Counts(r) != c.counts {
			t.Errorf("%s: %+v, counts %v", name, r, brake.Counts(r))
		}
	}
}
