package sweep

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// AttachmentReader is what [Attachments] needs of EC2.
type AttachmentReader interface {
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
}

// Attachments finds VPCs that ask for a transit gateway, and VPCs of the account that are attached to one, or were. A look
// at one is an execution of drawbridge-attachment; if that ends Attached or Removed, it asks for a look at each pair of the
// VPC with another.
type Attachments struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) AttachmentReader
}

// Kind implements [Finder].
func (Attachments) Kind() string { return "attachments" }

// Find implements [Finder]: one DescribeVpcs for 100 tagged VPCs and one DescribeTransitGatewayAttachments for 100
// attachments.
func (a Attachments) Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error) {
	api := a.Enter(execution, at)
	asking := map[string]bool{}
	vpcs := ec2.NewDescribeVpcsPaginator(api, &ec2.DescribeVpcsInput{MaxResults: aws.Int32(pageSize),
		Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{tag.Attach}}}})
	for vpcs.HasMorePages() {
		page, err := vpcs.NextPage(ctx)
		if err != nil {
			return seen, fmt.Errorf("reading the VPCs that ask for a gateway: %w", err)
		}
		var looks []look.Look
		for _, v := range page.Vpcs {
			id := aws.ToString(v.VpcId)
			asking[id] = true
			looks = append(looks, event.AttachmentInspection{Account: at.Account, Region: at.Region, VPC: id, Reason: id + " asks for a gateway: is everything in place?"})
		}
		seen += len(page.Vpcs)
		if err := ask(ctx, looks...); err != nil {
			return seen, err
		}
	}
	attachments := ec2.NewDescribeTransitGatewayAttachmentsPaginator(api, &ec2.DescribeTransitGatewayAttachmentsInput{MaxResults: aws.Int32(pageSize),
		Filters: []types.Filter{{Name: aws.String("resource-type"), Values: []string{"vpc"}}, {Name: aws.String("resource-owner-id"), Values: []string{at.Account}}}})
	for attachments.HasMorePages() {
		page, err := attachments.NextPage(ctx)
		if err != nil {
			return seen, fmt.Errorf("reading the attachments of the account's VPCs: %w", err)
		}
		var looks []look.Look
		for _, t := range page.TransitGatewayAttachments {
			one := Attachment{ID: aws.ToString(t.TransitGatewayAttachmentId), State: string(t.State), Asked: asking[aws.ToString(t.ResourceId)], Tags: map[string]string{}}
			for _, tag := range t.Tags {
				one.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
			}
			if reason := Attached(one); reason != "" {
				looks = append(looks, event.AttachmentInspection{Account: at.Account, Region: at.Region,
					TransitGatewayID: aws.ToString(t.TransitGatewayId), VPC: aws.ToString(t.ResourceId), Reason: reason})
			}
		}
		seen += len(page.TransitGatewayAttachments)
		if err := ask(ctx, looks...); err != nil {
			return seen, err
		}
	}
	return seen, nil
}
