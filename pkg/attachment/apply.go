package attachment

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// meanwhile is the state that a step reports when somebody else was faster. The machine looks again anyway, and goes on
// from what it finds.
const meanwhile = "changed meanwhile"

// Attacher is what [Attach] needs of EC2.
type Attacher interface {
	CreateTransitGatewayVpcAttachment(context.Context, *ec2.CreateTransitGatewayVpcAttachmentInput, ...func(*ec2.Options)) (*ec2.CreateTransitGatewayVpcAttachmentOutput, error)
	ModifyTransitGatewayVpcAttachment(context.Context, *ec2.ModifyTransitGatewayVpcAttachmentInput, ...func(*ec2.Options)) (*ec2.ModifyTransitGatewayVpcAttachmentOutput, error)
}

// Attach attaches a VPC to a gateway with the given subnets, or adds them to its attachment, as the VPC's account. That Drawbridge makes it
// is in the ledger before. After an attachment that AWS failed it sees first to the role that AWS attaches with.
func Attach(ctx context.Context, l ledger.Ledger, api Attacher, roles RoleMaker, in workflow.AttachVpcInput) (workflow.AttachmentOutput, error) {
	if Live(in.Attachment) {
		slog.InfoContext(ctx, "adding subnets", "attachment", in.Attachment.ID, "subnets", in.Subnets)
		got, err := api.ModifyTransitGatewayVpcAttachment(ctx, &ec2.ModifyTransitGatewayVpcAttachmentInput{
			TransitGatewayAttachmentId: &in.Attachment.ID, AddSubnetIds: in.Subnets})
		if fault.HasCode(err, "DuplicateSubnetsInSameZone", "IncorrectState") {
			return workflow.AttachmentOutput{Attachment: in.Attachment.ID, State: meanwhile}, nil
		}
		if err != nil {
			return workflow.AttachmentOutput{}, fmt.Errorf("adding %s to %s in %s: %w", strings.Join(in.Subnets, ", "), in.Attachment.ID, in.VPC.Account, err)
		}
		return answer(got.TransitGatewayVpcAttachment), nil
	}
	after := in.Attachment.State == "failed"
	if after {
		if err := ensureRole(ctx, roles, in); err != nil {
			return workflow.AttachmentOutput{}, err
		}
	}
	unit := Unit(in.Gateway.ID, in.VPC.ID)
	recorded, err := l.Record(ctx, unit, Made(in.VPC, in.Gateway, ""))
	if err != nil {
		return workflow.AttachmentOutput{}, err
	}
	if recorded[0].State == ledger.Confirmed { // of one that is over
		if _, err := l.Mark(ctx, recorded[0], func(i *ledger.Item) { i.State, i.Left = ledger.Intended, "" }); err != nil {
			return workflow.AttachmentOutput{}, err
		}
	}
	slog.InfoContext(ctx, "attaching", "vpc", in.VPC.ID, "gateway", in.Gateway.ID, "subnets", in.Subnets)
	got, err := api.CreateTransitGatewayVpcAttachment(ctx, &ec2.CreateTransitGatewayVpcAttachmentInput{
		TransitGatewayId: &in.Gateway.ID, VpcId: &in.VPC.ID, SubnetIds: in.Subnets,
		Options: &types.CreateTransitGatewayVpcAttachmentRequestOptions{DnsSupport: types.DnsSupportValueEnable},
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeTransitGatewayAttachment,
			Tags: []types.Tag{{Key: aws.String(TagConnection), Value: aws.String(Unit(in.Gateway.ID, in.VPC.ID))}}}},
	})
	// A VPC has one attachment to a gateway at most.
	if fault.HasCode(err, "DuplicateTransitGatewayAttachment") {
		if after { // the next look would find the failed one again
			return workflow.AttachmentOutput{}, fault.NewConflict(
				fmt.Sprintf("attaching %s to %s in %s: AWS takes no second attachment beside %s, which it failed", in.VPC.ID, in.Gateway.ID, in.VPC.Account, in.Attachment.ID),
				"redrive the execution when AWS shows "+in.Attachment.ID+" no more, two hours after it failed")
		}
		return workflow.AttachmentOutput{State: meanwhile}, nil
	}
	if err != nil {
		return workflow.AttachmentOutput{}, fmt.Errorf("attaching %s to %s in %s: %w", in.VPC.ID, in.Gateway.ID, in.VPC.Account, err)
	}
	out := answer(got.TransitGatewayVpcAttachment)
	_, err = l.Confirm(ctx, Made(in.VPC, in.Gateway, out.Attachment))
	return out, err
}

func answer(a *types.TransitGatewayVpcAttachment) workflow.AttachmentOutput {
	if a == nil {
		return workflow.AttachmentOutput{}
	}
	return workflow.AttachmentOutput{Attachment: aws.ToString(a.TransitGatewayAttachmentId), State: string(a.State)}
}

type accepter interface {
	AcceptTransitGatewayVpcAttachment(context.Context, *ec2.AcceptTransitGatewayVpcAttachmentInput, ...func(*ec2.Options)) (*ec2.AcceptTransitGatewayVpcAttachmentOutput, error)
}

// Accept accepts an attachment, as the gateway's owner.
func Accept(ctx context.Context, api accepter, in workflow.AttachmentInput) (workflow.AttachmentOutput, error) {
	slog.InfoContext(ctx, "accepting", "attachment", in.Attachment.ID, "vpc", in.VPC.ID, "gateway", in.Gateway.ID)
	got, err := api.AcceptTransitGatewayVpcAttachment(ctx, &ec2.AcceptTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: &in.Attachment.ID})
	if fault.HasCode(err, "IncorrectState", "InvalidStateTransition") {
		return workflow.AttachmentOutput{Attachment: in.Attachment.ID, State: meanwhile}, nil
	}
	if err != nil {
		return workflow.AttachmentOutput{}, fmt.Errorf("accepting %s in %s: %w", in.Attachment.ID, in.Gateway.Account, err)
	}
	return answer(got.TransitGatewayVpcAttachment), nil
}

type detacher interface {
	DeleteTransitGatewayVpcAttachment(context.Context, *ec2.DeleteTransitGatewayVpcAttachmentInput, ...func(*ec2.Options)) (*ec2.DeleteTransitGatewayVpcAttachmentOutput, error)
}

// Detach deletes Drawbridge's own attachment, as the VPC's account. One that somebody else made it never deletes, whatever
// the machine thinks.
func Detach(ctx context.Context, api detacher, in workflow.AttachmentInput) (workflow.AttachmentOutput, error) {
	if !in.Attachment.Own {
		return workflow.AttachmentOutput{}, fault.New(fault.Refused, "detaching %s from %s: somebody else made %s", in.VPC.ID, in.Gateway.ID, in.Attachment.ID)
	}
	slog.InfoContext(ctx, "detaching", "attachment", in.Attachment.ID, "vpc", in.VPC.ID, "gateway", in.Gateway.ID)
	got, err := api.DeleteTransitGatewayVpcAttachment(ctx, &ec2.DeleteTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: &in.Attachment.ID})
	if fault.HasCode(err, "IncorrectState", "InvalidStateTransition", "InvalidTransitGatewayAttachmentID.NotFound") {
		return workflow.AttachmentOutput{Attachment: in.Attachment.ID, State: meanwhile}, nil
	}
	if err != nil {
		return workflow.AttachmentOutput{}, fmt.Errorf("detaching %s from %s in %s: %w", in.VPC.ID, in.Gateway.ID, in.VPC.Account, err)
	}
	return answer(got.TransitGatewayVpcAttachment), nil
}
