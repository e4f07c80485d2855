package share

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
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
// Long, because it reads in the order in which what was read so far says whether more has to be read.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectShareInput) (workflow.InspectShareOutput, error) {
	out := workflow.InspectShareOutput{Event: in.Event}
	end := func(v Verdict) (workflow.InspectShareOutput, error) {
		out.Answer, out.Reason, out.Decision = v.Answer, v.Reason, v.Decision
		out.Result = map[workflow.Answer]workflow.Result{workflow.AnswerAnnounce: workflow.Announced, workflow.AnswerRefuse: workflow.RefusedByPolicy,
			workflow.AnswerExpired: workflow.Expired, workflow.AnswerRejected: workflow.Rejected, workflow.AnswerNothing: workflow.Nothing}[v.Answer]
		slog.InfoContext(ctx, "inspected", "share", out.Share, "answer", v.Answer, "reason", v.Reason, "policy", v.Decision.Policy)
		return out, nil
	}
	nothing := func(format string, args ...any) (workflow.InspectShareOutput, error) {
		return end(Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf(format, args...)})
	}
	e, err := event.Parse(in.Event)
	if err != nil {
		return out, err
	}
	if e.Kind != event.Share {
		return nothing("%s", e.Stray())
	}
	here, err := i.Account(ctx, e.Account)
	if err != nil {
		return out, err
	}
	if here.Organization == "" {
		return nothing("account %s is outside the organization", e.Account)
	}
	shares, err := i.find(ctx, in.Execution, e)
	if err != nil {
		return out, err
	}
	if len(shares) == 0 {
		return nothing("%s in %s, %s concerns no resource share", e.Name, e.Account, e.Region)
	}
	if len(shares) > 1 {
		var looks []event.ShareInspection
		for _, arn := range shares {
			looks = append(looks, event.ShareInspection{Account: e.Account, Region: e.Region, Share: arn, Reason: e.Name})
		}
		if err := look.Ask(ctx, i.Looks, looks...); err != nil {
			return out, err
		}
		out.Announced = len(looks)
		return end(Verdict{Answer: workflow.AnswerAnnounce, Reason: fmt.Sprintf("%s concerns %d shares", e.Name, len(looks))})
	}
	out.Share = shares[0]
	owner, _ := event.ShareOwner(out.Share)
	from, err := i.Account(ctx, owner.Account)
	if err != nil {
		return out, err
	}
	if from.Organization == "" {
		return end(Verdict{Answer: workflow.AnswerRefuse, Reason: fmt.Sprintf("account %s, which shares %s, is outside the organization", owner.Account, out.Share)})
	}
	s := Share{ARN: out.Share, Owner: owner}
	if owner.Account != e.Account || e.Name != event.ShareChanged {
		if s, err = i.read(ctx, in.Execution, out.Share, owner); err != nil {
			return out, err
		}
	}
	if why := Told(s, e.Account); why != "" && e.Name == event.ShareChanged {
		return nothing("%s", why)
	}
	if e.Name == event.InvitationAccepted {
		if _, ours, err := i.Ledger.Connection(ctx, Entry(out.Share, e.Account)); err != nil {
			return out, err
		} else if ours {
			return nothing("Drawbridge accepted %s for account %s: the execution that did so asks for the looks", out.Share, e.Account)
		}
	}
	receivers, err := i.receivers(ctx, in.Execution, s, from, e.Account, &out)
	if err != nil {
		return out, err
	}
	v := Judge(s, receivers)
	if err := forget(ctx, i.Ledger, s, receivers); err != nil {
		return out, err
	}
	switch v.Answer {
	case workflow.AnswerAccept:
		to := receivers[v.Receiver]
		out.Invitation = workflow.Invitation{ARN: to.Invitation.ARN, Share: out.Share, Account: to.ID, Region: owner.Region}
	case workflow.AnswerAnnounce:
		looks, err := i.looks(ctx, in.Execution, s, receivers, v.Reason)
		if err == nil {
			err = look.Ask(ctx, i.Looks, looks...)
		}
		if err != nil {
			return out, err
		}
		if out.Announced = len(looks); out.Announced == 0 {
			return nothing("%s, but no VPC asks for it or is attached", v.Reason)
		}
	}
	return end(v)
}

