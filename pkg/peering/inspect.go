package peering

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2Reader is what [Inspector] needs of EC2.
type EC2Reader interface {
	survey.EC2
	Describer
	firewall.GroupReader
}

// Clients are the member-account clients that an inspection uses, for one account and Region.
type Clients struct {
	EC2       EC2Reader
	RDS       database.RDS
	Redshift  database.Redshift
	SageMaker notebook.SageMaker
}

// Inspector answers what a peering needs next.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Clients
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Policy returns the policy whose text the execution carries or, if known is empty, the one in force; and its text.
	Policy func(ctx context.Context, known string) (*policy.Set, string, error)
	// Now is the clock.
	Now func() time.Time
	// Brake is asked before a connection is taken away that nobody ended: it returns the error with which that waits for a person.
	Brake func(ctx context.Context, id, cause string) error
}

// fresh is how long after a request EC2 may not yet show the peering that its own event speaks of.
const fresh = time.Minute

// Inspect reads the event, the peering and both of its VPCs, each in its own account and Region, asks the policy, and
// answers. It changes nothing.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectPeeringInput) (workflow.InspectPeeringOutput, error) {
	out := workflow.InspectPeeringOutput{Event: in.Event, Known: in.Known, Members: []string{}, Sides: []workflow.Side{}, Notebooks: []workflow.Notebook{}, Found: []workflow.Hop{}, Tagged: []workflow.Carrier{}, Absent: []workflow.Hop{}}
	requested := false // this is the first look at a new request
	var p Peering
	var seen event.Place // where p was read
	end := func(v Verdict) (workflow.InspectPeeringOutput, error) {
		if v.Answer == workflow.AnswerDisconnect {
			if p.Status == "active" { // its owners keep it
				if err := i.Brake(ctx, p.ID, v.Reason); err != nil {
					return out, err
				}
			}
			untold, err := i.leftovers(ctx, in, p, seen, &out)
			if err != nil {
				return out, err
			}
			if untold && !in.Known.Trimmed {
				survey.RulesLast(out.Sides)
				v.Answer, out.Result = workflow.AnswerTrim, ""
			}
		}
		out.Answer, out.Reason, out.Decision = v.Answer, v.Reason, v.Decision
		if v.Answer == workflow.AnswerNothing {
			out.Result = workflow.Nothing
		}
		if requested && v.Answer != workflow.AnswerWait {
			workflow.Measure(ctx, workflow.Requests, 1)
		}
		slog.InfoContext(ctx, "inspected", "peering", out.Connection.ID, "answer", v.Answer, "reason", v.Reason, "policy", v.Decision.Policy)
		return out, nil
	}
	e, err := event.Parse(in.Event)
	if err != nil {
		return out, err
	}
	requested = e.Name == "CreateVpcPeeringConnection" && in.Known.Requester == nil
	if !e.Time.IsZero() {
		out.Since = e.Time.UTC().Format(time.RFC3339)
	}
	if e.Kind != event.Peering {
		why := e.Why
		if why == "" {
			why = fmt.Sprintf("an event about a %s is not for this machine", e.Kind)
		}
		return end(Verdict{Answer: workflow.AnswerNothing, Reason: why})
	}
	var v Verdict
	p, seen, v, err = i.find(ctx, in.Execution, e)
	if err == nil && v.Answer != "" {
		p, seen, v, err = i.forgotten(ctx, in.Execution, e, v)
	}
	if err != nil {
		return out, err
	}
	if v.Answer != "" {
		return end(v)
	}
	requester, accepter, err := i.accounts(ctx, in.Known, p)
	if err != nil {
		return out, err
	}
	out.Connection = workflow.Connection{ID: p.ID, Target: p.ID,
		Requester: workflow.VPC{Account: p.Requester.Account, Region: p.Requester.Region, ID: p.Requester.VPC},
		Accepter:  workflow.VPC{Account: p.Accepter.Account, Region: p.Accepter.Region, ID: p.Accepter.VPC}}
	if requester.Organization != "" {
		out.Members = append(out.Members, Requester)
	}
	if accepter.Organization != "" {
		out.Members = append(out.Members, Accepter)
	}
	if v, settled := Settled(p); settled {
		return end(v)
	}
	q := Question{Peering: p, RequesterMember: requester.Organization != "", AccepterMember: accepter.Organization != ""}
	if !q.RequesterMember || !q.AccepterMember {
		v, err := i.judge(ctx, in.Execution, &q)
		if err != nil {
			return out, err
		}
		return end(v)
	}
	q.Requester, q.Accepter, err = i.facts(ctx, in, p, requester, accepter)
	if err != nil {
		return out, err
	}
	out.Known = workflow.Known{Requester: q.Requester, Accepter: q.Accepter, Trimmed: in.Known.Trimmed}
	out.Connection.Requester, out.Connection.Accepter = q.Requester.VPC, q.Accepter.VPC
	if NotebooksMatter(q.Requester.VPC, q.Accepter.VPC) {
		if q.Notebooks, err = i.surveyor(in.Execution, nil, policy.Context{}).HaveNotebooks(ctx, q.Requester.VPC, q.Accepter.VPC); err != nil {
			return out, err
		}
	}
	set, text, err := i.Policy(ctx, in.Known.Policy)
	if err != nil {
		return out, err
	}
	out.Known.Policy = text
	r, a, about := q.Requester.Entity(), q.Accepter.Entity(), policy.Context{Connection: p.ID}
	q.Accept, q.Unclear = set.Answer(r, a, about), tag.Why(q.Accepter.Tags, tag.Accept)
	if p.Status == "pending-acceptance" && q.Accept.Allowed && q.Accept.Action == policy.Ask {
		// The approval is a tag of the accepter's account; what the requester's account wrote is not even read.
		own, found, err := read(ctx, i.Enter(in.Execution, p.Accepter.Place).EC2, p.ID)
		if err != nil {
			return out, fmt.Errorf("in %s, %s: %w", p.Accepter.Account, p.Accepter.Region, err)
		}
		if found {
			p.Tags, p.Expires = own.Tags, own.Expires
			about.Approval = own.Tags[tag.Approval]
			q.Accept, q.Unclear = set.Answer(r, a, about), q.Unclear+tag.Why(own.Tags, tag.Approval)
		}
	}
	out.Reject = set.Reject(r, a, about)
	q.Routes = []policy.Decision{set.Route(r, a, about), set.Route(a, r, about)}
	if v, err = i.judge(ctx, in.Execution, &q); err != nil {
		return out, err
	}
	if v.Answer == workflow.AnswerAccept && !slices.ContainsFunc(q.Routes, func(d policy.Decision) bool { return !d.Allowed }) {
		// Accepting is the first change. What comes after it is found, and whether one execution can carry it, before that.
		connecting := out
		connecting.Answer = workflow.AnswerConnect
		var closed []workflow.Hop
		if connecting.Sides, connecting.Notebooks, closed, err = i.explored(ctx, in, set, q); err == nil {
			connecting.Found = slices.Concat(connecting.Found, closed)
			err = workflow.Fits(connecting)
		}
		if err != nil {
			return out, err
		}
		out.Known.Sides, out.Known.Notebooks, out.Known.Closed = connecting.Sides, connecting.Notebooks, closed
	}
	if v.Answer == workflow.AnswerConnect {
		out.Found = append(out.Found, workflow.Hop{Hop: "peering active", OK: true, Detail: p.ID})
		var closed []workflow.Hop
		if out.Sides, out.Notebooks, closed, err = i.explored(ctx, in, set, q); err != nil {
			return out, err
		}
		out.Found = append(out.Found, closed...)
		sides, notebooks, err := i.trim(ctx, in, p, seen, out.Sides)
		if err != nil {
			return out, err
		}
		if len(sides) > 0 {
			out.Sides, out.Notebooks = sides, notebooks
			v.Answer, v.Reason = workflow.AnswerTrim, survey.Trimmed(sides)
		}
	}
	if v.Answer == workflow.AnswerAsk {
		out.Told, out.Reminded, out.Expires = told(p.Tags, v), reminded(p.Tags, v), p.Expires
		if out.Sides, err = prospect(ctx, i.surveyor(in.Execution, set, policy.Context{Connection: p.ID}), q); err != nil {
			return out, err
		}
	}
	return end(v)
}

