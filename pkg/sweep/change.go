package sweep

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// ChangeEC2 is what [Changes] needs of EC2.
type ChangeEC2 interface {
	EC2
	DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error)
	DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error)
}

// Changes finds the connections that a change of a VPC or a database concerns: peerings, and attachments to transit
// gateways. A look at an attachment is an execution of drawbridge-attachment, which gives the VPC what it needs there and
// asks for a look at each of its pairs in turn.
type Changes struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) ChangeEC2
	// Ask asks for the looks.
	Ask Ask
}

// Concerned asks for a look at every pending or active peering, and every attachment, that the event of a change concerns.
func (c Changes) Concerned(ctx context.Context, in workflow.FindConnectionsInput) (workflow.FindConnectionsOutput, error) {
	e, err := event.Parse(in.Event)
	if err != nil {
		return workflow.FindConnectionsOutput{}, err
	}
	tagged := Tagged(e)
	nothing := func(why string) (workflow.FindConnectionsOutput, error) {
		return workflow.FindConnectionsOutput{Result: workflow.Nothing, Reason: why, Tagged: tagged}, nil
	}
	if e.Kind != event.Change && e.Kind != event.Routes {
		if e.Why == "" {
			e.Why = fmt.Sprintf("an event about a %s is not for this machine", e.Kind)
		}
		return nothing(e.Why)
	}
	api, vpc := c.Enter(in.Execution, e.Place), e.VPC
	if e.Kind == event.Routes {
		got, err := api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{e.RouteTableID}})
		if fault.HasCode(err, "InvalidRouteTableID.NotFound") || err == nil && len(got.RouteTables) == 0 {
			return nothing(e.RouteTableID + " does not exist any more")
		}
		if err != nil {
			return workflow.FindConnectionsOutput{}, fmt.Errorf("reading %s in %s, %s: %w", e.RouteTableID, e.Account, e.Region, err)
		}
		vpc = aws.ToString(got.RouteTables[0].VpcId)
	}
	why := func(p Peering) string {
		if Concerned(p, e.Place, vpc) {
			return e.Name
		}
		return ""
	}
	_, peerings, err := each(ctx, api, e.Place, []string{"pending-acceptance", "active"}, why, c.Ask)
	if err != nil {
		return workflow.FindConnectionsOutput{}, err
	}
	attachments, err := c.attachments(ctx, api, e, vpc)
	if err != nil {
		return workflow.FindConnectionsOutput{}, err
	}
	if peerings+attachments == 0 {
		return nothing(fmt.Sprintf("no peering and no attachment in %s, %s is concerned", e.Account, e.Region))
	}
	return workflow.FindConnectionsOutput{Result: workflow.Announced, Announced: peerings + attachments, Tagged: tagged,
		Reason: fmt.Sprintf("%s concerns %d peerings and %d attachments", e.Name, peerings, attachments)}, nil
}

// attachments asks for a look at the attachments of a VPC, or of every VPC of the place. One that is over is none; one that
// waits for the gateway's owner is looked at when they answer.
func (c Changes) attachments(ctx context.Context, api ChangeEC2, e event.Event, vpc string) (announced int, err error) {
	in := &ec2.DescribeTransitGatewayVpcAttachmentsInput{MaxResults: aws.Int32(pageSize), Filters: []types.Filter{
		{Name: aws.String("state"), Values: []string{"available", "modifying", "pending"}}}}
	if vpc != "" {
		in.Filters = append(in.Filters, types.Filter{Name: aws.String("vpc-id"), Values: []string{vpc}})
	}
	pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(api, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return announced, fmt.Errorf("reading the attachments of %s, %s: %w", e.Account, e.Region, err)
		}
		var looks []look.Look
		for _, a := range page.TransitGatewayVpcAttachments {
			id := aws.ToString(a.VpcId)
			if owner := aws.ToString(a.VpcOwnerId); owner != "" && owner != e.Account {
				continue // the gateway's owner sees other accounts' attachments too
			}
			looks = append(looks, event.AttachmentInspection{Account: e.Account, Region: e.Region, TransitGatewayID: aws.ToString(a.TransitGatewayId), VPC: id, Reason: e.Name})
		}
		if err := c.Ask(ctx, looks...); err != nil {
			return announced, err
		}
		announced += len(looks)
	}
	return announced, nil
}
