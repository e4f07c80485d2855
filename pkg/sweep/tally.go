package sweep

import (
	"context"
	"log/slog"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Teller says what a sweep came to.
type Teller struct {
	Bus    notice.Bus
	Topic  notice.Topic
	Ledger ledger.Ledger
	// Managed writes how many connections there are, which a percentage of the brake is of.
	Managed func(ctx context.Context, n int) error
}

// told is what a sweep of everything told people of, in the ledger.
const told = "drawbridge-sweep"

// Tally adds the visits of one page to what the sweep came to so far. After the last page it tells programs, once for the whole sweep, of the accounts whose visit
// failed or whose events do not reach the hub, and the brake how many connections there are. A visit that failed counts none: then the percentage is of less, and
// more waits for a person.
//
// People hear of the same accounts, for the same reasons, once, however many sweeps find them, and once that it is over. Who asked for a sweep of some accounts waits
// for what it says, and is told each time; of the others it says nothing.
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
	if err := t.Ledger.Unsaid(ctx, notice.SweepFailures); err != nil {
		return out, err
	}
	out.Answer = workflow.Answer(workflow.Swept)
	if len(out.Tally.Failed)+len(out.Tally.Deaf) == 0 {
		if !All(in.Sweep) {
			return out, nil
		}
		_, err := t.Topic.Once(ctx, t.Ledger, told, "", in.Execution, notice.SweptAgain(out.Tally.Accounts))
		return out, err
	}
	out.Answer = workflow.Answer(workflow.PartlySwept)
	a := notice.PartlySwept(in.Execution, in.ExecutionID, out.Tally)
	out.Reason = a.Sentence()
	if err := t.Bus.Put(ctx, a); err != nil {
		return out, err
	}
	if !All(in.Sweep) {
		return out, t.Topic.Publish(ctx, notice.Message(a))
	}
	_, err := t.Topic.Once(ctx, t.Ledger, told, a.Trouble(), in.Execution, notice.Message(a))
	return out, err
}
