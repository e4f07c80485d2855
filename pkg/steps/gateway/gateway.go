// Package gateway wires the steps of transit gateways: pairs, attachments, shares.
package gateway

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/gatewaypair"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// atGateway returns the client of the account that a gateway is in.
func atGateway(s steps.Stage, execution string, g workflow.Gateway) *ec2.Client {
	return ec2.NewFromConfig(s.Enter(execution, g.Account, g.Region))
}

// at returns clients of EC2, by their places.
func at(s steps.Stage, execution string) func(event.Place) *ec2.Client {
	return func(p event.Place) *ec2.Client { return ec2.NewFromConfig(s.Enter(execution, p.Account, p.Region)) }
}

// under is the ledger under the lease of a VPC on a gateway.
func under(s steps.Stage, execution string, g workflow.Gateway, v workflow.VPC) ledger.Ledger {
	return s.Ledger.Under(attachment.LeaseOf(g.ID, v.ID), execution)
}

// InspectTransit is the step of the state of that name.
func InspectTransit(s steps.Stage) workflow.Step[workflow.InspectTransitInput, workflow.InspectTransitOutput] {
	enter := func(execution string, at event.Place) gatewaypair.Clients {
		c := s.Enter(execution, at.Account, at.Region)
		return gatewaypair.Clients{Clients: survey.Clients{Databases: database.In(c), SageMaker: sagemaker.NewFromConfig(c), Lambda: lambda.NewFromConfig(c)}, EC2: ec2.NewFromConfig(c)}
	}
	of := gatewaypair.Inspector{Enter: enter, Account: s.Account, Units: s.Units, Policy: s.Policy, Ledger: s.Ledger, Brake: s.Brake}
	return of.Turn().One(s.Keeper, preview.Transit(s, of.Inspect))
}

// RefuseTransit is the step of the state of that name.
func RefuseTransit(s steps.Stage) workflow.Step[workflow.RefuseTransitInput, workflow.ConcludeOutput] {
	return func(ctx context.Context, in workflow.RefuseTransitInput) (workflow.ConcludeOutput, error) {
		enter := func(c workflow.StatusResource) connection.Untagger {
			return ec2.NewFromConfig(s.Enter(in.Execution, c.Account, c.Region))
		}
		return gatewaypair.Refuse(ctx, s.Ledger, enter, s.Bus, in)
	}
}

// InspectAttachment is the step of the state of that name.
func InspectAttachment(s steps.Stage) workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput] {
	enter := func(execution string, at event.Place) attachment.Clients {
		c := s.Enter(execution, at.Account, at.Region)
		return attachment.Clients{EC2: ec2.NewFromConfig(c), Databases: database.In(c), SageMaker: sagemaker.NewFromConfig(c), Lambda: lambda.NewFromConfig(c)}
	}
	of := attachment.Inspector{Enter: enter, Account: s.Account, Units: s.Units, Policy: s.Policy, Ledger: s.Ledger, Now: s.Ledger.Now, Looks: s.Looks, Brake: s.Brake}
	return of.One(s.Keeper, func(look workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput]) workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput] {
		return preview.Attachment(s, look)
	})
}

// AttachVPC is the step of the state AttachVpc.
func AttachVPC(s steps.Stage) workflow.Step[workflow.AttachVpcInput, workflow.AttachmentOutput] {
	return func(ctx context.Context, in workflow.AttachVpcInput) (workflow.AttachmentOutput, error) {
		vpc := s.In(in.Execution, in.VPC)
		return attachment.Attach(ctx, under(s, in.Execution, in.Gateway, in.VPC), ec2.NewFromConfig(vpc), iam.NewFromConfig(vpc), in)
	}
}

// AcceptAttachment is the step of the state of that name.
func AcceptAttachment(s steps.Stage) workflow.Step[workflow.AttachmentInput, workflow.AttachmentOutput] {
	return func(ctx context.Context, in workflow.AttachmentInput) (workflow.AttachmentOutput, error) {
		return attachment.Accept(ctx, atGateway(s, in.Execution, in.Gateway), in)
	}
}

// AssociateAttachment is the step of the state of that name.
func AssociateAttachment(s steps.Stage) workflow.Step[workflow.AssociateAttachmentInput, workflow.HopsOutput] {
	return func(ctx context.Context, in workflow.AssociateAttachmentInput) (workflow.HopsOutput, error) {
		return attachment.Associate(ctx, under(s, in.Execution, in.Gateway, in.VPC), atGateway(s, in.Execution, in.Gateway), in)
	}
}

