package gatewaypair

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Turn is what package lease has to know of an inspection. A refusal changes nothing, so the lease is given back before it is told.
func (i Inspector) Turn() lease.Look[workflow.InspectTransitInput, workflow.InspectTransitOutput] {
	turn := lease.ByEvent(
		func(e event.Event) lease.Named {
			if e.Kind != event.Transit {
				return lease.Named{}
			}
			id := ID(e.GatewayID, workflow.VPC{ID: e.VPCs[0].VPC}, workflow.VPC{ID: e.VPCs[1].VPC})
			return lease.Named{Lease: id, Called: id}
		},
		func(in workflow.InspectTransitInput, why string) workflow.InspectTransitOutput {
			out := begun(in)
			out.Answer, out.Result, out.Reason = workflow.AnswerNothing, workflow.Nothing, why
			return out
		},
		func(out workflow.InspectTransitOutput) bool {
			return out.Answer == workflow.AnswerNothing || out.Answer == workflow.AnswerRefuse || out.Answer == workflow.AnswerUnreadable
		})
	turn.Fresh = func(in workflow.InspectTransitInput) workflow.InspectTransitInput {
		in.Looks, in.Trimmed = 0, false
		return in
	}
	return turn
}