// receivers reads, in each account that a share is meant for, the invitation and whether the gateways are to be seen.
func (i Inspector) receivers(ctx context.Context, execution string, s Share, from workflow.AccountFacts, at string, out *workflow.InspectShareOutput) ([]Receiver, error) {
	var all []Receiver
	for _, id := range Accounts(s, at) {
		r := Receiver{AccountFacts: workflow.AccountFacts{ID: id}, Association: s.Principals[id]}
		facts, err := i.Account(ctx, id)
		if err != nil {
			return nil, err
		}
		if r.AccountFacts = facts; r.ID == "" {
			r.ID = id
		}
		if r.Organization != "" {
			err = i.receiver(ctx, execution, s, from, &r, out)
		}
		if errors.Is(err, fault.ErrClosed) {
			r.Closed = err.Error()
		} else if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func (i Inspector) receiver(ctx context.Context, execution string, s Share, from workflow.AccountFacts, r *Receiver, out *workflow.InspectShareOutput) error {
	where := event.Place{Account: r.ID, Region: s.Owner.Region}
	clients := i.Enter(execution, where)
	if len(s.Gateways) > 0 {
		got, err := clients.EC2.DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{Filters: []types.Filter{{Name: aws.String("transit-gateway-id"), Values: s.Gateways}}})
		if err != nil {
			return fmt.Errorf("reading the transit gateways of %s, %s: %w", where.Account, where.Region, err)
		}
		r.Sees = len(got.TransitGateways) == len(s.Gateways)
	}
	if r.Sees || s.Status == "" {
		return nil
	}
	got, err := invitations(ctx, clients.RAM, []string{s.ARN})
	if err != nil {
		return fmt.Errorf("in %s, %s: %w", where.Account, where.Region, err)
	}
	for _, one := range got {
		// Who was taken out of a share and added again is invited again; the newest counts.
		if aws.ToString(one.ReceiverAccountId) == r.ID && (r.Invitation.ARN == "" || one.Status == ramtypes.ResourceShareInvitationStatusPending) {
			r.Invitation = Invitation{ARN: aws.ToString(one.ResourceShareInvitationArn), Status: string(one.Status)}
		}
	}
	if r.Invitation.Status != "PENDING" {
		return nil
	}
	set, err := i.Policy(ctx)
	if err != nil {
		return err
	}
	r.Accept = set.AcceptShare(participant(from, s.Owner.Region), participant(r.AccountFacts, s.Owner.Region), policy.Context{})
	slog.InfoContext(ctx, "deciding", "action", r.Accept.Action, "account", r.ID, "allowed", r.Accept.Allowed, "policy", r.Accept.Policy)
	if !r.Accept.Allowed || len(s.Others) > 0 {
		return nil
	}
	names, err := i.names(ctx, execution, s.Owner, s.Gateways)
	if err != nil {
		return err
	}
	asking := map[event.AttachmentInspection]bool{}
	err = i.asking(ctx, execution, where, names, "", asking)
	r.Asks = len(asking) > 0
	return err
}

func participant(f workflow.AccountFacts, region string) policy.Participant {
	return policy.Participant{Region: region, Account: f.Entity()}
}

// looks returns the VPCs that a share concerns, each with the gateway: those whose tag asks for it, in the owner's
// account and in those that it is shared with, and those of these accounts that are attached to it. When nothing tells
// whom an ended share was meant for, these are all that are attached.
func (i Inspector) looks(ctx context.Context, execution string, s Share, receivers []Receiver, why string) ([]event.AttachmentInspection, error) {
	names, err := i.names(ctx, execution, s.Owner, slices.Concat(s.Gateways, s.Ended))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	api, ids := i.Enter(execution, s.Owner).EC2, slices.Sorted(maps.Keys(names))
	found, attached := map[event.AttachmentInspection]bool{}, map[string]bool{}
	concerned := map[string]bool{}
	for _, r := range receivers {
		concerned[r.ID] = r.Organization != "" && r.Closed == ""
	}
	attachments := ec2.NewDescribeTransitGatewayAttachmentsPaginator(api, &ec2.DescribeTransitGatewayAttachmentsInput{Filters: []types.Filter{
		{Name: aws.String("transit-gateway-id"), Values: ids}, {Name: aws.String("resource-type"), Values: []string{"vpc"}},
		{Name: aws.String("state"), Values: []string{"pendingAcceptance", "available"}}}})
	for attachments.HasMorePages() {
		page, err := attachments.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the attachments of %s, %s: %w", s.Owner.Account, s.Owner.Region, err)
		}
		for _, a := range page.TransitGatewayAttachments {
			account := aws.ToString(a.ResourceOwnerId)
			attached[aws.ToString(a.TransitGatewayId)+aws.ToString(a.ResourceId)] = true
			if concerned[account] || len(receivers) == 0 && account != s.Owner.Account {
				found[event.AttachmentInspection{Account: account, Region: s.Owner.Region, TransitGatewayID: aws.ToString(a.TransitGatewayId), VPC: aws.ToString(a.ResourceId), Reason: why}] = true
			}
		}
	}
	accounts := []string{s.Owner.Account}
	for _, r := range receivers {
		if concerned[r.ID] && r.Sees {
			accounts = append(accounts, r.ID)
		}
	}
	for _, account := range accounts {
		if err := i.asking(ctx, execution, event.Place{Account: account, Region: s.Owner.Region}, names, why, found); err != nil {
			return nil, err
		}
	}
	var out []event.AttachmentInspection
	for l := range found {
		if l.Account == s.Owner.Account && attached[l.TransitGatewayID+l.VPC] {
			continue // nothing that its account shares with others changes what it has
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b event.AttachmentInspection) int {
		return slices.Compare([]string{a.Account, a.TransitGatewayID, a.VPC}, []string{b.Account, b.TransitGatewayID, b.VPC})
	})
	return out, nil
}

