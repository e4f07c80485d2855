package transit

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Refuse tells programs that a pair is not connected. It leaves nothing on the attachments: each serves many pairs, and
// nothing is pending.
func Refuse(ctx context.Context, bus notice.Bus, in workflow.RefuseTransitInput) (workflow.ConcludeOutput, error) {
	out := workflow.ConcludeOutput{Result: workflow.RefusedByPolicy, Reason: in.Reason, Decision: in.Decision}
	if err := bus.Put(ctx, notice.Refuse(in.Execution, in.Connection, in.Said, in.Decision)); err != nil {
		return out, err
	}
	workflow.Measure(ctx, workflow.Refusals, 1)
	return out, nil
}
