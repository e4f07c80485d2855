package dataapi

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest/report"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Tagger is what [Concluder] needs of RDS.
type Tagger interface {
	AddTagsToResource(context.Context, *rds.AddTagsToResourceInput, ...func(*rds.Options)) (*rds.AddTagsToResourceOutput, error)
	RemoveTagsFromResource(context.Context, *rds.RemoveTagsFromResourceInput, ...func(*rds.Options)) (*rds.RemoveTagsFromResourceOutput, error)
}

// Concluder leaves the result of an execution.
type Concluder struct {
	Clusters Tagger
	Bus      notice.Bus
	Ledger   ledger.Ledger
}

// Conclude leaves the result in the ledger, on the cluster for people, and on the bus. When everything is retracted, or the cluster's owner has Drawbridge let
// go of it, the cluster is not managed any more, and its status goes, too. What is left to who took it away makes it Contested, and is told to its owner, once.
func (k Concluder) Conclude(ctx context.Context, in workflow.ConcludeDataAPIInput) (workflow.ConcludeDataAPIOutput, error) {
	out := workflow.ConcludeDataAPIOutput{Result: in.Result, Reason: in.Reason, Decision: in.Decision, Verdict: []workflow.Hop{}}
	for _, d := range []workflow.HopsOutput{in.Enabled, in.Admitted, in.Retracted} {
		out.Verdict = append(out.Verdict, d.Hops...)
	}
	c := in.DataAPI.Cluster
	if in.Result == workflow.Exposed && slices.ContainsFunc(out.Verdict, func(h workflow.Hop) bool { return !h.OK }) {
		taken, err := report.Ask(ctx, k.Ledger, k.Bus, ledger.Connection{ID: c.ARN})
		if err != nil {
			return out, err
		}
		if taken != "" {
			in.Result, in.Reason, out.Result, out.Reason = workflow.Contested, taken, workflow.Contested, taken
		}
	}
	if in.Result != workflow.Released {
		if err := k.leave(ctx, c, in); err != nil {
			return out, err
		}
	} else if err := k.untag(ctx, c); err != nil {
		return out, err
	}
	thing := notice.Thing{Execution: in.Execution, Machine: "drawbridge-data-api", Result: in.Result, Reason: in.Reason,
		Resource: notice.Resource{Account: c.Account, Region: c.Region, ID: c.ARN}}
	for _, consumer := range in.DataAPI.Consumers {
		if (in.Result == workflow.Exposed || in.Result == workflow.Contested) && consumer.Decision.Allowed {
			thing.For = append(thing.For, consumer.Account)
		}
	}
	if err := k.Bus.Put(ctx, notice.Access(thing, in.Decision, out.Verdict)); err != nil || in.Result != workflow.Released {
		return out, err
	}
	return out, k.Ledger.LetGo(ctx, c.ARN) // last of all: what the ledger does not have is told to nobody
}

func (k Concluder) leave(ctx context.Context, c workflow.Cluster, in workflow.ConcludeDataAPIInput) error {
	if in.Result == workflow.Retracted {
		if !c.Gone {
			if err := k.untag(ctx, c); err != nil {
				return err
			}
		}
		// Last of all: as long as there is an entry, a look at the cluster takes its status away.
		return k.Ledger.End(ctx, c.ARN)
	}
	// Who is refused has an entry as well: it says that there is a status to take away.
	entry, err := k.Ledger.Begin(ctx, connection(c))
	if err != nil {
		return err
	}
	paths, now, since := Paths(in), k.Ledger.Now().UTC(), entry.At
	status := func(e *ledger.Connection) {
		e.Paths = paths
		e.Stand(ledger.Status(in.Result), in.Reason, in.Decision.Policy, now)
	}
	if status(&entry); !in.DataAPI.Tagged || !entry.At.Equal(since) {
		if err := Say(ctx, k.Clusters, entry); err != nil {
			return err
		}
	}
	_, err = k.Ledger.Change(ctx, c.ARN, status)
	return err
}

func (k Concluder) untag(ctx context.Context, c workflow.Cluster) error {
	_, err := k.Clusters.RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: &c.ARN, TagKeys: tag.StatusKeys()})
	if err != nil && !fault.HasCode(err, "DBClusterNotFoundFault") {
		return fmt.Errorf("taking tags off the cluster %s: %w", c.ID, err)
	}
	return nil
}
