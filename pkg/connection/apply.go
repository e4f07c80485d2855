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
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
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

// Leave leaves the status of a connection where people of both sides see it, with what is said to each side and the entry's time: on a peering in each account, and of a
// pair on a transit gateway, by a count, on the attachments of its VPCs.
func Leave(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) Tagger, c workflow.Connection, sides []workflow.Side, entry ledger.Connection, said func(workflow.Side) string) error {
	for _, s := range sides {
		tags := Tags(entry, said(s))
		if !c.OwnsTarget() {
			entries, err := l.Connections(ctx, s.VPC.Account, s.VPC.Region)
			if err != nil {
				return err
			}
			tags = []Tag{{TagPairs, Summary(PairsOf(entries, c.Target, s.VPC.ID), at(l.Now()))}}
		}
		if err := Tell(ctx, enter(s.VPC), s.VPC, s.Carrier, tags); err != nil {
			return err
		}
	}
	return nil
}

// Verifier is what [Verify] needs of EC2.
type Verifier interface {
	Tagger
	firewall.ACLReader
}

// Verify gathers what the steps proved, judges the network ACLs of both sides, and gives the connection its status.
// Drawbridge does not write network ACLs, so an entry that is missing is a conflict for their owner.
//
// A connection may be deleted, or let go of, while it is being set up, and the execution that takes it away may be done before the
// last rule or status is written. So still, which returns a [fault.Over] for a connection that is over, is asked last of all, and
// the ledger before it: that sends the machine back to its inspection. A deletion after that has its own execution, which finds everything.
func Verify(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) Verifier, still func(context.Context) error, bus notice.Bus, in workflow.VerifyConnectionInput) (workflow.VerifyConnectionOutput, error) {
	out := workflow.VerifyConnectionOutput{Result: workflow.Connected, Reason: in.Reason}
	out.Verdict = append(slices.Clone(in.Found), in.DNS.Hops...)
	for _, r := range in.Routed {
		out.Verdict = append(out.Verdict, r.Hops...)
	}
	for _, o := range in.Opened {
		out.Verdict = append(out.Verdict, o.Hops...)
	}
	clients := func(v workflow.VPC) firewall.Clients { return firewall.ClientsOf(in.Sides, v) }
	var lacks []string
	own := map[string]string{} // what lacks, by the role of the side whose network ACLs they are
	owners := slices.DeleteFunc(slices.Clone(in.Sides), func(s workflow.Side) bool { return s.Owner != "" })
	for _, s := range owners { // whose the network ACLs are
		var there []workflow.Opening
		for _, o := range in.Sides {
			switch {
			case o.Role != s.Role:
				there = append(there, o.Openings...)
			case o.Owner != "":
				s.Openings = append(slices.Clip(s.Openings), o.Openings...)
			}
		}
		hops, lacking, err := firewall.CheckACLs(ctx, enter(s.VPC), s, there, clients)
		if err != nil {
			return out, err
		}
		out.Verdict, lacks = append(out.Verdict, hops...), append(lacks, lacking...)
		own[s.Role] = strings.Join(lacking, "; ")
	}
	out.Verdict = append(out.Verdict, workflow.HostRoutes(in.Injected)...)
	tell := func(result workflow.Result, reason string, said func(workflow.Side) string) error {
		entry, err := Note(ctx, l, in.Connection.ID, result, reason)
		if err != nil {
			return err
		}
		if entry.ID == "" {
			return fault.New(fault.Over, "connecting %s: it is not managed any more", in.Connection.ID)
		}
		if err := participant.Known(entry, in.Sides); err != nil {
			return err
		}
		told := slices.DeleteFunc(slices.Clone(owners), func(s workflow.Side) bool { return silent(entry, s.VPC.Account) })
		if err := Leave(ctx, l, func(v workflow.VPC) Tagger { return enter(v) }, in.Connection, told, entry, said); err != nil {
			return err
		}
		return still(ctx)
	}
	if len(lacks) > 0 {
		lacking := fault.NewConflict(strings.Join(lacks, "; "), "add the entries (Drawbridge reads network ACLs and does not change them), then redrive the execution")
		if err := tell(Conflict, lacking.Error(), func(s workflow.Side) string { return Lacking(s, own[s.Role]) }); err != nil {
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
		return out, tell(workflow.Contested, taken, func(workflow.Side) string { return taken })
	}
	said := func(workflow.Side) string { return out.Reason }
	if waits := in.Waits.Said; waits != (workflow.Said{}) {
		out.Result, out.Reason = workflow.PendingApproval, in.Reason+"; "+waits.Requester
		out.Verdict = append(out.Verdict, workflow.Hop{Hop: "approval", Detail: waits.Accepter})
		said = func(s workflow.Side) string { return in.Reason + "; " + waits.To(s.Role) }
	}
	if err := tell(out.Result, out.Reason, said); err != nil {
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

// Untagger is what [Conclude] needs of EC2.
type Untagger interface {
	Tagger
	DeleteTags(context.Context, *ec2.DeleteTagsInput, ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error)
}

// Conclude says that a connection is over: it takes Drawbridge's tags off the carriers and, last of all, the entry out of the ledger.
// As long as that is there, the next execution goes on with what is left. A connection that may come again, or of which something is out
// of reach, keeps its entry. It gathers what the steps before took back, and which side they could not reach.
func Conclude(ctx context.Context, l ledger.Ledger, enter func(workflow.Carrier) Untagger, bus notice.Bus, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
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
			if err := untag(ctx, enter(c), c); err != nil {
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
func Recount(ctx context.Context, l ledger.Ledger, enter func(workflow.Carrier) Untagger, gateway string, tagged []workflow.Carrier) error {
	for _, c := range tagged {
		if c.VPC == "" {
			continue
		}
		entries, err := l.Connections(ctx, c.Account, c.Region)
		if err != nil {
			return err
		}
		if pairs := PairsOf(entries, gateway, c.VPC); len(pairs) > 0 {
			err = Tell(ctx, enter(c), workflow.VPC{Account: c.Account, Region: c.Region}, c.ID, []Tag{{TagPairs, Summary(pairs, at(l.Now()))}})
		} else {
			c.Tags = []string{TagPairs}
			err = untag(ctx, enter(c), c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// untag takes tags off a carrier. A peering that is over is shown for two hours or two days, and its tags with it.
func untag(ctx context.Context, api Untagger, c workflow.Carrier) error {
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
