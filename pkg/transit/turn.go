package transit

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Turn is what package lease has to know of an inspection. A refusal changes nothing, so the lease is given back before it is told.
func (i Inspector) Turn() lease.Look[workflow.InspectTransitInput, workflow.InspectTransitOutput] {
	return lease.Look[workflow.InspectTransitInput, workflow.InspectTransitOutput]{
		Claim: func(in workflow.InspectTransitInput) lease.Claim {
			e, err := event.Parse(in.Event)
			if err != nil || e.Kind != event.Transit {
				return lease.Claim{}
			}
			return lease.Claim{Of: idOf(e), Execution: in.Execution, Event: e.Name}
		},
		Fresh: func(in workflow.InspectTransitInput) workflow.InspectTransitInput {
			in.Looks, in.Trimmed = 0, false
			return in
		},
		Busy: busy,
		Ends: func(out workflow.InspectTransitOutput) bool {
			return out.Answer == workflow.AnswerNothing || out.Answer == workflow.AnswerRefuse || out.Answer == workflow.AnswerUnreadable
		},
	}
}

// busy is the answer while another execution is at the pair.
func busy(_ context.Context, in workflow.InspectTransitInput, now ledger.Lease) (workflow.InspectTransitOutput, error) {
	out := begun(in)
	e, err := event.Parse(in.Event)
	if err == nil {
		out.Answer, out.Result, out.Reason = workflow.AnswerNothing, workflow.Nothing, lease.Said(idOf(e), now)
	}
	return out, err
}

// idOf is the id of the pair that an event is about.
func idOf(e event.Event) string {
	return ID(e.GatewayID, workflow.VPC{ID: e.VPCs[0].VPC}, workflow.VPC{ID: e.VPCs[1].VPC})
}
