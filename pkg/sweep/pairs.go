package sweep

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// PairReader is what [Pairs] needs of EC2.
type PairReader interface {
	DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error)
}

// Pairs finds managed pairs of VPCs on transit gateways of which the VPC in the place is not attached any more, or neither attachment is
// managed. A look at one is an execution of drawbridge-transit. Of the others, a look at the attachment asks for one at each pair.
type Pairs struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter  func(execution string, place event.Place) PairReader
	Ledger ledger.Ledger
}

// Kind implements [Finder].
func (Pairs) Kind() string { return "pairs" }

// Find implements [Finder], with what the ledger has of the place and, if that has pairs, one DescribeTransitGatewayVpcAttachments for 100
// VPCs.
func (p Pairs) Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error) {
	all, err := p.Ledger.Connections(ctx, at.Account, at.Region)
	pairs := slices.DeleteFunc(slices.Clone(all), func(c ledger.Connection) bool { return c.Kind != road.Transit })
	if err != nil || len(pairs) == 0 {
		return len(pairs), err
	}
	var vpcs []string
	for _, c := range pairs {
		for _, s := range c.Sides {
			if s.Account == at.Account && s.Region == at.Region {
				vpcs = append(vpcs, s.ID)
			}
		}
	}
	managed, err := p.managed(ctx, at, all, pairs)
	if err != nil {
		return len(pairs), err
	}
	slices.Sort(vpcs)
	attached := map[[2]string]bool{} // gateway, VPC
	for some := range slices.Chunk(slices.Compact(vpcs), pageSize) {
		pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(p.Enter(execution, at), &ec2.DescribeTransitGatewayVpcAttachmentsInput{
			Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: some}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return len(pairs), fmt.Errorf("reading the attachments of VPCs of managed pairs: %w", err)
			}
			for _, a := range page.TransitGatewayVpcAttachments {
				if attachment.Live(workflow.Attachment{State: string(a.State)}) {
					attached[[2]string{aws.ToString(a.TransitGatewayId), aws.ToString(a.VpcId)}] = true
				}
			}
		}
	}
	return len(pairs), ask(ctx, Lost(at, pairs, attached, managed)...)
}

// managed returns a gateway and a VPC for each attachment that the ledger has: of this place, and where that has none of a pair's, of the other VPC's.
func (p Pairs) managed(ctx context.Context, at event.Place, here, pairs []ledger.Connection) (map[[2]string]bool, error) {
	out, read := map[[2]string]bool{}, map[event.Place]bool{at: true}
	add := func(entries []ledger.Connection) {
		for _, c := range entries {
			if c.Kind == road.Attachment && len(c.Sides) == 2 {
				out[[2]string{c.Sides[1].ID, c.Sides[0].ID}] = true
			}
		}
	}
	add(here)
	for _, c := range pairs {
		gateway := workflow.TargetOf(c.ID)
		if slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return out[[2]string{gateway, s.ID}] }) {
			continue
		}
		for _, s := range c.Sides {
			there := event.Place{Account: s.Account, Region: s.Region}
			if read[there] {
				continue
			}
			read[there] = true
			entries, err := p.Ledger.Connections(ctx, s.Account, s.Region)
			if err != nil {
				return nil, err
			}
			add(entries)
		}
	}
	return out, nil
}
