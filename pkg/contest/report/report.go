// Package report tells people what somebody takes away again and again, and what its owner writes into their code so that both can live.
//
//	remedy.go  what to write, by tool and kind (pure)
//	ask.go     asks for that, when a look has found something contested
//	report.go  tells both owners, once
package report

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
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
	yielded, err := r.yielded(ctx, entry, in.Execution)
	if err != nil {
		return workflow.ReportContestOutput{}, err
	}
	contested, err := r.Contested(ctx, entry)
	if err != nil {
		return workflow.ReportContestOutput{}, err
	}
	contested = append(contested, contest.Tags(entry)...)
	if len(contested) == 0 && yielded != "" {
		return workflow.ReportContestOutput{Result: workflow.Reported, Reason: yielded}, nil
	}
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

// yielded tells the owners of things that they made again themselves, each of their own, that these are theirs by now: once. It returns what was told.
func (r Reporter) yielded(ctx context.Context, entry ledger.Connection, execution string) (reason string, err error) {
	if len(entry.Theirs) == 0 {
		return "", nil
	}
	var words []string
	things := map[string][]notice.Contest{}
	for _, i := range entry.Theirs {
		words = append(words, i.Account+" "+i.Resource+" "+string(i.Kind)+" "+i.Key+" "+i.At.String())
		things[i.Account] = append(things[i.Account], thing(i))
	}
	did, err := r.Ledger.Once(ctx, entry.ID, func(c *ledger.Connection) *string { return &c.Yielded }, ledger.Digest(words), execution, func() error {
		for _, account := range slices.Sorted(maps.Keys(things)) {
			if err := r.Topic.Publish(ctx, notice.YieldedMessage(entry.ID, account, things[account])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	_, err = r.Ledger.Change(ctx, entry.ID, func(now *ledger.Connection) {
		now.Theirs = slices.DeleteFunc(slices.Clone(now.Theirs), func(i ledger.Item) bool { return slices.ContainsFunc(entry.Theirs, i.Same) })
	})
	if did {
		reason = "people made again what was added for " + entry.ID + ", and it is theirs: " + fit.Count(len(entry.Theirs), "thing")
	}
	return reason, err
}

// thing is an item as people are told of it.
func thing(i ledger.Item) notice.Contest {
	return notice.Contest{Account: i.Account, Region: i.Region, Kind: string(i.Kind), Resource: i.Resource, Key: i.Key, By: i.TakenBy.Who, Tool: i.TakenBy.Tool, Times: i.Taken, At: i.At}
}

// Event is what is said of contested items of a connection.
func Event(c ledger.Connection, contested []ledger.Item) notice.Contested {
	e := notice.Contested{ID: c.ID, Machine: c.Kind.Machine(), Result: workflow.Contested, Things: []notice.Contest{}, Runbook: notice.ContestRunbook}
	for _, s := range c.Sides {
		e.Accounts = append(e.Accounts, s.Account)
	}
	for _, i := range contested {
		e.Accounts = append(e.Accounts, i.Account)
		each := thing(i)
		each.Remedy, each.Anew = Remedy(i), Anew(c, i)
		e.Things = append(e.Things, each)
	}
	slices.Sort(e.Accounts)
	e.Accounts = slices.Compact(e.Accounts)
	return e
}
