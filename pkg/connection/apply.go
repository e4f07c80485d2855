package connection

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Tagger is what it takes to leave a status.
type Tagger interface {
	CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error)
}

// gone are the codes of EC2 for a carrier that is not shown, or no longer.
var gone = []string{"InvalidVpcPeeringConnectionID.NotFound", "InvalidTransitGatewayAttachmentID.NotFound", "InvalidID"}

// Tell leaves tags on a carrier, as the account of vpc: a carrier that two accounts see has tags of its own in each.
func Tell(ctx context.Context, ec2api Tagger, vpc workflow.VPC, carrier string, tags []tag.Pair) error {
	in := &ec2.CreateTagsInput{Resources: []string{carrier}}
	for _, t := range tags {
		in.Tags = append(in.Tags, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	_, err := ec2api.CreateTags(ctx, in)
	// A failed peering is shown to the requester only, and a deleted one not for long: nobody is left to tell.
	if err != nil && !fault.HasCode(err, gone...) {
		return fmt.Errorf("setting the status of %s in %s: %w", carrier, vpc.Account, err)
	}
	return nil
}

// Leave leaves the status of a connection where people of both sides see it, with what is said to each side and the entry's time: on a peering in each account, and of a
// pair on a transit gateway, by a count, on the attachments of its VPCs.
// Many parameters, because they are the two ways into accounts, the entry, and what is said.
func Leave(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) Tagger, c workflow.Connection, sides []workflow.Side, entry ledger.Connection, said func(workflow.Side) string) error {
	for _, s := range sides {
		tags := Tags(entry, said(s))
		if !c.OwnsTarget() {
			entries, err := l.Connections(ctx, s.VPC.Account, s.VPC.Region)
			if err != nil {
				return err
			}
			tags = []tag.Pair{{tag.Pairs, Summary(PairsOf(entries, c.Target, s.VPC.ID), at(l.Now()))}}
		}
		if err := Tell(ctx, enter(s.VPC), s.VPC, s.StatusResource, tags); err != nil {
			return err
		}
	}
	return nil
}

// Untagger is what [Conclude] needs of EC2.
type Untagger interface {
	Tagger
	DeleteTags(context.Context, *ec2.DeleteTagsInput, ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error)
}

// Conclude says that a connection is over: it takes Drawbridge's tags off the carriers and, last of all, the entry out of the ledger.
// As long as that is there, the next execution goes on with what is left. A connection that may come again, or of which something is out
// of reach, keeps its entry. It gathers what the steps before took back, and which side they could not reach.
func Conclude(ctx context.Context, l ledger.Ledger, enter func(workflow.StatusResource) Untagger, bus notice.Bus, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
	out := workflow.ConcludeRemovalOutput{Result: in.Result, Reason: in.Reason, Verdict: slices.Clone(in.Absent)}
	for _, d := range in.Disconnected {
		out.Verdict = append(append(out.Verdict, d.Closed.Hops...), d.Removed.Hops...)
	}
	out.Verdict = append(out.Verdict, workflow.HostRoutes(in.Withdrawn)...)
	out.Verdict = append(out.Verdict, in.DNS.Hops...)
	if out.Verdict == nil {
		out.Verdict = []workflow.Hop{}
	}
	for _, c := range in.Tagged {
		if len(c.Tags) > 0 { // without keys, EC2 would take every tag off
			if err := Untag(ctx, enter(c), c); err != nil {
				return out, err
			}
		}
	}
	head := notice.Head{Execution: in.Execution, Connection: in.Connection, Result: out.Result, Reason: out.Reason}
	if err := bus.Put(ctx, notice.Removed{Head: head, Hops: out.Verdict}); err != nil {
		return out, err
	}
	if err := end(ctx, l, in); err != nil {
		return out, err
	}
	if err := Recount(ctx, l, enter, in.Connection.Target, in.Tagged); err != nil {
		return out, err
	}
	if out.Result == workflow.Removed {
		workflow.Measure(ctx, workflow.Removals, 1)
	}
	return out, nil
}

// end takes the entry of a connection out of the ledger, or writes there how it stands.
func end(ctx context.Context, l ledger.Ledger, in workflow.ConcludeRemovalInput) error {
	switch {
	case in.Result == workflow.Released:
		return l.LetGo(ctx, in.Connection.ID)
	case in.Ended:
		return l.End(ctx, in.Connection.ID)
	}
	_, err := Note(ctx, l, in.Connection.ID, in.Result, in.Reason)
	return err
}

// Recount counts the pairs on a gateway anew on the attachments that a pair was on.
func Recount(ctx context.Context, l ledger.Ledger, enter func(workflow.StatusResource) Untagger, gateway string, tagged []workflow.StatusResource) error {
	for _, c := range tagged {
		if c.VPC == "" {
			continue
		}
		entries, err := l.Connections(ctx, c.Account, c.Region)
		if err != nil {
			return err
		}
		if pairs := PairsOf(entries, gateway, c.VPC); len(pairs) > 0 {
			err = Tell(ctx, enter(c), workflow.VPC{Account: c.Account, Region: c.Region}, c.ID, []tag.Pair{{tag.Pairs, Summary(pairs, at(l.Now()))}})
		} else {
			c.Tags = []string{tag.Pairs}
			err = Untag(ctx, enter(c), c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Untag takes tags off a carrier, as far as there are any. A peering that is over is shown for two hours or two days, and its tags with it.
func Untag(ctx context.Context, api Untagger, c workflow.StatusResource) error {
	slog.InfoContext(ctx, "removing status", "carrier", c.ID, "account", c.Account)
	off := &ec2.DeleteTagsInput{Resources: []string{c.ID}}
	for _, key := range c.Tags {
		off.Tags = append(off.Tags, types.Tag{Key: &key})
	}
	if _, err := api.DeleteTags(ctx, off); err != nil && !fault.HasCode(err, gone...) {
		return fmt.Errorf("removing the status of %s in %s: %w", c.ID, c.Account, err)
	}
	return nil
}
