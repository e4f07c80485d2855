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
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// readReceivers reads, in each account that the share is meant for, the invitation and whether the gateways are to be seen.
func (l *inspection) readReceivers(ctx context.Context) error {
	for _, id := range Accounts(l.share, l.event.Account) {
		r := Receiver{AccountFacts: workflow.AccountFacts{ID: id}, Association: l.share.Principals[id]}
		facts, err := l.Account(ctx, id)
		if err != nil {
			return err
		}
		if r.AccountFacts = facts; r.ID == "" {
			r.ID = id
		}
		if r.Organization != "" {
			err = l.receiver(ctx, &r)
		}
		if errors.Is(err, fault.ErrClosed) {
			r.Closed = err.Error()
		} else if err != nil {
			return err
		}
		l.receivers = append(l.receivers, r)
	}
	return nil
}

// receiver reads what one account has of the share, and asks the policy about its invitation.
func (l *inspection) receiver(ctx context.Context, r *Receiver) error {
	s := l.share
	where := event.Place{Account: r.ID, Region: s.Owner.Region}
	clients := l.Enter(l.execution, where)
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
	set, err := l.Policy(ctx)
	if err != nil {
		return err
	}
	r.Accept = set.AcceptShare(participant(l.from, s.Owner.Region), participant(r.AccountFacts, s.Owner.Region), policy.Context{})
	slog.InfoContext(ctx, "deciding", "action", r.Accept.Action, "account", r.ID, "allowed", r.Accept.Allowed, "policy", r.Accept.Policy)
	if !r.Accept.Allowed || len(s.Others) > 0 {
		return nil
	}
	names, err := l.names(ctx, l.execution, s.Owner, s.Gateways)
	if err != nil {
		return err
	}
	asking := map[event.AttachmentInspection]bool{}
	err = l.asking(ctx, l.execution, where, names, "", asking)
	r.Asks = len(asking) > 0
	return err
}

func participant(f workflow.AccountFacts, region string) policy.Participant {
	return policy.Participant{Region: region, Account: f.Entity()}
}

// looks returns the VPCs that a share concerns, each with the gateway: those whose tag asks for it, in the owner's
// account and in those that it is shared with, and those of these accounts that are attached to it. When nothing tells
// whom an ended share was meant for, these are all that are attached.
func (l *inspection) looks(ctx context.Context) ([]event.AttachmentInspection, error) {
	s, receivers, why := l.share, l.receivers, l.verdict.Reason
	names, err := l.names(ctx, l.execution, s.Owner, slices.Concat(s.Gateways, s.Ended))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	api, ids := l.Enter(l.execution, s.Owner).EC2, slices.Sorted(maps.Keys(names))
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
		if err := l.asking(ctx, l.execution, event.Place{Account: account, Region: s.Owner.Region}, names, why, found); err != nil {
			return nil, err
		}
	}
	var out []event.AttachmentInspection
	for one := range found {
		if one.Account == s.Owner.Account && attached[one.TransitGatewayID+one.VPC] {
			continue // nothing that its account shares with others changes what it has
		}
		out = append(out, one)
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