// asking adds the VPCs of a place that ask for a gateway by their tag.
func (i Inspector) asking(ctx context.Context, execution string, at event.Place, gateways map[string]string, why string, found map[event.AttachmentInspection]bool) error {
	pages := ec2.NewDescribeVpcsPaginator(i.Enter(execution, at).EC2, &ec2.DescribeVpcsInput{Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{tag.Attach}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the VPCs of %s, %s: %w", at.Account, at.Region, err)
		}
		for _, v := range page.Vpcs {
			tags := map[string]string{}
			for _, t := range v.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			asked := tag.Clean(tag.VPC, tags)[tag.Attach]
			for id, name := range gateways {
				if Asks(asked, id, name) {
					found[event.AttachmentInspection{Account: at.Account, Region: at.Region, TransitGatewayID: id, VPC: aws.ToString(v.VpcId), Reason: why}] = true
				}
			}
		}
	}
	return nil
}

type accepter interface {
	AcceptResourceShareInvitation(context.Context, *ram.AcceptResourceShareInvitationInput, ...func(*ram.Options)) (*ram.AcceptResourceShareInvitationOutput, error)
}

// Accept accepts an invitation, as the account that is invited. The ledger has it before. One that is accepted already is as it should be: perhaps
// an answer was lost. One that somebody rejected, or that ended, the ledger forgets.
func Accept(ctx context.Context, l ledger.Ledger, api accepter, in workflow.AcceptShareInput) (workflow.AcceptShareOutput, error) {
	to := in.Invitation
	if err := begin(ctx, l, in); err != nil {
		return workflow.AcceptShareOutput{}, err
	}
	slog.InfoContext(ctx, "accepting", "invitation", to.ARN, "account", to.Account)
	out := workflow.AcceptShareOutput{Status: string(ramtypes.ResourceShareInvitationStatusAccepted)}
	_, err := api.AcceptResourceShareInvitation(ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: &to.ARN})
	switch {
	case fault.HasCode(err, "ResourceShareInvitationAlreadyRejectedException", "ResourceShareInvitationExpiredException", "ResourceShareInvitationArnNotFoundException"):
		// The machine looks again anyway, and goes on from what it finds.
		return workflow.AcceptShareOutput{Status: "changed meanwhile"}, l.LetGo(ctx, Entry(to.Share, to.Account))
	case err != nil && !fault.HasCode(err, "ResourceShareInvitationAlreadyAcceptedException"):
		return workflow.AcceptShareOutput{}, fmt.Errorf("accepting %s in %s: %w", to.ARN, to.Account, err)
	}
	return out, confirm(ctx, l, in)
}
