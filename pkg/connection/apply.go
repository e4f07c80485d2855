package connection

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Tagger is what it takes to leave a status.
type Tagger interface {
	CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error)
}

// gone are the codes of EC2 for a carrier that is not shown, or no longer.
var gone = []string{"InvalidVpcPeeringConnectionID.NotFound", "InvalidTransitGatewayAttachmentID.NotFound", "InvalidID"}

// Tell leaves tags on a carrier, as the account of vpc: a carrier that two accounts see has tags of its own in each.
func Tell(ctx context.Context, ec2api Tagger, vpc workflow.VPC, carrier string, tags []Tag) error {
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

// Claim writes down, on both sides, which destinations are about to get routes, so that removal knows them whatever becomes
// of the execution. Routes to what many connections share outlive each of them, and cannot be tagged themselves.
func Claim(ctx context.Context, enter func(workflow.VPC) Tagger, in workflow.ClaimRoutesInput) (workflow.HopsOutput, error) {
	for _, s := range in.Sides {
		slog.InfoContext(ctx, "claiming", "carrier", s.Carrier, "peer", s.Peer.ID, "destinations", s.Peer.CIDRs)
		if err := Tell(ctx, enter(s.VPC), s.VPC, s.Carrier, Status(in.Connection, s, Connecting, "")); err != nil {
			return workflow.HopsOutput{Hops: []workflow.Hop{}}, err
		}
	}
	return workflow.HopsOutput{Hops: []workflow.Hop{}}, nil
}

// Verifier is what [Verify] needs of EC2.
type Verifier interface {
	Tagger
	firewall.ACLReader
}

// Verify gathers what the steps proved, judges the network ACLs of both sides, and gives the connection its status.
// Drawbridge does not write network ACLs, so an entry that is missing is a conflict for their owner.
//
// A connection may be deleted while it is being set up, and the execution that takes it away may be done before the last
// rule or status is written. So still, which returns a [fault.Over] for a connection that is over, is asked last of all: that
// sends the machine back to its inspection. A deletion after that has its own execution, which finds everything.
func Verify(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) Verifier, still func(context.Context) error, bus notice.Bus, in workflow.VerifyConnectionInput) (workflow.VerifyConnectionOutput, error) {
	out := workflow.VerifyConnectionOutput{Result: workflow.Connected, Reason: in.Reason}
	out.Verdict = append(slices.Clone(in.Found), in.DNS.Hops...)
	for _, r := range in.Routed {
		out.Verdict = append(out.Verdict, r.Hops...)
	}
	for _, o := range in.Opened {
		out.Verdict = append(out.Verdict, o.Hops...)
	}
	var lacks []string
	for _, s := range in.Sides {
		hops, lacking, err := firewall.CheckACLs(ctx, enter(s.VPC), s, subnetsOf(in.Notebooks, s.VPC))
		if err != nil {
			return out, err
		}
		out.Verdict, lacks = append(out.Verdict, hops...), append(lacks, lacking...)
	}
	for _, n := range in.Injected {
		out.Verdict = append(out.Verdict, n.Hops...)
	}
	entry, _, err := l.Connection(ctx, in.Connection.ID)
	if err != nil {
		return out, err
	}
	tell := func(result workflow.Result, reason string) error {
		for _, s := range in.Sides {
			if silent(entry, s.VPC.Account) {
				continue
			}
			if err := Tell(ctx, enter(s.VPC), s.VPC, s.Carrier, Status(in.Connection, s, result, reason)); err != nil {
				return err
			}
		}
		return still(ctx)
	}
	if len(lacks) > 0 {
		lacking := fault.NewConflict(strings.Join(lacks, "; "), "add the entries (Drawbridge reads network ACLs and does not change them), then redrive the execution")
		if err := tell(Conflict, lacking.Error()); err != nil {
			return out, err
		}
		return out, lacking
	}
	taken, err := contested(ctx, l, bus, in)
	if err != nil {
		return out, err
	}
	if taken != "" {
		out.Result, out.Reason = workflow.Contested, taken
		return out, tell(workflow.Contested, taken)
	}
	if err := tell(workflow.Connected, out.Reason); err != nil {
		return out, err
	}
	connected := notice.Connected{Head: notice.Head{Execution: in.Execution, Connection: in.Connection, Result: out.Result, Reason: out.Reason}, Missing: []workflow.Hop{}}
	for _, hop := range out.Verdict {
		if !hop.OK {
			connected.Missing = append(connected.Missing, hop)
		}
	}
	if err := bus.Put(ctx, connected); err != nil {
		return out, err
	}
	workflow.Measure(ctx, workflow.Connections, 1)
	if since, err := time.Parse(time.RFC3339, in.Since); err == nil {
		workflow.Measure(ctx, workflow.TimeToConnect, max(0, time.Since(since).Seconds()))
	}
	return out, nil
}

func subnetsOf(notebooks []workflow.Notebook, vpc workflow.VPC) []string {
	var out []string
	for _, n := range notebooks {
		if n.Account == vpc.Account && n.Region == vpc.Region {
			out = append(out, n.Subnet)
		}
	}
	return out
}

// Untagger is what [Conclude] needs of EC2.
type Untagger interface {
	DeleteTags(context.Context, *ec2.DeleteTagsInput, ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error)
}

// Conclude takes Drawbridge's tags off the carriers of a connection that is over, last of all: as long as they are there,
// another execution knows that something may be left. It gathers what the steps before removed, and which side they could
// not reach.
func Conclude(ctx context.Context, enter func(workflow.Carrier) Untagger, bus notice.Bus, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
	out := workflow.ConcludeRemovalOutput{Result: in.Result, Reason: in.Reason, Verdict: slices.Clone(in.Absent)}
	for _, d := range in.Disconnected {
		out.Verdict = append(append(out.Verdict, d.Closed.Hops...), d.Removed.Hops...)
	}
	for _, w := range in.Withdrawn {
		out.Verdict = append(out.Verdict, w.Hops...)
	}
	out.Verdict = append(out.Verdict, in.DNS.Hops...)
	if out.Verdict == nil {
		out.Verdict = []workflow.Hop{}
	}
	for _, c := range in.Tagged {
		slog.InfoContext(ctx, "removing status", "carrier", c.ID, "account", c.Account)
		off := &ec2.DeleteTagsInput{Resources: []string{c.ID}}
		for _, key := range c.Tags {
			off.Tags = append(off.Tags, types.Tag{Key: &key})
		}
		if len(off.Tags) == 0 { // EC2 would take every tag off
			continue
		}
		// A peering that is over is shown for two hours or two days, and its tags with it.
		if _, err := enter(c).DeleteTags(ctx, off); err != nil && !fault.HasCode(err, gone...) {
			return out, fmt.Errorf("removing the status of %s in %s: %w", c.ID, c.Account, err)
		}
	}
	head := notice.Head{Execution: in.Execution, Connection: in.Connection, Result: out.Result, Reason: out.Reason}
	if err := bus.Put(ctx, notice.Removed{Head: head, Hops: out.Verdict}); err != nil {
		return out, err
	}
	if out.Result == workflow.Removed {
		workflow.Measure(ctx, workflow.Removals, 1)
	}
	return out, nil
}
