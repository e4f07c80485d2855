package dataapiendpoint

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// LeaseOf names the lease of a VPC.
func LeaseOf(vpc string) string { return "data-api-endpoint " + vpc }

// Turn is what package lease has to know of an inspection.
func (i Inspector) Turn() lease.Look[workflow.InspectDataAPIEndpointInput, workflow.InspectDataAPIEndpointOutput] {
	return lease.ByEvent(
		func(e event.Event) lease.Named {
			if e.VPC == "" {
				return lease.Named{}
			}
			return lease.Named{Lease: LeaseOf(e.VPC), Called: e.VPC}
		},
		func(in workflow.InspectDataAPIEndpointInput, why string) workflow.InspectDataAPIEndpointOutput {
			return workflow.InspectDataAPIEndpointOutput{Event: in.Event, Answer: workflow.AnswerNothing, Result: workflow.Nothing, Reason: why}
		},
		func(out workflow.InspectDataAPIEndpointOutput) bool { return out.Answer == workflow.AnswerNothing })
}

// LastVerdict is what package lease has to know of the step with which an execution ends.
func LastVerdict(in workflow.VerifyDataAPIEndpointInput) (lease.Claim, look.Look) {
	w := in.Want
	return lease.Claim{Of: LeaseOf(w.VPC), Execution: in.Execution}, event.DataAPIEndpointInspection{Account: w.Account, Region: w.Region, VPC: w.VPC, Reason: lease.Came}
}
