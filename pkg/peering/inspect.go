package peering

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2Reader is what [Inspector] needs of EC2.
type EC2Reader interface {
	route.Reader
	firewall.RuleReader
	Describer
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)
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
}

// fresh is how long after a request EC2 may not yet show the peering that its own event speaks of.
const fresh = time.Minute

// Inspect reads the event, the peering and both of its VPCs, each in its own account and Region, asks the policy, and
// answers. It changes nothing.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectPeeringInput) (workflow.InspectPeeringOutput, error) {
	out := workflow.InspectPeeringOutput{Event: in.Event, Known: in.Known, Members: []string{}, Sides: []workflow.Side{}, Notebooks: []workflow.Notebook{}, Found: []workflow.Hop{}, Tagged: []workflow.Carrier{}, Absent: []workflow.Hop{}}
	requested := false // this is the first look at a new request
	end := func(v Verdict) (workflow.InspectPeeringOutput, error) {
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
	p, seen, v, err := i.find(ctx, in.Execution, e)
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
		if v.Answer == workflow.AnswerDisconnect {
			err = i.leftovers(ctx, in, p, seen, &out)
		}
		if err != nil {
			return out, err
		}
		return end(v)
	}
	q := Question{Peering: p, RequesterMember: requester.Organization != "", AccepterMember: accepter.Organization != ""}
	if !q.RequesterMember || !q.AccepterMember {
		return end(Judge(q))
	}
	q.Requester, q.Accepter, err = i.facts(ctx, in, p, requester, accepter)
	if err != nil {
		return out, err
	}
	out.Known = workflow.Known{Requester: q.Requester, Accepter: q.Accepter}
	out.Connection.Requester, out.Connection.Accepter = q.Requester.VPC, q.Accepter.VPC
	if NotebooksMatter(q.Requester.VPC, q.Accepter.VPC) {
		if q.Notebooks, err = i.haveNotebooks(ctx, in.Execution, q.Requester.VPC, q.Accepter.VPC); err != nil {
			return out, err
		}
	}
	set, text, err := i.Policy(ctx, in.Known.Policy)
	if err != nil {
		return out, err
	}
	out.Known.Policy = text
	r, a, about := principal(q.Requester), principal(q.Accepter), policy.Context{Connection: p.ID}
	q.Accept = set.Answer(r, a, about)
	if p.Status == "pending-acceptance" && q.Accept.Allowed && q.Accept.Action == policy.Ask {
		// The approval is a tag of the accepter's account; what the requester's account wrote is not even read.
		own, found, err := read(ctx, i.Enter(in.Execution, p.Accepter.Place).EC2, p.ID)
		if err != nil {
			return out, fmt.Errorf("in %s, %s: %w", p.Accepter.Account, p.Accepter.Region, err)
		}
		if found {
			p.Tags, p.Expires = own.Tags, own.Expires
			about.Approval = approval(own)
			q.Accept = set.Answer(r, a, about)
		}
	}
	out.Reject = set.Reject(r, a, about)
	q.Routes = []policy.Decision{set.Route(r, a, about), set.Route(a, r, about)}
	v = Judge(q)
	if v.Answer == workflow.AnswerConnect {
		out.Found = append(out.Found, workflow.Hop{Hop: "peering active", OK: true, Detail: p.ID})
		if out.Sides, out.Notebooks, err = i.survey(ctx, in.Execution, set, q); err != nil {
			return out, err
		}
		sides, notebooks, err := i.trim(ctx, in.Execution, p, seen, out.Sides)
		if err != nil {
			return out, err
		}
		if len(sides) > 0 {
			out.Sides, out.Notebooks = sides, notebooks
			v.Answer, v.Reason = workflow.AnswerTrim, trimmed(sides)
		}
	}
	if v.Answer == workflow.AnswerAsk {
		out.Told, out.Reminded, out.Expires = told(p.Tags, v), reminded(p.Tags, v), p.Expires
		if out.Sides, err = i.prospect(ctx, in.Execution, set, q); err != nil {
			return out, err
		}
	}
	return end(v)
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
	p := Peering{ID: aws.ToString(c.VpcPeeringConnectionId), Requester: side(c.RequesterVpcInfo), Accepter: side(c.AccepterVpcInfo), Tags: map[string]string{}}
	if c.Status != nil {
		p.Status, p.Message = string(c.Status.Code), aws.ToString(c.Status.Message)
	}
	if c.ExpirationTime != nil {
		p.Expires = c.ExpirationTime.UTC().Format(time.RFC3339)
	}
	for _, t := range c.Tags {
		p.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
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
	if requester, err = i.Account(ctx, p.Requester.Account); err != nil {
		return requester, accepter, err
	}
	accepter, err = i.Account(ctx, p.Accepter.Account)
	return requester, accepter, err
}

