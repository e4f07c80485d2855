package studio

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/redshift"
	rstypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest/report"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Tagger is what [Conclude] needs of Redshift.
type Tagger interface {
	Redshift
	CreateTags(context.Context, *redshift.CreateTagsInput, ...func(*redshift.Options)) (*redshift.CreateTagsOutput, error)
	DeleteTags(context.Context, *redshift.DeleteTagsInput, ...func(*redshift.Options)) (*redshift.DeleteTagsOutput, error)
}

// Conclude names the end of an execution, leaves it on the cluster, for people, announces it and writes it into the ledger; when nobody reads the
// cluster any more, nothing of ours stays there, and the ledger forgets it unless its owner still names accounts. A cluster that its owner has Drawbridge let
// go of ends as it stands, and is forgotten. What is left to who took it away makes
// the end Contested, and is told to its owners, once.
func Conclude(ctx context.Context, api Tagger, bus notice.Bus, book Book, in workflow.ConcludeStudioInput) (workflow.ConcludeStudioOutput, error) {
	out := workflow.ConcludeStudioOutput{Reason: in.Reason, Verdict: slices.Concat(in.Unfit, in.Written.Hops)}
	for _, a := range in.Admitted {
		out.Verdict = append(out.Verdict, a.Hops...)
	}
	for _, d := range in.Identified {
		out.Verdict = append(out.Verdict, d.Hops...)
	}
	for _, r := range in.Released {
		out.Verdict = append(out.Verdict, r.Hops...)
	}
	out.Result = End(len(in.Roles), out.Verdict, in.Identified)
	released := in.Warehouse.Manage == tag.Leave
	if released {
		out.Result = workflow.Released
	}
	taken := ""
	if out.Result == workflow.Incomplete {
		var err error
		if taken, err = report.Ask(ctx, book.Ledger, bus, ledger.Connection{ID: in.Warehouse.ARN}); err != nil {
			return out, err
		}
	}
	for _, hop := range out.Verdict {
		if !hop.OK {
			out.Reason = hop.Hop + " " + hop.Detail
			break
		}
	}
	if taken != "" {
		out.Result, out.Reason = workflow.Contested, taken+"; "+out.Reason
	}
	w := in.Warehouse
	entry, _, err := book.Connection(ctx, w.ARN)
	if err != nil {
		return out, fmt.Errorf("reading the ledger's entry of %s: %w", w.ARN, err)
	}
	now := book.Now() // once: the tag says the same time as the entry
	if status(out.Result, out.Reason, in.Decision.Policy, now)(&entry); entry.At.IsZero() {
		entry.At = now
	}
	if err := Say(ctx, api, w, entry); err != nil {
		return out, fmt.Errorf("leaving the status on the Redshift cluster %s in %s: %w", w.ID, w.Account, err)
	}
	thing := notice.Thing{Execution: in.Execution, Machine: machine, Result: out.Result, Reason: out.Reason,
		Resource: notice.Resource{Account: w.Account, Region: w.Region, ID: w.ARN}}
	for _, r := range in.Roles {
		if !slices.Contains(thing.For, r.Account) {
			thing.For = append(thing.For, r.Account)
		}
	}
	if err := bus.Put(ctx, notice.Access(thing, policy.Decision{}, out.Verdict)); err != nil {
		return out, err
	}
	// Last of all: what the ledger does not have is looked at no more.
	if released {
		return out, book.LetGo(ctx, w.ARN)
	}
	if out.Result == workflow.Removed && !w.Named {
		if err := book.End(ctx, w.ARN); err != nil {
			return out, fmt.Errorf("ending the ledger's entry of %s: %w", w.ARN, err)
		}
	} else if _, err := book.Change(ctx, w.ARN, func(c *ledger.Connection) {
		status(out.Result, out.Reason, in.Decision.Policy, now)(c)
		c.Paths = Paths(in, out.Result)
	}); err != nil {
		return out, fmt.Errorf("writing the ledger's entry of %s: %w", w.ARN, err)
	}
	return out, nil
}

// status writes the end of an execution into a connection's entry. What did not change keeps its time.
func status(result workflow.Result, reason, policy string, now time.Time) func(*ledger.Connection) {
	return func(c *ledger.Connection) {
		c.Stand(ledger.Status(result), reason, policy, now.UTC())
	}
}

// Say leaves the status of an entry on its cluster, with since when it is so, or takes it away. IAM lets Drawbridge tag a cluster only while its owner's tag is on it, or its own.
func Say(ctx context.Context, api Tagger, w workflow.Warehouse, entry ledger.Connection) error {
	tags, _, err := cluster(ctx, api, event.Event{Place: event.Place{Account: w.Account, Region: w.Region}, Cluster: w.ID})
	if err != nil {
		return err
	}
	_, has := tags[tag.StudioStatus]
	result := workflow.Result(entry.Status)
	over := result == workflow.Removed || result == workflow.Released
	switch {
	case over && has:
		_, err = api.DeleteTags(ctx, &redshift.DeleteTagsInput{ResourceName: &w.ARN, TagKeys: []string{tag.StudioStatus, tag.StudioReason, tag.StudioSince}})
	case !over && (has || w.Named || tags[tag.Studio] != ""):
		var says []rstypes.Tag
		said := true
		for _, t := range tag.StandingInStudio(string(result), entry.Reason, entry.At) {
			says, said = append(says, rstypes.Tag{Key: &t.Key, Value: &t.Value}), said && tags[t.Key] == t.Value
		}
		if len(tags) == 0 || said {
			return nil // the cluster is gone, or goes; or it says so already
		}
		_, err = api.CreateTags(ctx, &redshift.CreateTagsInput{ResourceName: &w.ARN, Tags: says})
	}
	return err
}
