package dataapi

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// LeaseOf names the lease of a cluster, by its ARN.
func LeaseOf(cluster string) string { return "data-api " + cluster }

// Turn is what package lease has to know of an inspection.
func (i Inspector) Turn() lease.Look[workflow.InspectDataAPIInput, workflow.InspectDataAPIOutput] {
	return lease.ByEvent(
		func(e event.Event) lease.Named {
			if e.ClusterARN == "" {
				return lease.Named{}
			}
			return lease.Named{Lease: LeaseOf(e.ClusterARN), Called: e.ClusterARN}
		},
		func(_ workflow.InspectDataAPIInput, why string) workflow.InspectDataAPIOutput { return Nothing(why) },
		func(out workflow.InspectDataAPIOutput) bool { return out.Answer == workflow.AnswerNothing })
}

// LastVerdict is what package lease has to know of the step with which an execution ends.
func LastVerdict(in workflow.ConcludeDataAPIInput) (lease.Claim, look.Look) {
	c := in.DataAPI.Cluster
	return lease.Claim{Of: LeaseOf(c.ARN), Execution: in.Execution}, event.DataAPIInspection{Account: c.Account, Region: c.Region, Cluster: c.ARN, Reason: lease.Came}
}
