package gatewaypair

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Inspector] needs of EC2: in the accounts of the two VPCs, and in that of the gateway.
type EC2 interface {
	survey.EC2
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
	DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error)
	DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error)
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
	SearchTransitGatewayRoutes(context.Context, *ec2.SearchTransitGatewayRoutesInput, ...func(*ec2.Options)) (*ec2.SearchTransitGatewayRoutesOutput, error)
}

// Clients are the member-account clients that an inspection uses, for one account and Region.
type Clients struct {
	survey.Clients
	EC2 EC2
}

// Inspector answers what a pair of VPCs on a gateway needs next.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Clients
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Units says what the units of an account's path are called.
	Units func(ctx context.Context, path string) (string, error)
	// Policy returns the policy in force.
	Policy func(context.Context) (*policy.Set, error)
	// Ledger says which pairs and attachments are managed, and what was added for a pair.
	Ledger ledger.Ledger
	// Brake is asked before something is taken away.
	Brake brake.Asker
}

// pair is the two VPCs as far as a look has read them.
type pair struct {
	place    [2]event.Place
	accounts [2]workflow.AccountFacts
	closed   [2]error    // why an account could not be entered
	joined   [2][]string // who takes part in the VPCs, as far as the entry says
	q        Question
}

// Inspect reads the event, the ledger, the two attachments, and what the gateway does with them, asks the policy, and answers. In the
// members it changes nothing; in the ledger it writes that a pair is managed from now on, or not any more.
//
// A pair is managed once it is to be connected, if one of its attachments is: then somebody asked for one since its account was
// enrolled, or gave it to Drawbridge. Any other pair is found: nothing is done about it, whatever its VPCs' tags say.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectTransitInput) (workflow.InspectTransitOutput, error) {
	l := inspection{Inspector: i, in: in, out: begun(in)}
	e, err := event.Parse(in.Event)
	if err != nil {
		return l.out, err
	}
	if !e.Time.IsZero() {
		l.out.Since = e.Time.UTC().Format(time.RFC3339)
	}
	if e.Kind != event.Transit {
		return l.end(ctx, Verdict{Answer: workflow.AnswerNothing, Reason: e.Stray()})
	}
	l.follows = e.Follows
	v, err := l.inspect(ctx, e)
	if why, unreadable := fault.Unread(err, in.Tried); unreadable && l.stands() {
		v, err = l.unread(why), nil
	}
	out := l.out
	if err == nil {
		out, err = l.end(ctx, v)
	}
	if errors.Is(err, notebook.ErrUnread) { // the next look knows more of them; that is no patience with AWS
		out.Answer, out.Reason, out.Looks, err = workflow.AnswerWait, err.Error(), in.Looks, nil
	}
	if out.Answer == workflow.AnswerWait {
		out.Pause, out.Waited = workflow.Pause(in.Waited), in.Waited+1
	}
	return out, err
}

// begun is an answer before anything is known.
func begun(in workflow.InspectTransitInput) workflow.InspectTransitOutput {
	return workflow.InspectTransitOutput{Event: in.Event, Looks: in.Looks + 1, Waited: in.Waited, Trimmed: in.Trimmed,
		Found: []workflow.Hop{}, Sides: []workflow.Side{}, Rows: []workflow.Rows{}, Notebooks: []workflow.Rows{}, Tagged: []workflow.StatusResource{}, Absent: []workflow.Hop{}}
}

// inspection is one look at one pair.
type inspection struct {
	Inspector
	in  workflow.InspectTransitInput
	out workflow.InspectTransitOutput

	*pair
	entry     ledger.Connection
	managed   bool
	items     []ledger.Item     // that the ledger has of it
	follows   string            // the execution whose look this one goes on from
	left      []string          // the accounts in which what somebody takes away is left to them
	overruled map[string]string // by the account whose owner keeps nothing out, the policy that forbids it

	weighed  bool            // approval is what the entry has to say
	shut     []workflow.Hop  // databases that nobody reaches until ranges are approved
	nothing  string          // if all ranges of a VPC wait, that they do
	approval ledger.Approval // what is approved of it, by the approvals of its attachments
	asks     bool            // something came that its owner has to be asked about
}

