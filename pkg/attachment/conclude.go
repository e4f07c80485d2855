package attachment

import (
	"context"
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Concluder is what [Conclude] needs of EC2 in both accounts.
type Concluder interface {
	OwnerReader
	connection.Tagger
}

// Conclude ends an attachment:
//
//	it is over             → it goes from the ledger, and each pair of its VPC with another that is attached still is looked at
//	it was taken back      → each of its pairs is looked at, both sides read so, and its entry says so
//	it was let go of       → each of its pairs is looked at, both sides read so, and it goes from the ledger
//
// The ledger comes last: until then another execution knows that something may be left. A pair that is looked at reads the same tags, so it
// ends like its attachment, whenever that is.
func Conclude(ctx context.Context, l ledger.Ledger, enter func(event.Place) Concluder, looks look.Asker, in workflow.ConcludeDetachmentInput) (workflow.VerifyAttachmentOutput, error) {
	out := workflow.VerifyAttachmentOutput{Result: in.Result, Reason: in.Reason, Verdict: []workflow.Hop{}}
	var err error
	if !Live(in.Attachment) {
		seen, err := attachments(ctx, enter(event.Place{Account: in.Gateway.Account, Region: in.Gateway.Region}),
			filter("transit-gateway-id", in.Gateway.ID), filter("resource-type", "vpc"), filter("state", "available"))
		if err != nil {
			return out, fmt.Errorf("in %s, %s: %w", in.Gateway.Account, in.Gateway.Region, err)
		}
		if out.Announced, err = announce(ctx, looks, in.Gateway, in.VPC, in.Attachment.Peers, seen, in.Reason); err != nil {
			return out, err
		}
		return out, Forget(ctx, l, in.VPC, in.Gateway, in.Attachment.ID)
	}
	if out.Announced, err = announce(ctx, looks, in.Gateway, in.VPC, in.Attachment.Peers, nil, in.Reason); err != nil {
		return out, err
	}
	tagger := func(p event.Place) connection.Tagger { return enter(p) }
	if err := leave(ctx, tagger, in.VPC, in.Gateway, in.Attachment.ID, in.Result, said(in.Said, in.Reason)); err != nil {
		return out, err
	}
	if in.Result == workflow.Released {
		return out, Forget(ctx, l, in.VPC, in.Gateway, in.Attachment.ID)
	}
	_, err = connection.Note(ctx, l, in.Attachment.ID, in.Result, in.Reason, func(c *ledger.Connection) {
		c.Facts = nil
		if in.Attachment.Table != "" {
			c.Facts = map[string]string{factTable: in.Attachment.Table}
		}
	})
	return out, err
}

// Ended is the news of an attachment that was taken back or let go of. Of one that is over there is none: AWS shows that to both, and its
// pairs tell of themselves.
func Ended(in workflow.ConcludeDetachmentInput) owner.News {
	if !Live(in.Attachment) {
		return owner.News{}
	}
	return owner.News{Execution: in.Execution, Connection: between(in.VPC, in.Gateway, in.Attachment.ID), Kind: notice.ConnectionRemoved, Result: in.Result, Said: said(in.Said, in.Reason)}
}

// said is what both sides are told: where it was not said apart, the reason.
func said(apart workflow.Said, reason string) workflow.Said {
	if apart == (workflow.Said{}) {
		return workflow.Alike(reason)
	}
	return apart
}