// DisassociateAttachment is the step of the state of that name.
func DisassociateAttachment(s steps.Stage) workflow.Step[workflow.AttachmentInput, workflow.HopsOutput] {
	return func(ctx context.Context, in workflow.AttachmentInput) (workflow.HopsOutput, error) {
		return attachment.Disassociate(ctx, under(s, in.Execution, in.Gateway, in.VPC), atGateway(s, in.Execution, in.Gateway), s.Looks, in)
	}
}

// DetachVPC is the step of the state DetachVpc.
func DetachVPC(s steps.Stage) workflow.Step[workflow.AttachmentInput, workflow.AttachmentOutput] {
	return func(ctx context.Context, in workflow.AttachmentInput) (workflow.AttachmentOutput, error) {
		return attachment.Detach(ctx, ec2.NewFromConfig(s.In(in.Execution, in.VPC)), in)
	}
}

// VerifyAttachment is the step of the state of that name.
func VerifyAttachment(s steps.Stage) workflow.Step[workflow.VerifyAttachmentInput, workflow.VerifyAttachmentOutput] {
	return lease.Last(s.Ledger, s.Looks, attachment.LastVerdict, func(ctx context.Context, in workflow.VerifyAttachmentInput) (workflow.VerifyAttachmentOutput, error) {
		enter := at(s, in.Execution)
		return attachment.Verify(ctx, s.Ledger, func(p event.Place) attachment.Verifier { return enter(p) }, s.Looks, in)
	})
}

// ConcludeDetachment is the step of the state of that name.
func ConcludeDetachment(s steps.Stage) workflow.Step[workflow.ConcludeDetachmentInput, workflow.VerifyAttachmentOutput] {
	return lease.Last(s.Ledger, s.Looks, attachment.LastDetachment, func(ctx context.Context, in workflow.ConcludeDetachmentInput) (workflow.VerifyAttachmentOutput, error) {
		enter := at(s, in.Execution)
		return owner.Before(ctx, s.Owners(), attachment.Ended(in), func() (workflow.VerifyAttachmentOutput, error) {
			return attachment.Conclude(ctx, s.Ledger, func(p event.Place) attachment.Concluder { return enter(p) }, s.Looks, in)
		})
	})
}

// AskAttachment is the step of the state of that name.
func AskAttachment(s steps.Stage) workflow.Step[workflow.AnswerAttachmentInput, workflow.ConcludeOutput] {
	return lease.Last(s.Ledger, s.Looks, attachment.LastAnswer, func(ctx context.Context, in workflow.AnswerAttachmentInput) (workflow.ConcludeOutput, error) {
		enter := at(s, in.Execution)
		return attachment.Ask(ctx, s.Ledger, func(p event.Place) connection.Tagger { return enter(p) }, s.Bus, s.Topic, in)
	})
}

// RefuseAttachment is the step of the state of that name.
func RefuseAttachment(s steps.Stage) workflow.Step[workflow.AnswerAttachmentInput, workflow.ConcludeOutput] {
	return lease.Last(s.Ledger, s.Looks, attachment.LastAnswer, func(ctx context.Context, in workflow.AnswerAttachmentInput) (workflow.ConcludeOutput, error) {
		enter := at(s, in.Execution)
		return owner.After(ctx, s.Owners(), func() (workflow.ConcludeOutput, error) {
			return attachment.Refuse(ctx, s.Ledger, func(p event.Place) attachment.Refuser { return enter(p) }, s.Bus, s.Looks, in)
		}, func(out workflow.ConcludeOutput) owner.News { return attachment.Refused(in, out) })
	})
}

// InspectShare is the step of the state of that name.
func InspectShare(s steps.Stage) workflow.Step[workflow.InspectShareInput, workflow.InspectShareOutput] {
	enter := func(execution string, p event.Place) share.Clients {
		c := s.Enter(execution, p.Account, p.Region)
		return share.Clients{RAM: ram.NewFromConfig(c), EC2: ec2.NewFromConfig(c)}
	}
	of := share.Inspector{Enter: enter, Account: s.Account, Policy: s.Policy, Looks: s.Looks, Ledger: s.Ledger}
	return preview.Share(s, of.Inspect)
}

// AcceptShare is the step of the state of that name.
func AcceptShare(s steps.Stage) workflow.Step[workflow.AcceptShareInput, workflow.AcceptShareOutput] {
	return func(ctx context.Context, in workflow.AcceptShareInput) (workflow.AcceptShareOutput, error) {
		return share.Accept(ctx, s.Ledger, ram.NewFromConfig(s.Enter(in.Execution, in.Invitation.Account, in.Invitation.Region)), in)
	}
}