// inspect answers what the pair needs next.
func (l *inspection) inspect(ctx context.Context, e event.Event) (Verdict, error) {
	var err error
	if l.pair, err = l.attachments(ctx, l.in, e); err != nil {
		return Verdict{}, err
	}
	q, out := &l.q, &l.out
	a, b := q.Ends[0].VPC, q.Ends[1].VPC
	out.Connection = workflow.Connection{ID: ID(e.GatewayID, a, b), Target: e.GatewayID, Requester: a, Accepter: b}
	if l.entry, l.managed, err = l.Ledger.Connection(ctx, out.Connection.ID); err != nil {
		return Verdict{}, err
	}
	l.joined = [2][]string{participant.In(l.entry, a), participant.In(l.entry, b)}
	q.Before, out.Stands = connection.Stands(l.entry), l.entry.Status == ledger.Status(workflow.Connected)
	v, settled := Standing(*q)
	if l.managed || v.Answer == workflow.AnswerDisconnect { // of what an execution is late with, there may be items without an entry
		if l.items, err = l.Ledger.Items(ctx, out.Connection.ID); err != nil {
			return v, err
		}
	}
	q.Before = len(l.items) > 0 || q.Before
	if settled {
		return v, nil
	}
	if err := cmp.Or(l.closed[0], l.closed[1]); err != nil {
		if errors.Is(err, fault.ErrSuspended) && !l.stands() {
			return Verdict{Answer: workflow.AnswerNothing, Reason: err.Error()}, nil
		}
		return v, err
	}
	q.Managed = l.managed
	if err := l.attached(ctx); err != nil {
		return v, err
	}
	if l.managed { // its owners may take it back, whatever the policy says
		if err := l.view(ctx); err != nil && !errors.Is(err, fault.ErrClosed) && fault.Of(err) != fault.Conflict {
			return v, err
		}
	}
	if v, settled := l.wishes(); settled {
		return v, nil
	}
	if !l.managed && q.Ends[0].Entry.ID == "" && q.Ends[1].Entry.ID == "" {
		return Found(*q), nil
	}
	return l.judge(ctx)
}

// wishes says what the owners of the attachments and the gateway want of the pair, as far as their tags were read; see [Wishes].
func (l *inspection) wishes() (Verdict, bool) {
	v, released, settled := Wishes(l.q)
	if released {
		l.out.Result = workflow.Released
	}
	return v, settled
}

// attached reads what the ledger has of the two attachments.
func (l *inspection) attached(ctx context.Context) error {
	entries, err := l.Ledger.Entries(ctx, []string{l.q.Ends[0].Attachment.ID, l.q.Ends[1].Attachment.ID})
	for n := range l.q.Ends {
		for _, e := range entries {
			if e.ID == l.q.Ends[n].Attachment.ID {
				l.q.Ends[n].Entry = e
			}
		}
	}
	return err
}

// judge reads both VPCs and what the gateway does, as far as it matters, asks the policy, and answers.
func (l *inspection) judge(ctx context.Context) (Verdict, error) {
	q, out := &l.q, &l.out
	set, err := l.Policy(ctx)
	if err != nil {
		return Verdict{}, err
	}
	s := l.surveyor(l.in.Execution, set, policy.Context{Connection: out.Connection.ID})
	first, second, err := l.networks(ctx, s, l.pair)
	if err != nil {
		return Verdict{}, err
	}
	out.Connection.Requester, out.Connection.Accepter = q.Ends[0].VPC, q.Ends[1].VPC
	first.Entry, second.Entry = l.entry, l.entry
	l.left = connection.LeftIn(set, first.Here.Entity(), second.Here.Entity(), s.About)
	if v, settled := Routed(*q); settled {
		return v, nil
	}
	sides, err := l.explore(ctx, s, l.pair, first, second)
	if err != nil {
		return Verdict{}, err
	}
	l.overruled = connection.OverruledIn(survey.Values(sides))
	if v, settled := Consent(*q); settled {
		return v, nil
	}
	if v, settled, err := Networks(*q); settled || err != nil {
		return v, err
	}
	if err := l.view(ctx); err != nil {
		return Verdict{}, err
	}
	if v, settled := l.wishes(); settled {
		return v, nil
	}
	if v, kept := Kept(*q); kept {
		return v, nil
	}
	if err := l.routesOfGateway(ctx, l.in.Execution, l.pair); err != nil {
		return Verdict{}, err
	}
	v, err := Judge(*q)
	if err != nil || v.Answer != workflow.AnswerConnect {
		return v, err
	}
	if err := l.limit(ctx, sides); err != nil {
		return v, err
	}
	l.weighed = true
	first.Side.Refers = Refers(*q, zoneIDs(first.Subnets, second.Subnets))
	second.Side.Refers = first.Side.Refers
	if out.Batches, err = s.Consume(ctx, sides...); err != nil {
		return v, err
	}
	l.q.Closed = survey.Closed(sides...)
	trimmed, err := l.trim(ctx, s, survey.Values(sides))
	if err != nil {
		return v, err
	}
	if trimmed {
		v.Answer, v.Reason, v.Said = workflow.AnswerTrim, survey.Trimmed(out.Sides), workflow.Said{}
		return v, nil
	}
	if err = l.connect(ctx, l.in.Execution, l.pair, sides...); err != nil {
		return v, err
	}
	out.Sides = survey.Values(sides)
	out.Found, v.Reason = slices.Concat(Apart(*q), q.Closed, l.shut), cmp.Or(l.nothing, v.Reason)
	if l.asks {
		v.Answer = workflow.AnswerExtend
	}
	return v, nil
}

