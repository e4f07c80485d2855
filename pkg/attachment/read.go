package attachment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// readOwners reads what the gateway's owner sees: its options, and the attachment's association, propagation and tags.
func readOwners(ctx context.Context, api EC2, u unit, q *Question, g *workflow.Gateway) error {
	own, err := gatewaysOf(ctx, api, filter("transit-gateway-id", u.gateway))
	if err != nil {
		return err
	}
	if len(own) > 0 {
		q.Owners.Gateway = tag.Clean(tag.Gateway, tag.OfEC2(own[0].Tags))
		g.Name = strings.TrimSpace(q.Owners.Gateway["Name"])
		if o := own[0].Options; o != nil {
			g.DNS = o.DnsSupport == types.DnsSupportValueEnable
			if o.DefaultRouteTableAssociation == types.DefaultRouteTableAssociationValueEnable {
				g.Association = aws.ToString(o.AssociationDefaultRouteTableId)
			}
			if o.DefaultRouteTablePropagation == types.DefaultRouteTablePropagationValueEnable {
				g.Propagation = aws.ToString(o.PropagationDefaultRouteTableId)
			}
		}
	}
	if q.Attachment.ID == "" {
		return nil
	}
	seen, err := attachments(ctx, api, filter("transit-gateway-attachment-id", q.Attachment.ID))
	if err != nil {
		return err
	}
	if len(seen) > 0 {
		q.Owners.Owner = tag.Clean(tag.Attachment, tag.OfEC2(seen[0].Tags))
		if a := seen[0].Association; a != nil && a.State != types.TransitGatewayAssociationStateDisassociated {
			q.Association, q.Associated = string(a.State), aws.ToString(a.TransitGatewayRouteTableId)
		}
	}
	if q.Attachment.State != "available" || q.Attachment.Table != "" {
		return nil
	}
	if q.Propagated, err = propagated(ctx, api, q.Attachment.ID); err != nil {
		return err
	}
	if q.Association == "" && g.Association == "" || len(q.Propagated) == 0 && g.Propagation == "" {
		q.Tables, err = tables(ctx, api, u.gateway)
	}
	return err
}

func readVPC(ctx context.Context, api EC2, at event.Place, id string) (vpc workflow.VPC, tags map[string]string, found bool, err error) {
	vpc = workflow.VPC{Account: at.Account, Region: at.Region, ID: id}
	got, err := api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []types.Filter{filter("vpc-id", id)}})
	if err != nil {
		return vpc, nil, false, fmt.Errorf("reading %s in %s, %s: %w", id, at.Account, at.Region, err)
	}
	if len(got.Vpcs) == 0 {
		return vpc, nil, false, nil
	}
	vpc.CIDRs = route.CIDRs(got.Vpcs[0])
	return vpc, tag.Clean(tag.VPC, tag.OfEC2(got.Vpcs[0].Tags)), true, nil
}

// readAttachment returns the attachment of a VPC to a gateway, as the VPC's account has it: a live one if there is one,
// else the newest of those that are shown still; its tags there; and the ids of those that Drawbridge made and AWS failed. made is what the
// ledger says of those that Drawbridge made: the tag alone makes none its own.
func readAttachment(ctx context.Context, api EC2, u unit, made *ledger.Item) (one workflow.Attachment, tags map[string]string, failed []string, err error) {
	var best *types.TransitGatewayVpcAttachment
	pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(api, &ec2.DescribeTransitGatewayVpcAttachmentsInput{
		Filters: []types.Filter{filter("vpc-id", u.vpc), filter("transit-gateway-id", u.gateway)}})
	live := func(a types.TransitGatewayVpcAttachment) bool {
		return Live(workflow.Attachment{State: string(a.State)})
	}
	own := func(a types.TransitGatewayVpcAttachment) bool {
		tagged := tag.OfEC2(a.Tags)[TagConnection] == Unit(u.gateway, u.vpc)
		return tagged && made != nil && (made.State == ledger.Intended || made.Left == aws.ToString(a.TransitGatewayAttachmentId))
	}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return one, nil, nil, fmt.Errorf("reading the attachment of %s to %s in %s, %s: %w", u.vpc, u.gateway, u.Account, u.Region, err)
		}
		for _, a := range page.TransitGatewayVpcAttachments {
			newer := best != nil && aws.ToTime(a.CreationTime).After(aws.ToTime(best.CreationTime))
			if best == nil || live(a) && !live(*best) || live(a) == live(*best) && newer {
				best = &a
			}
			if a.State == types.TransitGatewayAttachmentStateFailed && own(a) {
				failed = append(failed, aws.ToString(a.TransitGatewayAttachmentId))
			}
		}
	}
	if best == nil {
		return one, nil, nil, nil
	}
	slices.Sort(failed)
	return workflow.Attachment{ID: aws.ToString(best.TransitGatewayAttachmentId), State: string(best.State), Subnets: slices.Sorted(slices.Values(best.SubnetIds)),
		DNS: best.Options == nil || best.Options.DnsSupport != types.DnsSupportValueDisable, Own: own(*best)}, tag.Clean(tag.Attachment, tag.OfEC2(best.Tags)), failed, nil
}

func gatewaysOf(ctx context.Context, api interface {
	DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error)
}, filters ...types.Filter) ([]types.TransitGateway, error) {
	var out []types.TransitGateway
	pages := ec2.NewDescribeTransitGatewaysPaginator(api, &ec2.DescribeTransitGatewaysInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading transit gateways: %w", err)
		}
		for _, g := range page.TransitGateways {
			if g.State != types.TransitGatewayStateDeleted && g.State != types.TransitGatewayStateDeleting {
				out = append(out, g)
			}
		}
	}
	return out, nil
}

func attachments(ctx context.Context, api interface {
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
}, filters ...types.Filter) ([]types.TransitGatewayAttachment, error) {
	var out []types.TransitGatewayAttachment
	pages := ec2.NewDescribeTransitGatewayAttachmentsPaginator(api, &ec2.DescribeTransitGatewayAttachmentsInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading transit gateway attachments: %w", err)
		}
		out = append(out, page.TransitGatewayAttachments...)
	}
	return out, nil
}

func propagated(ctx context.Context, api interface {
	GetTransitGatewayAttachmentPropagations(context.Context, *ec2.GetTransitGatewayAttachmentPropagationsInput, ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error)
}, attachment string) ([]string, error) {
	var out []string
	pages := ec2.NewGetTransitGatewayAttachmentPropagationsPaginator(api, &ec2.GetTransitGatewayAttachmentPropagationsInput{TransitGatewayAttachmentId: &attachment})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the propagations of %s: %w", attachment, err)
		}
		for _, p := range page.TransitGatewayAttachmentPropagations {
			if p.State == types.TransitGatewayPropagationStateEnabled || p.State == types.TransitGatewayPropagationStateEnabling {
				out = append(out, aws.ToString(p.TransitGatewayRouteTableId))
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

func tables(ctx context.Context, api EC2, gateway string) ([]Table, error) {
	var out []Table
	pages := ec2.NewDescribeTransitGatewayRouteTablesPaginator(api, &ec2.DescribeTransitGatewayRouteTablesInput{Filters: []types.Filter{filter("transit-gateway-id", gateway)}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the route tables of %s: %w", gateway, err)
		}
		for _, t := range page.TransitGatewayRouteTables {
			if t.State == types.TransitGatewayRouteTableStateAvailable {
				out = append(out, Table{ID: aws.ToString(t.TransitGatewayRouteTableId), Tags: tag.OfEC2(t.Tags)})
			}
		}
	}
	slices.SortFunc(out, func(a, b Table) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}
