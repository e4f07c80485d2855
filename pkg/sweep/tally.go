package sweep

import (
	"context"
	"log/slog"

	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Teller says what a sweep came to.
type Teller struct {
	Bus   notice.Bus
	Topic notice.Topic
	// Managed writes how many connections there are, which a percentage of the brake is of.
	Managed func(ctx context.Context, n int) error
}

// Tally adds the visits of one page to what the sweep came to so far. After the last page it tells people and programs,
// once for the whole sweep, of the accounts whose visit failed or whose events do not reach the hub, and the brake how many connections there are. A visit that failed counts none:
// then the percentage is of less, and more waits for a person.
func (t Teller) Tally(ctx context.Context, in workflow.TallySweepInput) (workflow.TallySweepOutput, error) {
	out := workflow.TallySweepOutput{Answer: workflow.AnswerMore, Sweep: in.Sweep, Page: in.Page, Tally: Count(in.Tally, in.Accounts, in.Visits)}
	slog.InfoContext(ctx, "tallied", "accounts", out.Tally.Accounts, "failed", len(out.Tally.Failed)+out.Tally.More.Failed)
	if in.Page != "" {
		return out, nil
	}
	if All(in.Sweep) {
		if err := t.Managed(ctx, out.Tally.Managed); err != nil {
			return out, err
		}
	}
	out.Answer = workflow.Answer(workflow.Swept)
	if len(out.Tally.Failed)+len(out.Tally.Deaf) == 0 {
		return out, nil
	}
	out.Answer = workflow.Answer(workflow.PartlySwept)
	a := notice.PartlySwept(in.Execution, in.ExecutionID, out.Tally)
	if err := t.Bus.Put(ctx, a); err != nil {
		return out, err
	}
	return out, t.Topic.Publish(ctx, notice.Message(a))
}