// trim finds what of the pair has no use any more, if all could be read, and reports whether something has: that goes first.
func (l *inspection) trim(ctx context.Context, s survey.Surveyor, surveyed []workflow.Side) (bool, error) {
	out := &l.out
	if survey.Unread(surveyed) {
		return false, l.Ledger.LookAgain(ctx, out.Connection.ID, l.in.Execution)
	}
	trimmer := connection.Trimmer{Ledger: l.Ledger, Brake: l.Brake, Execution: l.in.Execution, Trimmed: l.in.Trimmed, Gather: s.Trims}
	sides, notebooks, err := trimmer.Trim(ctx, out.Connection, surveyed, l.items)
	if err != nil || len(sides) == 0 {
		return false, err
	}
	out.Sides, out.Batches, out.Waits = sides, notebooks, workflow.Waiting{}
	return true, nil
}

// counted returns the attachments on which a pair was counted that is refused now.
func (l *inspection) counted() []workflow.StatusResource {
	out := []workflow.StatusResource{}
	for _, end := range l.q.Ends {
		if end.Attachment != nil {
			out = append(out, workflow.StatusResource{Account: end.VPC.Account, Region: end.VPC.Region, ID: end.Attachment.ID, VPC: end.VPC.ID, Tags: []string{}})
		}
	}
	return out
}

// end gives the answer. What is managed from now on is written in the ledger before anything is done for it; a pair that is refused
// and of which there is nothing needs no entry.
func (l *inspection) end(ctx context.Context, v Verdict) (workflow.InspectTransitOutput, error) {
	out := &l.out
	var err error
	switch v.Answer {
	case workflow.AnswerDisconnect:
		if !l.managed && len(l.items) == 0 {
			v.Answer, out.Result = workflow.AnswerNothing, workflow.Nothing
			break
		}
		if err = l.Brake.Ask(ctx, brake.Removal{ID: out.Connection.ID, Why: l.why(v), Cause: v.Reason, Stands: l.entry.Status != ledger.Status(workflow.Removed)}); err != nil {
			break
		}
		if err = l.leftovers(ctx); err == nil && l.entry.Status == ledger.Status(workflow.Removed) && len(out.Sides) == 0 && !out.Ended {
			v.Answer, out.Result = workflow.AnswerNothing, workflow.Nothing
			v.Reason += "; what is left of it is out of reach for now"
		}
	case workflow.AnswerNothing:
		out.Result = workflow.Nothing
	case workflow.AnswerUnreadable:
		out.Result = workflow.Unreadable
	case workflow.AnswerRefuse:
		if out.Result = workflow.RefusedByPolicy; l.managed {
			out.Tagged = l.counted()
			err = l.Ledger.LetGo(ctx, out.Connection.ID)
		}
	case workflow.AnswerConnect, workflow.AnswerExtend, workflow.AnswerTrim:
		now := connection.Entry(out.Connection, road.Transit, ledger.Requested)
		now.Leave, now.Overruled, now.Policy = l.left, l.overruled, connection.Decided(v.Decision, policy.Connect)
		if _, err = connection.Manage(ctx, l.Ledger, out.Connection, now, l.entry, l.managed); err == nil {
			err = l.keep(ctx)
		}
	case workflow.AnswerWait:
		if l.in.Looks >= Patience {
			err = fault.NewConflict(v.Reason, "see in the console of the transit gateway why that does not pass, then redrive the execution")
		}
	}
	if err == nil {
		out.Rows, out.Notebooks, err = fact.Keep(ctx, l.Ledger, out.Connection.ID, workflow.Findings{Answer: v.Answer, Execution: l.in.Execution, Follows: l.follows, Sides: out.Sides, Batches: out.Batches,
			Waits: out.Waits, Before: out.Found, Absent: out.Absent})
	}
	if err != nil {
		return *out, err
	}
	out.Answer, out.Reason, out.Said, out.Decision = v.Answer, v.Reason, v.Said, v.Decision
	slog.InfoContext(ctx, "inspected", "transit", out.Connection.ID, "answer", v.Answer, "reason", v.Reason, "policy", v.Decision.Policy)
	return *out, nil
}
