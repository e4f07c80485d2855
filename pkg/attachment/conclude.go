package attachment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Concluder is what [Conclude] needs of EC2 in both accounts.
type Concluder interface {
	OwnerReader
	connection.Untagger
}

// Conclude ends an attachment:
//
//	it is over             → its status goes from both sides, it goes from the ledger, and each pair of its VPC with another that is attached still is
//	                         looked at; so is the VPC's own attachment that took its place, if there is one
//	it was taken back      → each of its pairs is looked at, both sides read so, and its entry says so
//	it was let go of, or   → each of its pairs is looked at, its status goes from both sides, and it goes from the ledger
//	was refused, and is
//	asked for no more
//
// The ledger comes last: until then another execution knows that something may be left. A pair that is looked at reads the same tags, so it
// ends like its attachment, whenever that is.
func Conclude(ctx context.Context, l ledger.Ledger, enter func(event.Place) Concluder, looks look.Asker, in workflow.ConcludeDetachmentInput) (workflow.VerifyAttachmentOutput, error) {
	out := workflow.VerifyAttachmentOutput{Result: in.Result, Reason: in.Reason, Verdict: []workflow.Hop{}}
	var err error
	if !Live(in.Attachment) {
		return forgotten(ctx, l, enter, looks, in, out)
	}
	if out.Announced, err = announce(ctx, l, looks, in.Gateway, in.VPC, nil, in.Reason); err != nil {
		return out, err
	}
	if in.Attachment.LetGo || in.Result == workflow.Released {
		if err := unsaid(ctx, enter, in, tag.StatusKeys()...); err != nil {
			return out, err
		}
		return out, Forget(ctx, l, in.VPC, in.Gateway, in.Attachment.ID)
	}
	tagger := func(p event.Place) connection.Tagger { return enter(p) }
	if err := leave(ctx, tagger, in.VPC, in.Gateway, in.Attachment.ID, stands(l, in.Result), said(in.Said, in.Reason)); err != nil {
		return out, err
	}
	_, err = connection.Note(ctx, l, in.Attachment.ID, in.Result, in.Reason, func(c *ledger.Connection) {
		c.Facts = nil
		if in.Attachment.Table != "" {
			c.Facts = map[string]string{factTable: in.Attachment.Table}
		}
	})
	return out, err
}

// forgotten ends an attachment that AWS has no more, or shows for a while as one that is over.
func forgotten(ctx context.Context, l ledger.Ledger, enter func(event.Place) Concluder, looks look.Asker, in workflow.ConcludeDetachmentInput, out workflow.VerifyAttachmentOutput) (workflow.VerifyAttachmentOutput, error) {
	seen, err := attachments(ctx, enter(event.Place{Account: in.Gateway.Account, Region: in.Gateway.Region}),
		filter("transit-gateway-id", in.Gateway.ID), filter("resource-type", "vpc"))
	if err != nil {
		return out, fmt.Errorf("in %s, %s: %w", in.Gateway.Account, in.Gateway.Region, err)
	}
	if err := unsaid(ctx, enter, in, append(tag.StatusKeys(), tag.Pairs)...); err != nil {
		return out, err
	}
	next := slices.ContainsFunc(seen, func(a types.TransitGatewayAttachment) bool {
		return aws.ToString(a.ResourceId) == in.VPC.ID && aws.ToString(a.TransitGatewayAttachmentId) != in.Attachment.ID && Live(workflow.Attachment{State: string(a.State)})
	})
	stand := slices.DeleteFunc(seen, func(a types.TransitGatewayAttachment) bool {
		return a.State != types.TransitGatewayAttachmentStateAvailable
	})
	if out.Announced, err = announce(ctx, l, looks, in.Gateway, in.VPC, stand, in.Reason); err != nil {
		return out, err
	}
	if !next {
		return out, Forget(ctx, l, in.VPC, in.Gateway, in.Attachment.ID)
	}
	out.Announced++
	if err := look.Ask(ctx, looks, event.AttachmentInspection{Account: in.VPC.Account, Region: in.VPC.Region, TransitGatewayID: in.Gateway.ID, VPC: in.VPC.ID, Reason: in.Reason}); err != nil {
		return out, err
	}
	items, err := l.Of(ctx, in.VPC.Account, in.VPC.Region, in.VPC.ID)
	if err != nil {
		return out, err
	}
	if slices.ContainsFunc(items, func(i ledger.Item) bool { return i.Same(Made(in.VPC, in.Gateway, "")) && i.Left == in.Attachment.ID }) {
		return out, Forget(ctx, l, in.VPC, in.Gateway, in.Attachment.ID)
	}
	return out, l.LetGo(ctx, in.Attachment.ID) // that Drawbridge made the other one stays known
}

// unsaid takes tags of Drawbridge's off an attachment, on both sides.
func unsaid(ctx context.Context, enter func(event.Place) Concluder, in workflow.ConcludeDetachmentInput, keys ...string) error {
	for n, account := range []string{in.VPC.Account, in.Gateway.Account} {
		if n > 0 && account == in.VPC.Account {
			break
		}
		err := connection.Untag(ctx, enter(event.Place{Account: account, Region: in.VPC.Region}), workflow.StatusResource{Account: account, Region: in.VPC.Region, ID: in.Attachment.ID, Tags: keys})
		if err != nil && !errors.Is(err, fault.ErrClosed) { // whoever closed the account has the tags
			return err
		}
	}
	return nil
}

// Ended is the news of an attachment that is over, was taken back or let go of. Its pairs tell of themselves.
func Ended(in workflow.ConcludeDetachmentInput) owner.News {
	return owner.News{Execution: in.Execution, Connection: between(in.VPC, in.Gateway, in.Attachment.ID), Kind: notice.ConnectionRemoved, Result: in.Result, Said: said(in.Said, in.Reason)}
}

// said is what both sides are told: where it was not said apart, the reason.
func said(apart workflow.Said, reason string) workflow.Said {
	if apart == (workflow.Said{}) {
		return workflow.Alike(reason)
	}
	return apart
}