// judge is [Judge], with a look at what an execution that failed may have left of a peering that was never connected: it opens
// databases only after there are routes, so rules tell of both.
func (i Inspector) judge(ctx context.Context, execution string, q *Question) (Verdict, error) {
	v := Judge(*q)
	if v.Answer != workflow.AnswerRefuse || q.Peering.Status != "active" {
		return v, nil
	}
	for _, side := range []struct {
		End
		member bool
	}{{q.Peering.Requester, q.RequesterMember}, {q.Peering.Accepter, q.AccepterMember}} {
		if !side.member || q.Begun {
			continue
		}
		rules, err := firewall.ReadTagged(ctx, i.Enter(execution, side.Place).EC2, q.Peering.ID)
		if err != nil && !errors.Is(err, fault.ErrClosed) {
			return v, fmt.Errorf("in %s, %s: %w", side.Account, side.Region, err)
		}
		q.Begun = len(rules) > 0
	}
	return Judge(*q), nil
}

// find reads the peering where the event happened, or, if that account is not ours to enter or shows it no longer, at
// the other end that the event mentions; seen is where. A verdict with an answer means that there is nothing to look at.
func (i Inspector) find(ctx context.Context, execution string, e event.Event) (p Peering, seen event.Place, v Verdict, err error) {
	why := fmt.Sprintf("account %s is outside the organization", e.Account)
	var closed error
	for n, place := range append([]event.Place{e.Place}, e.Others...) {
		facts, err := i.Account(ctx, place.Account)
		if err != nil {
			return p, place, v, err
		}
		if facts.Organization == "" {
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
		case n == 0 && e.Name == "CreateVpcPeeringConnection" && i.Now().Sub(e.Time).Abs() < fresh:
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

// accounts asks for both accounts, unless an earlier look of this execution knows them.
func (i Inspector) accounts(ctx context.Context, known workflow.Known, p Peering) (requester, accepter workflow.AccountFacts, err error) {
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
	return survey.Surveyor{Set: set, About: about, Enter: func(at event.Place) survey.Clients {
		c := i.Enter(execution, at)
		return survey.Clients{EC2: c.EC2, RDS: c.RDS, Redshift: c.Redshift, SageMaker: c.SageMaker}
	}}
}

// explore finds what is to be done on each side of an active peering: subnets, databases that the policy opens, and
// the notebooks of every consumer.
func explore(ctx context.Context, s survey.Surveyor, q Question) (sides []workflow.Side, notebooks []workflow.Notebook, closed []workflow.Hop, err error) {
	r, a := grounds(q)
	r.Side.Tables, a.Side.Tables = q.Requester.Tables, q.Accepter.Tables
	r.Side.Carried, a.Side.Carried = q.Requester.Carried, q.Accepter.Carried
	r.Side.DNS, a.Side.DNS = q.Peering.Requester.DNS, q.Peering.Accepter.DNS
	r.Side.Peer.CIDRs = survey.Reachable(r.Side.VPC.CIDRs, a.Side.VPC.CIDRs)
	a.Side.Peer.CIDRs = survey.Reachable(a.Side.VPC.CIDRs, r.Side.VPC.CIDRs)
	if err := s.Produce(ctx, r, a); err != nil {
		return nil, nil, nil, err
	}
	survey.Appoint(r.Side, a.Side)
	notebooks, err = s.Notebooks(ctx, r, a)
	return []workflow.Side{*r.Side, *a.Side}, notebooks, survey.Closed(r, a), err
}

// explored is [explore], or what an earlier look of this execution found so.
func (i Inspector) explored(ctx context.Context, in workflow.InspectPeeringInput, set *policy.Set, q Question) (sides []workflow.Side, notebooks []workflow.Notebook, closed []workflow.Hop, err error) {
	if known := in.Known; len(known.Sides) == 2 {
		sides := slices.Clone(known.Sides)
		sides[0].DNS, sides[1].DNS = q.Peering.Requester.DNS, q.Peering.Accepter.DNS // an option of the peering, once it is accepted
		return sides, append([]workflow.Notebook{}, known.Notebooks...), known.Closed, nil
	}
	return explore(ctx, i.surveyor(in.Execution, set, policy.Context{Connection: q.Peering.ID}), q)
}

// prospect finds what would become reachable if a pending request were approved: the databases, on both sides, that the
// policy would open to the other. Without routes nothing is reachable, and nothing is read.
func prospect(ctx context.Context, s survey.Surveyor, q Question) ([]workflow.Side, error) {
	r, a := grounds(q)
	if slices.ContainsFunc(q.Routes, func(d policy.Decision) bool { return !d.Allowed }) {
		return []workflow.Side{}, nil
	}
	err := s.Offer(ctx, r, a)
	return []workflow.Side{*r.Side, *a.Side}, err
}

func grounds(q Question) (requester, accepter *survey.Ground) {
	r := workflow.Side{Role: Requester, VPC: q.Requester.VPC, Peer: q.Accepter.VPC, Carrier: q.Peering.ID}
	a := workflow.Side{Role: Accepter, VPC: q.Accepter.VPC, Peer: q.Requester.VPC, Carrier: q.Peering.ID}
	return &survey.Ground{Side: &r, Here: q.Requester, There: q.Accepter, Lean: true},
		&survey.Ground{Side: &a, Here: q.Accepter, There: q.Requester}
}
