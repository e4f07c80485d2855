package share

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

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
