package dataapi

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// LeaseOf names the lease of a cluster, by its ARN.
func LeaseOf(cluster string) string { return "data-api " + cluster }

// Turn is what package lease has to know of an inspection.
func (i Inspector) Turn() lease.Look[workflow.InspectDataAPIInput, workflow.InspectDataAPIOutput] {
	return lease.Look[workflow.InspectDataAPIInput, workflow.InspectDataAPIOutput]{
		Claim: func(in workflow.InspectDataAPIInput) lease.Claim {
			e, err := event.Parse(in.Event)
			if err != nil || e.ClusterARN == "" {
				return lease.Claim{}
			}
			return lease.Claim{Of: LeaseOf(e.ClusterARN), Execution: in.Execution, Event: e.Name}
		},
		Fresh: func(in workflow.InspectDataAPIInput) workflow.InspectDataAPIInput { return in },
		Busy: func(_ context.Context, in workflow.InspectDataAPIInput, now ledger.Lease) (workflow.InspectDataAPIOutput, error) {
			e, err := event.Parse(in.Event)
			return Nothing(lease.Said(e.ClusterARN, now)), err
		},
		Ends: func(out workflow.InspectDataAPIOutput) bool { return out.Answer == workflow.AnswerNothing },
	}
}

// LastVerdict is what package lease has to know of the step with which an execution ends.
func LastVerdict(in workflow.ConcludeDataAPIInput) (lease.Claim, look.Look) {
	c := in.DataAPI.Cluster
	return lease.Claim{Of: LeaseOf(c.ARN), Execution: in.Execution}, event.DataAPIInspection{Account: c.Account, Region: c.Region, Cluster: c.ARN, Reason: lease.Came}
}
