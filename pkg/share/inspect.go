package share

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// RAM is what [Inspector] needs of RAM.
type RAM interface {
	GetResourceShares(context.Context, *ram.GetResourceSharesInput, ...func(*ram.Options)) (*ram.GetResourceSharesOutput, error)
	GetResourceShareAssociations(context.Context, *ram.GetResourceShareAssociationsInput, ...func(*ram.Options)) (*ram.GetResourceShareAssociationsOutput, error)
	GetResourceShareInvitations(context.Context, *ram.GetResourceShareInvitationsInput, ...func(*ram.Options)) (*ram.GetResourceShareInvitationsOutput, error)
}

// EC2 is what [Inspector] needs of EC2.
type EC2 interface {
	DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error)
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
}

// Clients are the member-account clients that an inspection uses, for one account and Region.
type Clients struct {
	RAM RAM
	EC2 EC2
}

// Inspector answers what a share needs next.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Clients
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Policy returns the policy in force.
	Policy func(context.Context) (*policy.Set, error)
	// Looks asks for looks.
	Looks look.Asker
	// Ledger has the shares that Drawbridge accepted.
	Ledger ledger.Ledger
}

// Inspect reads the event and the share it concerns, in its owner's account and in those that it is meant for, asks the
// policy, and answers. Once everybody has what is shared, it asks for a look at each VPC that asks for a gateway by its
// tag or is attached to one. It changes nothing in an account; that an accepted share ended is written in the ledger.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectShareInput) (workflow.InspectShareOutput, error) {
	l := inspection{Inspector: i, execution: in.Execution, out: workflow.InspectShareOutput{Event: in.Event}}
	var err error
	if l.event, err = event.Parse(in.Event); err != nil {
		return l.out, err
	}
	for _, part := range []func(context.Context) (over bool, err error){l.name, l.read, l.answer} {
		if over, err := part(ctx); err != nil {
			return l.out, err
		} else if over {
			break
		}
	}
	v := l.verdict
	l.out.Answer, l.out.Reason, l.out.Decision, l.out.Result = v.Answer, v.Reason, v.Decision, results[v.Answer]
	slog.InfoContext(ctx, "inspected", "share", l.out.Share, "answer", v.Answer, "reason", v.Reason, "policy", v.Decision.Policy)
	return l.out, nil
}

// results are the ends that an answer alone decides.
var results = map[workflow.Answer]workflow.Result{workflow.AnswerAnnounce: workflow.Announced, workflow.AnswerRefuse: workflow.RefusedByPolicy,
	workflow.AnswerExpired: workflow.Expired, workflow.AnswerRejected: workflow.Rejected, workflow.AnswerNothing: workflow.Nothing}

// inspection is one look at one share. Its parts report whether the look is over, with the verdict then.
type inspection struct {
	Inspector
	execution string
	event     event.Event
	out       workflow.InspectShareOutput

	from      workflow.AccountFacts // the account that shares
	share     Share
	receivers []Receiver
	verdict   Verdict
}

// end ends the look.
func (l *inspection) end(a workflow.Answer, format string, args ...any) (over bool, err error) {
	l.verdict = Verdict{Answer: a, Reason: fmt.Sprintf(format, args...)}
	return true, nil
}

// name finds the share that the event concerns. Of several it asks for a look at each.
func (l *inspection) name(ctx context.Context) (over bool, err error) {
	e := l.event
	if e.Kind != event.Share {
		return l.end(workflow.AnswerNothing, "%s", e.Stray())
	}
	here, err := l.Account(ctx, e.Account)
	if err != nil {
		return true, err
	}
	if here.Organization == "" {
		return l.end(workflow.AnswerNothing, "account %s is outside the organization", e.Account)
	}
	shares, err := l.find(ctx, l.execution, e)
	if err != nil {
		return true, err
	}
	switch len(shares) {
	case 0:
		return l.end(workflow.AnswerNothing, "%s in %s, %s concerns no resource share", e.Name, e.Account, e.Region)
	case 1:
		l.out.Share = shares[0]
		return false, nil
	}
	var looks []event.ShareInspection
	for _, arn := range shares {
		looks = append(looks, event.ShareInspection{Account: e.Account, Region: e.Region, Share: arn, Reason: e.Name})
	}
	if err := look.Ask(ctx, l.Looks, looks...); err != nil {
		return true, err
	}
	l.out.Announced = len(looks)
	return l.end(workflow.AnswerAnnounce, "%s concerns %d shares", e.Name, len(looks))
}

// read reads the share in its owner's account, and what each account has of it that it is meant for.
func (l *inspection) read(ctx context.Context) (over bool, err error) {
	e, arn := l.event, l.out.Share
	owner, _ := event.ShareOwner(arn)
	if l.from, err = l.Account(ctx, owner.Account); err != nil {
		return true, err
	}
	if l.from.Organization == "" {
		return l.end(workflow.AnswerRefuse, "account %s, which shares %s, is outside the organization", owner.Account, arn)
	}
	l.share = Share{ARN: arn, Owner: owner}
	if owner.Account != e.Account || e.Name != event.ShareChanged {
		if l.share, err = l.Inspector.read(ctx, l.execution, arn, owner); err != nil {
			return true, err
		}
	}
	if why := Told(l.share, e.Account); why != "" && e.Name == event.ShareChanged {
		return l.end(workflow.AnswerNothing, "%s", why)
	}
	if e.Name == event.InvitationAccepted {
		if _, ours, err := l.Ledger.Connection(ctx, Entry(arn, e.Account)); err != nil {
			return true, err
		} else if ours {
			return l.end(workflow.AnswerNothing, "Drawbridge accepted %s for account %s: the execution that did so asks for the looks", arn, e.Account)
		}
	}
	return false, l.readReceivers(ctx)
}

// answer judges the share. Once everybody has what is shared, it asks for the looks.
func (l *inspection) answer(ctx context.Context) (over bool, err error) {
	v := Judge(l.share, l.receivers)
	if err := forget(ctx, l.Ledger, l.share, l.receivers); err != nil {
		return true, err
	}
	l.verdict = v
	switch v.Answer {
	case workflow.AnswerAccept:
		to := l.receivers[v.Receiver]
		l.out.Invitation = workflow.Invitation{ARN: to.Invitation.ARN, Share: l.out.Share, Account: to.ID, Region: l.share.Owner.Region}
	case workflow.AnswerAnnounce:
		looks, err := l.looks(ctx)
		if err == nil {
			err = look.Ask(ctx, l.Looks, looks...)
		}
		if err != nil {
			return true, err
		}
		if l.out.Announced = len(looks); l.out.Announced == 0 {
			return l.end(workflow.AnswerNothing, "%s, but no VPC asks for it or is attached", v.Reason)
		}
	}
	return true, nil
}
