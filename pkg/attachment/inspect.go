package attachment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Inspector] needs of EC2.
type EC2 interface {
	notebook.Marks
	ec2.DescribeSecurityGroupsAPIClient
	route.SubnetReader
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error)
	DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error)
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
	DescribeTransitGatewayRouteTables(context.Context, *ec2.DescribeTransitGatewayRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayRouteTablesOutput, error)
	GetTransitGatewayAttachmentPropagations(context.Context, *ec2.GetTransitGatewayAttachmentPropagationsInput, ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error)
}

// SageMaker is what [Inspector] needs of SageMaker.
type SageMaker interface {
	notebook.Placer
	notebook.ClientAPI
}

// Clients are the member-account clients that an inspection uses, for one account and Region.
type Clients struct {
	EC2       EC2
	Databases database.APIs
	SageMaker SageMaker
	Lambda    notebook.LambdaAPI
}

// Inspector answers what a VPC on a gateway needs next.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Clients
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Units says what the units of an account's path are called.
	Units func(ctx context.Context, path string) (string, error)
	// Policy returns the policy in force.
	Policy func(context.Context) (*policy.Set, error)
	// Ledger says which pairs of a VPC with others are managed.
	Ledger ledger.Ledger
	// Looks asks for looks.
	Looks look.Asker
	// Brake is asked before something is taken away.
	Brake brake.Asker
	// Now is the clock.
	Now func() time.Time
}

// results are the ends that an answer alone decides.
var results = map[workflow.Answer]workflow.Result{workflow.AnswerAnnounce: workflow.Announced, workflow.AnswerRejected: workflow.Rejected, workflow.AnswerNothing: workflow.Nothing,
	workflow.AnswerRemoved: workflow.Removed, workflow.AnswerReleased: workflow.Released}

// fresh is how long after a call EC2 may not yet show the attachment that its own event speaks of.
const fresh = time.Minute

// unit is one VPC, with what was read of it, on one gateway.
type unit struct {
	event.Place
	vpc     string
	gateway string
}

// Inspect reads the event, the VPC in its own account, the gateway and the attachment in its owner's, asks the policy, and
// answers. An event that concerns several gateways or VPCs becomes a look at each. It changes nothing. What the event is about, [Inspector.Find]
// found before.
func (i Inspector) Inspect(ctx context.Context, found Found) (workflow.InspectAttachmentOutput, error) {
	in, e, units := found.In, found.event, found.units
	out := begun(in)
	end := func(v Verdict) (workflow.InspectAttachmentOutput, error) {
		out.Answer, out.Reason, out.Said, out.Decision, out.Associate = v.Answer, v.Reason, v.Said, v.Decision, v.Associate
		out.Subnets, out.Propagate, out.Lacking = append(out.Subnets, v.Subnets...), append(out.Propagate, v.Propagate...), append(out.Lacking, v.Lacking...)
		out.Result = results[v.Answer]
		if out.Attachment.LetGo = v.Answer == workflow.AnswerReleased; v.Undone {
			out.Result = workflow.Removed // as of a peering: what was added is taken back
		}
		slog.InfoContext(ctx, "inspected", "vpc", out.VPC.ID, "gateway", out.Gateway.ID, "attachment", out.Attachment.ID, "answer", v.Answer, "reason", v.Reason, "policy", v.Decision.Policy)
		return out, nil
	}
	if len(units) == 0 {
		return end(Verdict{Answer: workflow.AnswerNothing, Reason: found.why})
	}
	if len(units) > 1 {
		var looks []event.AttachmentInspection
		for _, u := range units {
			looks = append(looks, event.AttachmentInspection{Account: u.Account, Region: u.Region, TransitGatewayID: u.gateway, VPC: u.vpc, Reason: e.Name})
		}
		if err := look.Ask(ctx, i.Looks, looks...); err != nil {
			return out, err
		}
		out.Announced = len(looks)
		return end(Verdict{Answer: workflow.AnswerAnnounce, Reason: fmt.Sprintf("%s concerns %d attachments", e.Name, len(looks))})
	}
	v, err := i.one(ctx, in.Execution, units[0], e.Name == requests, &out)
	if held := i.unread(ctx, units[0], err); held != nil {
		return out, held
	}
	if errors.Is(err, notebook.ErrUnread) { // the next look knows more of them
		return end(Verdict{Answer: workflow.AnswerWait, Reason: err.Error()})
	}
	if err != nil {
		return out, err
	}
	return end(v)
}
