package studio

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// LeaseOf names the lease of a cluster.
func LeaseOf(at event.Place, cluster string) string {
	return "studio " + at.Account + "/" + at.Region + "/" + cluster
}

// begun is an answer that is still to come.
func begun() workflow.InspectStudioOutput {
	return workflow.InspectStudioOutput{Roles: []workflow.ExecutionRole{}, Leaving: []workflow.ExecutionRole{}, Domains: []workflow.Domain{},
		Unfit: []workflow.Hop{}, Warehouse: workflow.Warehouse{Groups: []string{}}}
}

// Turn is what package lease has to know of an inspection.
func (i Inspector) Turn() lease.Look[workflow.InspectStudioInput, workflow.InspectStudioOutput] {
	return lease.Look[workflow.InspectStudioInput, workflow.InspectStudioOutput]{
		Claim: func(in workflow.InspectStudioInput) lease.Claim {
			e, err := event.Parse(in.Event)
			if err != nil || e.Cluster == "" {
				return lease.Claim{} // it only asks for looks
			}
			return lease.Claim{Of: LeaseOf(e.Place, e.Cluster), Execution: in.Execution, Event: e.Name}
		},
		Fresh: func(in workflow.InspectStudioInput) workflow.InspectStudioInput { return in },
		Busy: func(_ context.Context, in workflow.InspectStudioInput, now ledger.Lease) (workflow.InspectStudioOutput, error) {
			out := begun()
			e, err := event.Parse(in.Event)
			out.Answer, out.Result, out.Reason = workflow.AnswerNothing, workflow.Nothing, lease.Said("cluster "+e.Cluster, now)
			return out, err
		},
		Ends: func(out workflow.InspectStudioOutput) bool {
			return out.Answer != workflow.AnswerAdmit && out.Answer != workflow.AnswerRetract
		},
	}
}

// LastVerdict is what package lease has to know of the step with which an execution ends.
func LastVerdict(in workflow.ConcludeStudioInput) (lease.Claim, look.Look) {
	w := in.Warehouse
	return lease.Claim{Of: LeaseOf(event.Place{Account: w.Account, Region: w.Region}, w.ID), Execution: in.Execution}, event.StudioInspection{Account: w.Account, Region: w.Region, Cluster: w.ID, Reason: lease.Came}
}
