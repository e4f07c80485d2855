package peering

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// find reads the peering where the event happened, or, if that account is not ours to enter or shows it no longer, at
// the ends that the event or the ledger mentions; seen is where. A verdict with an answer means that nobody shows it.
func (i Inspector) find(ctx context.Context, execution string, e event.Event, entry ledger.Connection) (p Peering, seen event.Place, v Verdict, err error) {
	why := fmt.Sprintf("account %s is outside the organization", e.Account)
	var closed error
	places := append([]event.Place{e.Place}, e.Others...)
	for _, s := range entry.Sides {
		if at := (event.Place{Account: s.Account, Region: s.Region}); !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	for n, place := range places {
		facts, err := i.Account(ctx, place.Account)
		if err != nil {
			return p, place, v, err
		}
		if facts.Organization == "" {
			if entry.ID != "" {
				closed = cmp.Or(facts.Unreadable(), closed) // perhaps the other end shows it
			}
			continue
		}
		p, found, err := read(ctx, i.Enter(execution, place).EC2, e.PeeringID)
		if err != nil {
			err = fmt.Errorf("in %s, %s: %w", place.Account, place.Region, err)
		}
		switch {
		case errors.Is(err, fault.ErrClosed):
			closed = err // perhaps the other end lets us in
			continue
		case err != nil || found:
			return p, place, v, err
		case n == 0 && e.Name == requests && i.Now().Sub(e.Time).Abs() < fresh:
			return p, place, v, fault.New(fault.NotYet, "reading %s: EC2 in %s, %s does not show it yet", e.PeeringID, place.Account, place.Region)
		}
		why = fmt.Sprintf("%s does not exist in %s, %s", e.PeeringID, place.Account, place.Region)
	}
	return p, e.Place, Verdict{Answer: workflow.AnswerNothing, Reason: why}, closed
}

// Describer is what it takes to read a peering.
type Describer interface {
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
}

func read(ctx context.Context, ec2api Describer, id string) (Peering, bool, error) {
	got, err := ec2api.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{id}})
	if fault.HasCode(err, "InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionID.Malformed") || err == nil && len(got.VpcPeeringConnections) == 0 {
		return Peering{}, false, nil
	}
	if err != nil {
		return Peering{}, false, fmt.Errorf("reading %s: %w", id, err)
	}
	c := got.VpcPeeringConnections[0]
	p := Peering{ID: aws.ToString(c.VpcPeeringConnectionId), Requester: side(c.RequesterVpcInfo), Accepter: side(c.AccepterVpcInfo)}
	if c.Status != nil {
		p.Status, p.Message = string(c.Status.Code), aws.ToString(c.Status.Message)
	}
	if c.ExpirationTime != nil {
		p.Expires = c.ExpirationTime.UTC().Format(time.RFC3339)
	}
	tags := map[string]string{}
	for _, t := range c.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	p.Tags = tag.Clean(tag.Peering, tags)
	return p, true, nil
}

func side(info *types.VpcPeeringConnectionVpcInfo) End {
	if info == nil {
		return End{}
	}
	e := End{Place: event.Place{Account: aws.ToString(info.OwnerId), Region: aws.ToString(info.Region)}, VPC: aws.ToString(info.VpcId)}
	for _, b := range info.CidrBlockSet {
		e.CIDRs = append(e.CIDRs, parsed(b.CidrBlock)...)
	}
	for _, b := range info.Ipv6CidrBlockSet {
		e.CIDRs = append(e.CIDRs, parsed(b.Ipv6CidrBlock)...)
	}
	if info.PeeringOptions != nil {
		e.DNS = aws.ToBool(info.PeeringOptions.AllowDnsResolutionFromRemoteVpc)
	}
	return e
}

func parsed(text *string) []netip.Prefix {
	if p, err := netip.ParsePrefix(aws.ToString(text)); err == nil {
		return []netip.Prefix{p.Masked()}
	}
	return nil
}

// both asks for both accounts, unless an earlier look of this execution knows them.
func (i Inspector) both(ctx context.Context, known workflow.Known, p Peering) (requester, accepter workflow.AccountFacts, err error) {
	if known.Requester != nil && known.Accepter != nil {
		return known.Requester.Account, known.Accepter.Account, nil
	}
	if p.Requester.Account != "" { // else AWS has forgotten the peering, and nothing that is left tells
		if requester, err = i.Account(ctx, p.Requester.Account); err != nil {
			return requester, accepter, err
		}
	}
	accepter, err = i.Account(ctx, p.Accepter.Account)
	return requester, accepter, err
}

// facts reads both VPCs and their route tables, unless an earlier look of this execution knows them.
func (i Inspector) facts(ctx context.Context, in workflow.InspectPeeringInput, p Peering, requester, accepter workflow.AccountFacts) (*workflow.Facts, *workflow.Facts, error) {
	if in.Known.Requester != nil && in.Known.Accepter != nil {
		return in.Known.Requester, in.Known.Accepter, nil
	}
	s := i.surveyor(in.Execution, nil, policy.Context{})
	vpc := func(e End, account workflow.AccountFacts) func(context.Context) (*workflow.Facts, error) {
		return func(ctx context.Context) (*workflow.Facts, error) { return s.VPC(ctx, e.Place, e.VPC, account) }
	}
	return s.Pair(ctx, p.ID, vpc(p.Requester, requester), vpc(p.Accepter, accepter))
}