// facts reads both VPCs and their route tables, unless an earlier look of this execution knows them.
func (i Inspector) facts(ctx context.Context, in workflow.InspectPeeringInput, p Peering, requester, accepter workflow.AccountFacts) (*workflow.Facts, *workflow.Facts, error) {
	if in.Known.Requester != nil && in.Known.Accepter != nil {
		return in.Known.Requester, in.Known.Accepter, nil
	}
	var r, a *workflow.Facts
	err := both(
		func() (err error) { r, err = i.vpc(ctx, in.Execution, p.Requester, requester); return },
		func() (err error) { a, err = i.vpc(ctx, in.Execution, p.Accepter, accepter); return })
	if err != nil {
		return nil, nil, err
	}
	// What leads through the peering stays in view even if the peer has no such addresses any more.
	r.Tables = route.Touching(r.Tables, append(route.Through(r.Tables, p.ID), a.VPC.CIDRs...))
	a.Tables = route.Touching(a.Tables, append(route.Through(a.Tables, p.ID), r.VPC.CIDRs...))
	return r, a, nil
}

func (i Inspector) vpc(ctx context.Context, execution string, e End, account workflow.AccountFacts) (*workflow.Facts, error) {
	ec2api := i.Enter(execution, e.Place).EC2
	got, err := ec2api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{e.VPC}})
	if err == nil && len(got.Vpcs) == 0 {
		err = fault.New(fault.NotYet, "EC2 does not show it")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s in %s, %s: %w", e.VPC, e.Account, e.Region, err)
	}
	facts := &workflow.Facts{Account: account, Tags: map[string]string{}, VPC: workflow.VPC{Account: e.Account, Region: e.Region, ID: e.VPC, CIDRs: route.CIDRs(got.Vpcs[0])}}
	for _, t := range got.Vpcs[0].Tags {
		facts.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	facts.Name = facts.Tags["Name"]
	if facts.Tables, err = route.Read(ctx, ec2api, e.VPC); err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", e.Account, e.Region, err)
	}
	return facts, nil
}

func (i Inspector) haveNotebooks(ctx context.Context, execution string, vpcs ...workflow.VPC) (map[string]bool, error) {
	out := map[string]bool{}
	for _, v := range vpcs {
		clients := i.Enter(execution, event.Place{Account: v.Account, Region: v.Region})
		subnets, err := route.ReadSubnets(ctx, clients.EC2, v.ID)
		if err != nil {
			return nil, err
		}
		found, err := notebook.Read(ctx, clients.SageMaker, route.SubnetIDs(subnets))
		if err != nil {
			return nil, err
		}
		out[v.ID] = len(found) > 0
	}
	return out, nil
}

// survey finds what is to be done on each side of an active peering: subnets, databases that the policy opens, and
// the notebooks of every consumer.
func (i Inspector) survey(ctx context.Context, execution string, set *policy.Set, q Question) ([]workflow.Side, []workflow.Notebook, error) {
	r := workflow.Side{Role: Requester, VPC: q.Requester.VPC, Peer: q.Accepter.VPC, Carrier: q.Peering.ID, Tables: q.Requester.Tables, DNS: q.Peering.Requester.DNS}
	a := workflow.Side{Role: Accepter, VPC: q.Accepter.VPC, Peer: q.Requester.VPC, Carrier: q.Peering.ID, Tables: q.Accepter.Tables, DNS: q.Peering.Accepter.DNS}
	r.Peer.CIDRs, a.Peer.CIDRs = reachable(r.VPC.CIDRs, a.VPC.CIDRs), reachable(a.VPC.CIDRs, r.VPC.CIDRs)
	about := policy.Context{Connection: q.Peering.ID}
	var subnets [2][]route.Subnet
	err := both(
		func() (err error) {
			subnets[0], err = i.produce(ctx, execution, set, &r, q.Requester, q.Accepter, about)
			return
		},
		func() (err error) {
			subnets[1], err = i.produce(ctx, execution, set, &a, q.Accepter, q.Requester, about)
			return
		})
	if err != nil {
		return nil, nil, err
	}
	r.Ports, a.Ports = ports(a.Openings), ports(r.Openings)
	// Who consumes? Whoever gets a database. If neither does (yet), the requester is taken to be the one that asks.
	r.Consumer, a.Consumer = len(r.Ports) > 0, len(a.Ports) > 0
	if !r.Consumer && !a.Consumer {
		r.Consumer = true
	}
	notebooks := []workflow.Notebook{}
	for n, s := range []struct {
		side        workflow.Side
		here, there *workflow.Facts
	}{{r, q.Requester, q.Accepter}, {a, q.Accepter, q.Requester}} {
		if !s.side.Consumer {
			continue
		}
		found, err := i.notebooks(ctx, execution, set, s.here, s.there, subnets[n], about)
		if err != nil {
			return nil, nil, err
		}
		notebooks = append(notebooks, found...)
	}
	return []workflow.Side{r, a}, notebooks, nil
}

