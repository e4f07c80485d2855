package plan

import (
	"context"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// attaching are the steps of the machine of attachments.
func (r *rehearsal) attaching() map[string]runtime.Handler {
	inspector := attachment.NewInspector(r, r.organization.Account, r.organization.Units, r.policy, r.book, r.looks, r.brake.Asker(r.Mode))
	at := func(execution string, g workflow.Gateway) *ec2.Client {
		return ec2.NewFromConfig(r.Enter(execution, g.Account, g.Region))
	}
	client := func(execution string) func(event.Place) *ec2.Client {
		return func(p event.Place) *ec2.Client { return ec2.NewFromConfig(r.Enter(execution, p.Account, p.Region)) }
	}
	under := func(execution string, g workflow.Gateway, v workflow.VPC) ledger.Ledger {
		return r.book.Under(attachment.LeaseOf(g.ID, v.ID), execution)
	}
	return map[string]runtime.Handler{
		"InspectAttachment": step(inspector.One(r.keeper, func(look workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput]) workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput] {
			return preview.Attachment(r, look)
		})),
		"AttachVpc": step(func(ctx context.Context, in workflow.AttachVpcInput) (workflow.AttachmentOutput, error) {
			vpc := r.in(in.Execution, in.VPC)
			return attachment.Attach(ctx, under(in.Execution, in.Gateway, in.VPC), ec2.NewFromConfig(vpc), iam.NewFromConfig(vpc), in)
		}),
		"AcceptAttachment": step(func(ctx context.Context, in workflow.AttachmentInput) (workflow.AttachmentOutput, error) {
			return attachment.Accept(ctx, at(in.Execution, in.Gateway), in)
		}),
		"AssociateAttachment": step(func(ctx context.Context, in workflow.AssociateAttachmentInput) (workflow.HopsOutput, error) {
			return attachment.Associate(ctx, under(in.Execution, in.Gateway, in.VPC), at(in.Execution, in.Gateway), in)
		}),
		"DisassociateAttachment": step(func(ctx context.Context, in workflow.AttachmentInput) (workflow.HopsOutput, error) {
			return attachment.Disassociate(ctx, under(in.Execution, in.Gateway, in.VPC), at(in.Execution, in.Gateway), r.looks, in)
		}),
		"DetachVpc": step(func(ctx context.Context, in workflow.AttachmentInput) (workflow.AttachmentOutput, error) {
			return attachment.Detach(ctx, ec2.NewFromConfig(r.in(in.Execution, in.VPC)), in)
		}),
		"VerifyAttachment": step(lease.Last(r.book, r.looks, attachment.LastVerdict, func(ctx context.Context, in workflow.VerifyAttachmentInput) (workflow.VerifyAttachmentOutput, error) {
			enter := client(in.Execution)
			return attachment.Verify(ctx, r.book, func(p event.Place) attachment.Verifier { return enter(p) }, r.looks, in)
		})),
		"ConcludeDetachment": step(lease.Last(r.book, r.looks, attachment.LastDetachment, func(ctx context.Context, in workflow.ConcludeDetachmentInput) (workflow.VerifyAttachmentOutput, error) {
			enter := client(in.Execution)
			return owner.Before(ctx, r.owners, attachment.Ended(in), func() (workflow.VerifyAttachmentOutput, error) {
				return attachment.Conclude(ctx, r.book, func(p event.Place) attachment.Concluder { return enter(p) }, r.looks, in)
			})
		})),
		"AskAttachment": step(lease.Last(r.book, r.looks, attachment.LastAnswer, func(ctx context.Context, in workflow.AnswerAttachmentInput) (workflow.ConcludeOutput, error) {
			enter := client(in.Execution)
			return attachment.Ask(ctx, r.book, func(p event.Place) connection.Tagger { return enter(p) }, r.bus, r.topic, in)
		})),
		"RefuseAttachment": step(lease.Last(r.book, r.looks, attachment.LastAnswer, func(ctx context.Context, in workflow.AnswerAttachmentInput) (workflow.ConcludeOutput, error) {
			enter := client(in.Execution)
			return owner.After(ctx, r.owners, func() (workflow.ConcludeOutput, error) {
				return attachment.Refuse(ctx, r.book, func(p event.Place) attachment.Refuser { return enter(p) }, r.bus, r.looks, in)
			}, func(out workflow.ConcludeOutput) owner.News { return attachment.Refused(in, out) })
		})),
	}
}

// sharing are the steps of the machine of resource shares.
func (r *rehearsal) sharing() map[string]runtime.Handler {
	enter := func(execution string, p event.Place) share.Clients {
		c := r.Enter(execution, p.Account, p.Region)
		return share.Clients{RAM: ram.NewFromConfig(c), EC2: ec2.NewFromConfig(c)}
	}
	inspect := share.Inspector{Enter: enter, Account: r.organization.Account, Policy: r.policy, Looks: r.looks, Ledger: r.book}.Inspect
	return map[string]runtime.Handler{
		"InspectShare": step(preview.Share(r, inspect)),
		"AcceptShare": step(func(ctx context.Context, in workflow.AcceptShareInput) (workflow.AcceptShareOutput, error) {
			return share.Accept(ctx, r.book, ram.NewFromConfig(r.Enter(in.Execution, in.Invitation.Account, in.Invitation.Region)), in)
		}),
	}
}