// surveyor reads VPCs on behalf of an execution.
func (i Inspector) surveyor(execution string, set *policy.Set, about policy.Context) survey.Surveyor {
	return survey.Surveyor{Set: set, About: about, Account: i.Account, Ledger: i.Ledger, Enter: func(at event.Place) survey.Clients {
		c := i.Enter(execution, at)
		return survey.Clients{EC2: c.EC2, Databases: c.Databases, SageMaker: c.SageMaker, Lambda: c.Lambda}
	}}
}

// explore finds what is to be done on each side of an active peering: subnets, databases that the policy opens, and
// the clients of every consumer.
func explore(ctx context.Context, s survey.Surveyor, q Question) (sides []workflow.Side, notebooks []workflow.Batch, closed []workflow.Hop, err error) {
	r, a := sideFacts(q)
	r.Side.Tables, a.Side.Tables = q.Requester.Tables, q.Accepter.Tables
	r.Side.DNS, a.Side.DNS = q.Peering.Requester.DNS, q.Peering.Accepter.DNS
	r.Side.Peer.CIDRs = survey.Reachable(r.Side.VPC.CIDRs, a.Side.VPC.CIDRs)
	a.Side.Peer.CIDRs = survey.Reachable(a.Side.VPC.CIDRs, r.Side.VPC.CIDRs)
	besides, err := beside(ctx, s.Ledger, *r.Side, *a.Side)
	if err != nil {
		return nil, nil, nil, err
	}
	r.Side.Alternates, a.Side.Alternates = besides, besides
	surveyed, err := s.Produce(ctx, r, a)
	if err != nil {
		return nil, nil, nil, err
	}
	survey.Appoint(survey.Sides(surveyed)...)
	notebooks, err = s.Consume(ctx, surveyed...)
	return survey.Values(surveyed), notebooks, survey.Closed(surveyed...), err
}

// accepted is what the look of this execution found that let a peering be accepted; nothing, if another look was there since.
func accepted(ctx context.Context, l ledger.Ledger, id string) (workflow.Known, error) {
	f, err := fact.Read(ctx, l, id)
	if err != nil || f.Answer != workflow.AnswerAccept {
		return workflow.Known{}, err
	}
	f.Known.Sides, f.Known.Batches = f.Sides, f.Batches
	return f.Known, nil
}

// explored is [explore], or what an earlier look of this execution found so.
func (i Inspector) explored(ctx context.Context, in workflow.InspectPeeringInput, set *policy.Set, q Question) (sides []workflow.Side, notebooks []workflow.Batch, closed []workflow.Hop, err error) {
	if known := in.Known; len(known.Sides) >= 2 && same(known.Sides[0], q.Participants[0]) && same(known.Sides[1], q.Participants[1]) {
		sides := slices.Clone(known.Sides)
		sides[0].DNS, sides[1].DNS = q.Peering.Requester.DNS, q.Peering.Accepter.DNS // an option of the peering, once it is accepted
		return sides, known.Batches, known.Closed, nil
	}
	sides, notebooks, closed, err = explore(ctx, i.surveyor(in.Execution, set, policy.Context{Connection: q.Peering.ID}), q)
	if err == nil && survey.Unread(sides) {
		err = i.Ledger.LookAgain(ctx, q.Peering.ID, in.Execution)
	}
	return sides, notebooks, closed, err
}

// same reports whether what the entry says of who takes part in a VPC is what an earlier look knew. That may have read it where the entry says nothing yet.
func same(known workflow.Side, participants []string) bool {
	return len(participants) == 0 || slices.Equal(known.Participants, participants)
}

// prospect finds what would become reachable if a pending request were approved: the databases, on both sides, that the
// policy would open to the other. Without routes nothing is reachable, and nothing is read.
func prospect(ctx context.Context, s survey.Surveyor, q Question) ([]workflow.Side, error) {
	r, a := sideFacts(q)
	if !routed(q) {
		return []workflow.Side{}, nil
	}
	all, err := s.Offer(ctx, r, a)
	return survey.Values(all), err
}

func sideFacts(q Question) (requester, accepter *survey.SideFacts) {
	r := workflow.Side{Role: Requester, VPC: q.Requester.VPC, Peer: q.Accepter.VPC, StatusResource: q.Peering.ID}
	a := workflow.Side{Role: Accepter, VPC: q.Accepter.VPC, Peer: q.Requester.VPC, StatusResource: q.Peering.ID}
	r.Participants, a.Participants = q.Participants[0], q.Participants[1]
	// Of a peering that is active: only such a one is connected. https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
	r.Refers = q.Requester.VPC.Region == q.Accepter.VPC.Region
	a.Refers = r.Refers
	return &survey.SideFacts{Side: &r, Here: q.Requester, There: q.Accepter, Entry: q.Entry},
		&survey.SideFacts{Side: &a, Here: q.Accepter, There: q.Requester, Entry: q.Entry}
}
