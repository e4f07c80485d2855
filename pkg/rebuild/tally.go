package rebuild

import (
	"context"
	"log/slog"

	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Teller says what a rebuild came to.
type Teller struct {
	Bus   notice.Bus
	Topic notice.Topic
}

// Tally adds the visits of one page to what the rebuild came to so far. After the last page it tells people and programs.
func (t Teller) Tally(ctx context.Context, in workflow.TallySweepInput) (workflow.TallySweepOutput, error) {
	out := workflow.TallySweepOutput{Answer: workflow.AnswerMore, Sweep: in.Sweep, Page: in.Page, Tally: sweep.Count(in.Tally, in.Accounts, in.Visits)}
	slog.InfoContext(ctx, "tallied", "accounts", out.Tally.Accounts, "failed", len(out.Tally.Failed)+out.Tally.More.Failed)
	if in.Page != "" {
		return out, nil
	}
	result := workflow.Rebuilt
	if len(out.Tally.Failed) > 0 {
		result = workflow.PartlyRebuilt
	}
	out.Answer = workflow.Answer(result)
	a := notice.Rebuilt(in.Execution, in.ExecutionID, result, out.Tally)
	if result == workflow.PartlyRebuilt {
		out.Reason = a.Sentence()
	}
	if err := t.Bus.Put(ctx, a); err != nil {
		return out, err
	}
	return out, t.Topic.Publish(ctx, notice.Message(a))
}
