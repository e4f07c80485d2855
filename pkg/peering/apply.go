package peering

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type accepter interface {
	AcceptVpcPeeringConnection(context.Context, *ec2.AcceptVpcPeeringConnectionInput, ...func(*ec2.Options)) (*ec2.AcceptVpcPeeringConnectionOutput, error)
}

// Accept accepts the request, as the accepter, in the accepter's Region (AWS takes it nowhere else).
func Accept(ctx context.Context, ec2api accepter, c workflow.Connection) (workflow.AcceptPeeringOutput, error) {
	slog.InfoContext(ctx, "accepting", "peering", c.ID, "requester", c.Requester.Account, "accepter", c.Accepter.Account)
	got, err := ec2api.AcceptVpcPeeringConnection(ctx, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: &c.ID})
	// "InvalidStateTransition": accepted, rejected or expired meanwhile. The machine looks at the peering again
	// anyway, and goes on from what it finds.
	if fault.HasCode(err, "InvalidStateTransition", "IncorrectState") {
		return workflow.AcceptPeeringOutput{Status: "changed meanwhile"}, nil
	}
	if fault.HasCode(err, "VpcPeeringConnectionAlreadyExists") {
		return workflow.AcceptPeeringOutput{}, fault.NewConflict(
			fmt.Sprintf("accepting %s: %s and %s are already peered", c.ID, c.Requester.ID, c.Accepter.ID),
			"reject "+c.ID+" and use the existing peering, or delete the existing one and redrive the execution")
	}
	if err != nil {
		return workflow.AcceptPeeringOutput{}, fmt.Errorf("accepting %s in %s: %w", c.ID, c.Accepter.Account, err)
	}
	out := workflow.AcceptPeeringOutput{}
	if got.VpcPeeringConnection != nil && got.VpcPeeringConnection.Status != nil {
		out.Status = string(got.VpcPeeringConnection.Status.Code)
	}
	return out, nil
}

// Refuser is what [Refuse] needs of EC2.
type Refuser interface {
	Tagger
	RejectVpcPeeringConnection(context.Context, *ec2.RejectVpcPeeringConnectionInput, ...func(*ec2.Options)) (*ec2.RejectVpcPeeringConnectionOutput, error)
}

// Refuse leaves the reason on the peering, and rejects the request at AWS if the policy allows that too. Otherwise the
// request stays pending: its cause may go away, or it expires after seven days.
func Refuse(ctx context.Context, enter func(workflow.VPC) Refuser, bus notice.Bus, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
	out := workflow.ConcludeOutput{Result: workflow.RefusedByPolicy, Reason: in.Reason, Decision: in.Decision}
	rejects := in.Reject.Allowed && slices.Contains(in.Members, Accepter)
	if err := SetStatus(ctx, asTagger(enter), in.Connection, in.Members, out.Result, out.Reason); err != nil {
		return out, err
	}
	if rejects {
		if err := reject(ctx, enter(in.Connection.Accepter), in.Connection); err != nil {
			return out, err
		}
	}
	head := notice.Head{Execution: in.Execution, Connection: in.Connection, Result: out.Result, Reason: out.Reason}
	if err := bus.Put(ctx, notice.Refused{Head: head, Decision: in.Decision, Rejected: rejects}); err != nil {
		return out, err
	}
	workflow.Measure(ctx, workflow.Refusals, 1)
	return out, nil
}

// reject rejects the request, as the accepter. A request that is no longer pending is left as it is.
func reject(ctx context.Context, ec2api Refuser, c workflow.Connection) error {
	slog.InfoContext(ctx, "rejecting", "peering", c.ID)
	_, err := ec2api.RejectVpcPeeringConnection(ctx, &ec2.RejectVpcPeeringConnectionInput{VpcPeeringConnectionId: &c.ID})
	if err != nil && !fault.HasCode(err, "InvalidStateTransition", "IncorrectState") {
		return fmt.Errorf("rejecting %s in %s: %w", c.ID, c.Accepter.Account, err)
	}
	return nil
}

// Optioner is what [AllowDNS] needs of EC2.
type Optioner interface {
	ModifyVpcPeeringConnectionOptions(context.Context, *ec2.ModifyVpcPeeringConnectionOptionsInput, ...func(*ec2.Options)) (*ec2.ModifyVpcPeeringConnectionOptionsOutput, error)
}

// AllowDNS lets the peer resolve this side's public DNS names to private addresses. Each side sets only its own
// option, by its own account, and only while the peering is active. A side that has it is left alone.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html
func AllowDNS(ctx context.Context, enter func(workflow.VPC) Optioner, c workflow.Connection, sides []workflow.Side) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	for _, s := range sides {
		hop := workflow.Hop{Hop: "DNS option " + s.Role, OK: true, Detail: "was on"}
		if !s.DNS {
			options := &types.PeeringConnectionOptionsRequest{AllowDnsResolutionFromRemoteVpc: aws.Bool(true)}
			in := &ec2.ModifyVpcPeeringConnectionOptionsInput{VpcPeeringConnectionId: &c.ID}
			if s.Role == Requester {
				in.RequesterPeeringConnectionOptions = options
			} else {
				in.AccepterPeeringConnectionOptions = options
			}
			slog.InfoContext(ctx, "allowing DNS resolution", "peering", c.ID, "side", s.Role)
			got, err := enter(s.VPC).ModifyVpcPeeringConnectionOptions(ctx, in)
			if err != nil {
				return out, fmt.Errorf("allowing DNS resolution on the %s side of %s: %w", s.Role, c.ID, err)
			}
			set := got.AccepterPeeringConnectionOptions
			if s.Role == Requester {
				set = got.RequesterPeeringConnectionOptions
			}
			hop.OK = set != nil && aws.ToBool(set.AllowDnsResolutionFromRemoteVpc)
			hop.Detail = "turned on"
		}
		out.Hops = append(out.Hops, hop)
	}
	return out, nil
}

