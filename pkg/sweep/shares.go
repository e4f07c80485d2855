package sweep

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// InvitationReader is what [Shares] needs of RAM.
type InvitationReader interface {
	GetResourceShareInvitations(context.Context, *ram.GetResourceShareInvitationsInput, ...func(*ram.Options)) (*ram.GetResourceShareInvitationsOutput, error)
}

// Shares finds invitations to resource shares that this account has not answered. A look at one is an execution of
// drawbridge-share. All else that a share brings or takes away concerns VPCs, and those [Attachments] finds.
type Shares struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) InvitationReader
}

// Kind implements [Finder].
func (Shares) Kind() string { return "invitations" }

// Find implements [Finder]: one GetResourceShareInvitations for 100 invitations.
func (s Shares) Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error) {
	seen, _, err = EachInvitation(ctx, s.Enter(execution, at), at, "the account is invited and has not answered", ask)
	return seen, err
}

// EachInvitation asks for a look at the share of each invitation that the account of a place has not answered. It returns how many
// invitations there are, and how many looks were asked for.
func EachInvitation(ctx context.Context, api InvitationReader, at event.Place, why string, ask Ask) (seen, asked int, err error) {
	pages := ram.NewGetResourceShareInvitationsPaginator(api, &ram.GetResourceShareInvitationsInput{MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return seen, asked, fmt.Errorf("reading invitations to resource shares: %w", err)
		}
		var looks []look.Look
		for _, one := range page.ResourceShareInvitations {
			if one.Status == types.ResourceShareInvitationStatusPending && aws.ToString(one.ReceiverAccountId) == at.Account {
				looks = append(looks, event.ShareInspection{Account: at.Account, Region: at.Region, Share: aws.ToString(one.ResourceShareArn), Reason: why})
			}
		}
		seen += len(page.ResourceShareInvitations)
		if err := ask(ctx, looks...); err != nil {
			return seen, asked, err
		}
		asked += len(looks)
	}
	return seen, asked, nil
}
