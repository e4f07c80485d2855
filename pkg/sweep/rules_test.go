package sweep

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// ruins is a place with rules of connections; what AWS shows of these is a peering and an attachment. Calls are counted.
type ruins struct {
	RuleEC2
	rules [][]string // page by page, the connections that the rules name
	calls int
}

func (r *ruins) DescribeSecurityGroupRules(_ context.Context, in *ec2.DescribeSecurityGroupRulesInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	r.calls++
	page := 0
	fmt.Sscan(aws.ToString(in.NextToken), &page)
	out := &ec2.DescribeSecurityGroupRulesOutput{}
	if page >= len(r.rules) {
		return out, nil
	}
	for _, id := range r.rules[page] {
		out.SecurityGroupRules = append(out.SecurityGroupRules, ec2types.SecurityGroupRule{GroupId: aws.String("sg-1"), Tags: []ec2types.Tag{
			{Key: aws.String("drawbridge:connection"), Value: &id}, {Key: aws.String("drawbridge:peer"), Value: aws.String("222222222222/us-east-1/vpc-0000000b")}}})
	}
	if page+1 < len(r.rules) {
		out.NextToken = aws.String(fmt.Sprint(page + 1))
	}
	return out, nil
}

func (r *ruins) DescribeVpcPeeringConnections(_ context.Context, in *ec2.DescribeVpcPeeringConnectionsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	r.calls++
	return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: []ec2types.VpcPeeringConnection{
		{VpcPeeringConnectionId: aws.String("pcx-00000001"), Status: &ec2types.VpcPeeringConnectionStateReason{Code: "active"}},
		{VpcPeeringConnectionId: aws.String("pcx-0000aaaa"), Status: &ec2types.VpcPeeringConnectionStateReason{Code: "deleted"}},
		{VpcPeeringConnectionId: aws.String("pcx-00000002"), Status: &ec2types.VpcPeeringConnectionStateReason{Code: "deleted"},
			Tags: []ec2types.Tag{{Key: aws.String("drawbridge:status"), Value: aws.String("Connected")}}}}}, nil
}

func (r *ruins) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	r.calls++
	return &ec2.DescribeSecurityGroupsOutput{SecurityGroups: []ec2types.SecurityGroup{{GroupId: aws.String("sg-1"), VpcId: aws.String("vpc-0000000a")}}}, nil
}

func (r *ruins) DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error) {
	r.calls++
	return &ec2.DescribeTransitGatewayVpcAttachmentsOutput{TransitGatewayVpcAttachments: []ec2types.TransitGatewayVpcAttachment{
		{TransitGatewayId: aws.String("tgw-00000001"), VpcId: aws.String("vpc-0000000a")}}}, nil
}

func TestRulesTellOfConnectionsThatAWSHasForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		rules [][]string
		seen  int
		calls int
		want  string
	}{
		"no rule":                       {nil, 0, 1, "[]"},
		"of what is shown":              {[][]string{{"pcx-00000001", "tgw-00000001:vpc-0000000a:vpc-0000000b"}}, 2, 4, "[]"},
		"of what is not":                {[][]string{{"pcx-0000dead", "pcx-0000dead", "tgw-0000dead:vpc-0000000a:vpc-0000000b", "pcx-00000001"}}, 4, 4, "[pcx-0000dead tgw-0000dead]"},
		"of what is over":               {[][]string{{"pcx-0000aaaa", "pcx-00000002"}}, 2, 2, "[pcx-0000aaaa]"},
		"on two pages":                  {[][]string{{"pcx-0000dead"}, {"pcx-0000dead", "pcx-0000deed"}}, 3, 4, "[pcx-0000dead pcx-0000deed]"},
		"of an endpoint, not a peering": {[][]string{{"private-notebooks-vpc-0000000a"}}, 1, 1, "[]"},
		"of what no event may name":     {[][]string{{"pcx-$(reboot)", "tgw-1"}}, 2, 3, "[]"},
	} {
		r := &ruins{rules: c.rules}
		var got []string
		seen, err := Rules{Enter: func(string, event.Place) RuleEC2 { return r }}.Find(t.Context(), "x", alpha, func(_ context.Context, looks ...look.Look) error {
			for _, l := range looks {
				switch l := l.(type) {
				case event.Inspection:
					got = append(got, l.PeeringID)
				case event.TransitInspection:
					got = append(got, l.TransitGatewayID)
				}
			}
			return nil
		})
		if err != nil || seen != c.seen || r.calls != c.calls || fmt.Sprint(got) != c.want {
			t.Errorf("%s: saw %d with %d calls and asked for %v, %v; want %d, %d, %s", name, seen, r.calls, got, err, c.seen, c.calls, c.want)
		}
	}
}