// Tagger is what it takes to leave a status.
type Tagger interface {
	CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error)
}

// SetStatus leaves result and reason on the peering for people, on each side that is a member. A peering has tags of
// its own in each account.
func SetStatus(ctx context.Context, enter func(workflow.VPC) Tagger, c workflow.Connection, members []string, result workflow.Result, reason string) error {
	return setStatus(ctx, enter, c, members, result, reason, nil)
}

// setStatus is [SetStatus], with what each side's routes reach by its role.
func setStatus(ctx context.Context, enter func(workflow.VPC) Tagger, c workflow.Connection, members []string, result workflow.Result, reason string, reached map[string][]netip.Prefix) error {
	for _, s := range []struct {
		role string
		vpc  workflow.VPC
	}{{Requester, c.Requester}, {Accepter, c.Accepter}} {
		if !slices.Contains(members, s.role) {
			continue
		}
		tags := []types.Tag{
			{Key: aws.String(TagStatus), Value: aws.String(string(result))},
			{Key: aws.String(TagReason), Value: aws.String(tagValue(reason))},
		}
		if len(reached[s.role]) > 0 {
			tags = append(tags, types.Tag{Key: aws.String(TagDestinations), Value: aws.String(destinationsTag(reached[s.role]))})
		}
		_, err := enter(s.vpc).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{c.ID}, Tags: tags})
		// A failed peering is shown to the requester only, and a deleted one not for long: nobody is left to tell.
		if err != nil && !fault.HasCode(err, "InvalidVpcPeeringConnectionID.NotFound", "InvalidID") {
			return fmt.Errorf("setting the status of %s in %s: %w", c.ID, s.vpc.Account, err)
		}
	}
	return nil
}

// tagValue makes text fit into a tag: EC2 takes most characters, but at most 256 of them.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
func tagValue(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > 256 {
		runes = append(runes[:255], '…')
	}
	return string(runes)
}

// asTagger narrows what enter returns to what leaving a status needs.
func asTagger[T Tagger](enter func(workflow.VPC) T) func(workflow.VPC) Tagger {
	return func(v workflow.VPC) Tagger { return enter(v) }
}

// Verifier is what [Verify] needs of EC2.
type Verifier interface {
	Tagger
	firewall.ACLReader
}

// Verify gathers what the steps proved, judges the network ACLs of both sides, and gives the connection its status.
// Drawbridge does not write network ACLs, so an entry that is missing is a conflict for their owner.
func Verify(ctx context.Context, enter func(workflow.VPC) Verifier, bus notice.Bus, in workflow.VerifyConnectionInput) (workflow.VerifyConnectionOutput, error) {
	out := workflow.VerifyConnectionOutput{Result: workflow.Connected, Reason: in.Reason}
	out.Verdict = append(out.Verdict, workflow.Hop{Hop: "peering active", OK: true, Detail: in.Connection.ID})
	out.Verdict = append(out.Verdict, in.DNS.Hops...)
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
	sides, reached := []string{Requester, Accepter}, map[string][]netip.Prefix{}
	for _, s := range in.Sides {
		reached[s.Role] = s.Peer.CIDRs
	}
	if len(lacks) > 0 {
		lacking := fault.NewConflict(strings.Join(lacks, "; "), "add the entries (Drawbridge reads network ACLs and does not change them), then redrive the execution")
		if err := setStatus(ctx, asTagger(enter), in.Connection, sides, conflict, lacking.Error(), reached); err != nil {
			return out, err
		}
		return out, lacking
	}
	if err := setStatus(ctx, asTagger(enter), in.Connection, sides, workflow.Connected, out.Reason, reached); err != nil {
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

// Conclude takes Drawbridge's tags off a peering that is over, last of all: as long as they are there, another execution
// knows that something may be left. It gathers what the steps before removed, and which side they could not reach.
func Conclude(ctx context.Context, enter func(workflow.VPC) Untagger, bus notice.Bus, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
	out := workflow.ConcludeRemovalOutput{Result: in.Result, Reason: in.Reason, Verdict: slices.Clone(in.Absent)}
	for _, d := range in.Disconnected {
		out.Verdict = append(append(out.Verdict, d.Closed.Hops...), d.Removed.Hops...)
	}
	for _, w := range in.Withdrawn {
		out.Verdict = append(out.Verdict, w.Hops...)
	}
	if out.Verdict == nil {
		out.Verdict = []workflow.Hop{}
	}
	for _, role := range in.Tagged {
		vpc := in.Connection.Requester
		if role == Accepter {
			vpc = in.Connection.Accepter
		}
		slog.InfoContext(ctx, "removing status", "peering", in.Connection.ID, "side", role)
		_, err := enter(vpc).DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{in.Connection.ID}, Tags: []types.Tag{
			{Key: aws.String(TagStatus)}, {Key: aws.String(TagReason)}, {Key: aws.String(TagDestinations)}}})
		// A peering that is over is shown for two hours or two days, and its tags with it.
		if err != nil && !fault.HasCode(err, "InvalidVpcPeeringConnectionID.NotFound", "InvalidID") {
			return out, fmt.Errorf("removing the status of %s in %s: %w", in.Connection.ID, vpc.Account, err)
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
