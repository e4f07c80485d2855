package attachment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The service-linked role with which AWS makes the network interfaces of an attachment, in the VPC's account.
// https://docs.aws.amazon.com/vpc/latest/tgw/service-linked-roles.html
const linkedRole = "AWSServiceRoleForVPCTransitGateway"

// linkedService is whose role it is, in the China Regions too: https://docs.amazonaws.cn/en_us/vpc/latest/tgw/service-linked-roles.html
var linkedService = arn.ServicePrincipal("transitgateway")

// RoleMaker is what [Attach] needs of IAM.
type RoleMaker interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
	CreateServiceLinkedRole(context.Context, *iam.CreateServiceLinkedRoleInput, ...func(*iam.Options)) (*iam.CreateServiceLinkedRoleOutput, error)
}

// ensureRole makes the service-linked role if the VPC's account lacks it. AWS makes it by itself when a VPC is attached, for
// a caller who may make it; for one who may not, it says nothing, leaves the attachment pending for about ten minutes and
// fails it: https://github.com/aws-solutions-library-samples/network-orchestration-for-aws-transit-gateway/issues/42
func ensureRole(ctx context.Context, api RoleMaker, in workflow.AttachVpcInput) error {
	_, err := api.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(linkedRole)})
	if err == nil {
		return nil
	}
	if !fault.HasCode(err, "NoSuchEntity") {
		return fmt.Errorf("reading role %s in %s: %w", linkedRole, in.VPC.Account, err)
	}
	slog.InfoContext(ctx, "creating the service-linked role", "role", linkedRole, "account", in.VPC.Account)
	_, err = api.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String(linkedService)})
	// "Service role name … has been taken in this account": somebody else made it in this moment.
	taken := fault.HasCode(err, "InvalidInput") && strings.Contains(err.Error(), "has been taken in this account")
	switch {
	case err == nil || taken:
		return nil
	case fault.Of(err) == fault.Refused:
		said := err.Error()
		var api smithy.APIError
		if errors.As(err, &api) { // which policy denies it, without the words of the SDK
			said = api.ErrorMessage()
		}
		return &fault.Error{Kind: fault.Refused, Cause: err,
			Message: fmt.Sprintf("attaching %s to %s: AWS failed %s, because account %s has no role %s, and Drawbridge may not create it: %s",
				in.VPC.ID, in.Gateway.ID, in.Attachment.ID, in.VPC.Account, linkedRole, said),
			Remedy: fmt.Sprintf("with credentials of account %s: aws iam create-service-linked-role --aws-service-name %s; or let Drawbridge's role create it, which a service control policy may deny; then redrive the execution",
				in.VPC.Account, linkedService)}
	}
	return fmt.Errorf("creating role %s in %s: %w", linkedRole, in.VPC.Account, err)
}