// prospect finds what would become reachable if a pending request were approved: the databases, on both sides, that the
// policy would open to the other. Without routes nothing is reachable, and nothing is read.
func (i Inspector) prospect(ctx context.Context, execution string, set *policy.Set, q Question) ([]workflow.Side, error) {
	r := workflow.Side{Role: Requester, VPC: q.Requester.VPC, Peer: q.Accepter.VPC, Carrier: q.Peering.ID}
	a := workflow.Side{Role: Accepter, VPC: q.Accepter.VPC, Peer: q.Requester.VPC, Carrier: q.Peering.ID}
	about := policy.Context{Connection: q.Peering.ID}
	if slices.ContainsFunc(q.Routes, func(d policy.Decision) bool { return !d.Allowed }) {
		return []workflow.Side{}, nil
	}
	err := both(
		func() error { return i.offer(ctx, execution, set, &r, q.Requester, q.Accepter, about) },
		func() error { return i.offer(ctx, execution, set, &a, q.Accepter, q.Requester, about) })
	return []workflow.Side{r, a}, err
}

// produce fills in what one side has to offer: its subnets, and the databases that the policy opens to the other.
func (i Inspector) produce(ctx context.Context, execution string, set *policy.Set, s *workflow.Side, here, there *workflow.Facts, about policy.Context) ([]route.Subnet, error) {
	clients := i.Enter(execution, event.Place{Account: s.VPC.Account, Region: s.VPC.Region})
	subnets, err := route.ReadSubnets(ctx, clients.EC2, s.VPC.ID)
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", s.VPC.Account, s.VPC.Region, err)
	}
	s.Subnets = route.SubnetIDs(subnets)
	return subnets, i.offer(ctx, execution, set, s, here, there, about)
}

// offer fills in the databases of one side that the policy opens to the other.
func (i Inspector) offer(ctx context.Context, execution string, set *policy.Set, s *workflow.Side, here, there *workflow.Facts, about policy.Context) error {
	clients := i.Enter(execution, event.Place{Account: s.VPC.Account, Region: s.VPC.Region})
	databases, err := database.Read(ctx, clients.RDS, clients.Redshift, s.VPC.ID, s.Role == Requester)
	if err != nil {
		return fmt.Errorf("in %s, %s: %w", s.VPC.Account, s.VPC.Region, err)
	}
	for _, d := range databases {
		decision := set.Open(principal(there), policy.Database{ARN: d.ARN, ID: d.ID, Engine: d.Engine, Port: d.Port, Tags: d.Tags, VPC: principal(here)}, about)
		slog.InfoContext(ctx, "deciding", "action", decision.Action, "database", d.ID, "allowed", decision.Allowed, "policy", decision.Policy)
		if decision.Allowed {
			s.Openings = append(s.Openings, workflow.Opening{Database: d.ID, Engine: d.Engine, Port: d.Port, Groups: d.Groups, Subnets: d.Subnets, Decision: decision})
		}
	}
	return nil
}

func (i Inspector) notebooks(ctx context.Context, execution string, set *policy.Set, here, there *workflow.Facts, subnets []route.Subnet, about policy.Context) ([]workflow.Notebook, error) {
	clients := i.Enter(execution, event.Place{Account: here.VPC.Account, Region: here.VPC.Region})
	found, err := notebook.Read(ctx, clients.SageMaker, route.SubnetIDs(subnets))
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", here.VPC.Account, here.VPC.Region, err)
	}
	var out []workflow.Notebook
	for _, n := range found {
		at := slices.IndexFunc(subnets, func(s route.Subnet) bool { return s.ID == n.Subnet })
		resource := policy.Notebook{ARN: n.ARN, Name: n.Name, Tags: n.Tags, VPC: principal(here)}
		out = append(out, workflow.Notebook{
			Account: here.VPC.Account, Region: here.VPC.Region, VPC: here.VPC.ID, Name: n.Name, ARN: n.ARN,
			Subnet: n.Subnet, SubnetCIDR: subnets[at].V4, SubnetCIDRv6: subnets[at].V6,
			Status: n.Status, DirectInternet: n.DirectInternet, LifecycleConfig: n.LifecycleConfig, Tag: n.Tags[lifecycle.TagStatus],
			Inject: set.Inject(principal(there), resource, about), Restart: set.Restart(principal(there), resource, about),
		})
	}
	return out, nil
}

func principal(f *workflow.Facts) policy.VPC {
	return policy.VPC{ID: f.VPC.ID, Region: f.VPC.Region, CIDRs: f.VPC.CIDRs, Tags: f.Tags,
		Account: policy.Account{ID: f.Account.ID, Name: f.Account.Name, Organization: f.Account.Organization, OUPath: f.Account.OUPath}}
}

func ports(openings []workflow.Opening) []int {
	var out []int
	for _, o := range openings {
		out = append(out, o.Port)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// both runs two reads at once: they go to different accounts.
func both(a, b func() error) error {
	var first error
	var wait sync.WaitGroup
	wait.Go(func() { first = a() })
	second := b()
	wait.Wait()
	if first != nil {
		return first
	}
	return second
}
