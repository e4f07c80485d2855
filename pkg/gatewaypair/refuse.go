package gatewaypair

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Refuse tells programs that a pair is not connected. It leaves no status on the attachments: each serves many pairs, and
// nothing is pending. Where the pair was counted before, the pairs are counted anew without it.
func Refuse(ctx context.Context, l ledger.Ledger, enter func(workflow.StatusResource) connection.Untagger, bus notice.Bus, in workflow.RefuseTransitInput) (workflow.ConcludeOutput, error) {
	out := workflow.ConcludeOutput{Result: workflow.RefusedByPolicy, Reason: in.Reason, Decision: in.Decision}
	if err := connection.Recount(ctx, l, enter, in.Connection.Target, in.Tagged); err != nil {
		return out, err
	}
	if err := bus.Put(ctx, notice.Refuse(in.Execution, in.Connection, in.Said, in.Decision)); err != nil {
		return out, err
	}
	workflow.Measure(ctx, workflow.Refusals, 1)
	return out, nil
}
