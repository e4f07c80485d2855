package privatenotebooks

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// LeaseOf names the lease of an account: its policy is one for all its VPCs.
func LeaseOf(account string) string { return "private-notebooks " + account }

// begun is an answer that is still to come: nothing.
func begun(in workflow.InspectPrivateNotebooksInput) workflow.InspectPrivateNotebooksOutput {
	return workflow.InspectPrivateNotebooksOutput{Event: in.Event, Answer: workflow.AnswerNothing, Result: workflow.Nothing,
		VPCs: []workflow.PrivateVPC{}, Refused: []workflow.PrivateVPC{}, Wants: []workflow.EndpointWant{}, Leaving: []workflow.EndpointWant{},
		Released: []workflow.PrivateVPC{}}
}

// Turn is what package lease has to know of an inspection.
func (i Inspector) Turn() lease.Look[workflow.InspectPrivateNotebooksInput, workflow.InspectPrivateNotebooksOutput] {
	return lease.ByEvent(
		func(e event.Event) lease.Named {
			if e.Kind == event.Unhandled {
				return lease.Named{}
			}
			return lease.Named{Lease: LeaseOf(e.Account), Called: "account " + e.Account}
		},
		func(in workflow.InspectPrivateNotebooksInput, why string) workflow.InspectPrivateNotebooksOutput {
			out := begun(in)
			out.Reason = why
			return out
		},
		func(out workflow.InspectPrivateNotebooksOutput) bool {
			return out.Answer == workflow.AnswerNothing || out.Answer == workflow.AnswerRefuse
		})
}

// LastVerdict is what package lease has to know of the step with which an execution ends.
func LastVerdict(in workflow.VerifyPrivateNotebooksInput) (lease.Claim, look.Look) {
	return lease.Claim{Of: LeaseOf(in.Account), Execution: in.Execution}, event.PrivateNotebooksInspection{Account: in.Account, Region: in.Region, Reason: lease.Came}
}
