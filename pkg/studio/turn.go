package studio

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
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

// Turn is what package lease has to know of an inspection. One that names no cluster only asks for looks.
func (i Inspector) Turn() lease.Look[workflow.InspectStudioInput, workflow.InspectStudioOutput] {
	return lease.ByEvent(
		func(e event.Event) lease.Named {
			if e.Cluster == "" {
				return lease.Named{}
			}
			return lease.Named{Lease: LeaseOf(e.Place, e.Cluster), Called: "cluster " + e.Cluster}
		},
		func(_ workflow.InspectStudioInput, why string) workflow.InspectStudioOutput {
			out := begun()
			out.Answer, out.Result, out.Reason = workflow.AnswerNothing, workflow.Nothing, why
			return out
		},
		func(out workflow.InspectStudioOutput) bool {
			return out.Answer != workflow.AnswerAdmit && out.Answer != workflow.AnswerRetract && out.Answer != workflow.AnswerReleased
		})
}

// LastVerdict is what package lease has to know of the step with which an execution ends.
func LastVerdict(in workflow.ConcludeStudioInput) (lease.Claim, look.Look) {
	w := in.Warehouse
	return lease.Claim{Of: LeaseOf(event.Place{Account: w.Account, Region: w.Region}, w.ID), Execution: in.Execution}, event.StudioInspection{Account: w.Account, Region: w.Region, Cluster: w.ID, Reason: lease.Came}
}
