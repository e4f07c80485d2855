package caller

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// LeaseOf names the lease of a VPC.
func LeaseOf(vpc string) string { return "data-api-endpoint " + vpc }

// Turn is what package lease has to know of an inspection.
func (i Inspector) Turn() lease.Look[workflow.InspectDataAPIEndpointInput, workflow.InspectDataAPIEndpointOutput] {
	return lease.Look[workflow.InspectDataAPIEndpointInput, workflow.InspectDataAPIEndpointOutput]{
		Claim: func(in workflow.InspectDataAPIEndpointInput) lease.Claim {
			e, err := event.Parse(in.Event)
			if err != nil || e.VPC == "" {
				return lease.Claim{}
			}
			return lease.Claim{Of: LeaseOf(e.VPC), Execution: in.Execution, Event: e.Name}
		},
		Fresh: func(in workflow.InspectDataAPIEndpointInput) workflow.InspectDataAPIEndpointInput { return in },
		Busy: func(_ context.Context, in workflow.InspectDataAPIEndpointInput, now ledger.Lease) (workflow.InspectDataAPIEndpointOutput, error) {
			e, err := event.Parse(in.Event)
			return workflow.InspectDataAPIEndpointOutput{Event: in.Event, Answer: workflow.AnswerNothing, Result: workflow.Nothing, Reason: lease.Said(e.VPC, now)}, err
		},
		Ends: func(out workflow.InspectDataAPIEndpointOutput) bool { return out.Answer == workflow.AnswerNothing },
	}
}

// LastVerdict is what package lease has to know of the step with which an execution ends.
func LastVerdict(in workflow.VerifyDataAPIEndpointInput) (lease.Claim, look.Look) {
	w := in.Want
	return lease.Claim{Of: LeaseOf(w.VPC), Execution: in.Execution}, event.DataAPIEndpointInspection{Account: w.Account, Region: w.Region, VPC: w.VPC, Reason: lease.Came}
}
