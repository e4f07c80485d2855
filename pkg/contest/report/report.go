// Package report tells people what somebody takes away again and again, and what its owner writes into their code so that both can live.
//
//	remedy.go  what to write, by tool and kind (pure)
//	ask.go     asks for that, when a look has found something contested
//	report.go  tells both owners, once
package report

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Reporter tells people what is contested.
type Reporter struct {
	contest.Contest
	Bus   notice.Bus
	Topic notice.Topic
}

// Report tells both owners of a connection, and programs, what of it is contested, by whom, and how to end it: once, until another hand takes something
// away, or its owner asked anew meanwhile.
func (r Reporter) Report(ctx context.Context, in workflow.ReportContestInput) (workflow.ReportContestOutput, error) {
	nothing := func(format string, args ...any) (workflow.ReportContestOutput, error) {
		return workflow.ReportContestOutput{Result: workflow.Nothing, Reason: fmt.Sprintf(format, args...)}, nil
	}
	entry, ok, err := r.Ledger.Connection(ctx, in.Connection)
	if err != nil {
		return workflow.ReportContestOutput{}, err
	}
	if !ok {
		return nothing("%s is not managed any more", in.Connection)
	}
	contested, err := r.Contested(ctx, entry)
	if err != nil {
		return workflow.ReportContestOutput{}, err
	}
	contested = append(contested, contest.Tags(entry)...)
	if len(contested) == 0 {
		return nothing("nothing of %s is contested any more", in.Connection)
	}
	reason := contest.Reason(contested)
	did, err := r.Ledger.Once(ctx, in.Connection, func(c *ledger.Connection) *string { return &c.Contest }, contest.Digest(contested), in.Execution, func() error {
		e := Event(entry, contested)
		e.Execution = in.Execution
		if err := r.Bus.Put(ctx, e); err != nil {
			return err
		}
		for _, account := range e.Accounts {
			if err := r.Topic.Publish(ctx, notice.ContestMessage(e, account)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return workflow.ReportContestOutput{}, err
	}
	if !did {
		return nothing("people were told before: %s", reason)
	}
	return workflow.ReportContestOutput{Result: workflow.Contested, Reason: reason}, nil
}

// Event is what is said of contested items of a connection.
func Event(c ledger.Connection, contested []ledger.Item) notice.Contested {
	e := notice.Contested{ID: c.ID, Machine: c.Kind.Machine(), Result: workflow.Contested, Things: []notice.Contest{}, Runbook: notice.ContestRunbook}
	for _, s := range c.Sides {
		e.Accounts = append(e.Accounts, s.Account)
	}
	for _, i := range contested {
		e.Accounts = append(e.Accounts, i.Account)
		e.Things = append(e.Things, notice.Contest{Account: i.Account, Region: i.Region, Kind: string(i.Kind), Resource: i.Resource, Key: i.Key,
			By: i.TakenBy.Who, Tool: i.TakenBy.Tool, Times: i.Taken, At: i.At, Remedy: Remedy(i), Anew: Anew(c, i)})
	}
	slices.Sort(e.Accounts)
	e.Accounts = slices.Compact(e.Accounts)
	return e
}
