package sweep

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// RuleEC2 is what [Rules] needs of EC2.
type RuleEC2 interface {
	EC2
	firewall.RuleReader
	firewall.GroupReader
	DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error)
}

// Rules finds security group rules of connections that AWS shows no more: a peering is forgotten two hours after its end in
// the account that deleted it and two days after it in the other, an attachment after two hours in both, and their tags with
// them; and of peerings that are over without a tag of Drawbridge's. A look at one is an execution of drawbridge-peering or
// drawbridge-transit.
type Rules struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) RuleEC2
}

// Kind implements [Finder].
func (Rules) Kind() string { return "rules" }

// Find implements [Finder]: one DescribeSecurityGroupRules for 100 rules with Drawbridge's tag; for each page that has some,
// one DescribeVpcPeeringConnections for the peerings that they name, and one DescribeSecurityGroups and one
// DescribeTransitGatewayVpcAttachments for the pairs on gateways.
func (r Rules) Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error) {
	api, asked := r.Enter(execution, at), map[string]bool{}
	err = firewall.EachTagged(ctx, api, func(page []firewall.Tagged) error {
		seen += len(page)
		peerings, err := forgottenPeerings(ctx, api, at, page)
		if err != nil {
			return err
		}
		pairs, err := forgottenPairs(ctx, api, at, page)
		if err != nil {
			return err
		}
		maps.Copy(peerings, pairs)
		var looks []look.Look
		for _, id := range slices.Sorted(maps.Keys(peerings)) {
			if !asked[id] {
				asked[id], looks = true, append(looks, peerings[id])
			}
		}
		return ask(ctx, looks...)
	})
	if err != nil {
		return seen, fmt.Errorf("reading what security group rules are for: %w", err)
	}
	return seen, nil
}

// forgottenPeerings returns a look at each peering that rules name and the place does not show, or shows as [Untold].
func forgottenPeerings(ctx context.Context, api RuleEC2, at event.Place, rules []firewall.Tagged) (map[string]look.Look, error) {
	out := map[string]look.Look{}
	for _, r := range rules {
		if event.IsPeering(r.Connection) {
			out[r.Connection] = event.Inspection{Account: at.Account, Region: at.Region, PeeringID: r.Connection,
				Reason: "rules are left of a peering that is over"}
		}
	}
	if len(out) == 0 {
		return out, nil
	}
	pages := ec2.NewDescribeVpcPeeringConnectionsPaginator(api, &ec2.DescribeVpcPeeringConnectionsInput{
		Filters: []types.Filter{{Name: aws.String("vpc-peering-connection-id"), Values: slices.Sorted(maps.Keys(out))}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range page.VpcPeeringConnections {
			if p := convert(c); !Untold(p) {
				delete(out, p.ID)
			}
		}
	}
	return out, nil
}

// forgottenPairs returns a look at each pair on a gateway that rules name, of a VPC that the place does not show as attached
// to that gateway, nor as one that was.
func forgottenPairs(ctx context.Context, api RuleEC2, at event.Place, rules []firewall.Tagged) (map[string]look.Look, error) {
	rules = slices.DeleteFunc(slices.Clone(rules), func(r firewall.Tagged) bool { return !strings.HasPrefix(r.Connection, "tgw-") || r.Peer.VPC == "" })
	if len(rules) == 0 {
		return nil, nil
	}
	vpcs, err := firewall.VPCs(ctx, api, rules)
	if err != nil || len(vpcs) == 0 {
		return nil, err
	}
	attached := map[[2]string]bool{} // gateway, VPC
	pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(api, &ec2.DescribeTransitGatewayVpcAttachmentsInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: slices.Compact(slices.Sorted(maps.Values(vpcs)))}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.TransitGatewayVpcAttachments {
			attached[[2]string{aws.ToString(a.TransitGatewayId), aws.ToString(a.VpcId)}] = true
		}
	}
	return Lost(at, rules, vpcs, attached), nil
}
