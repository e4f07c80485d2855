package firewall

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Marked is a rule with the tags that Drawbridge sets on the rules that it adds.
type Marked struct {
	Tagged
	Peer string // account, Region and VPC, with slashes between
	Of   string // the VPC of the group that the rule refers to; empty if it refers to none
}

// ReadMarked returns all rules of a place that carry the tag of a connection. A tag is for people: who changed the rule since left it there.
func ReadMarked(ctx context.Context, ec2api RuleReader) ([]Marked, error) {
	var out []Marked
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(ec2api, &ec2.DescribeSecurityGroupRulesInput{MaxResults: aws.Int32(1000),
		Filters: []types.Filter{{Name: aws.String("tag:" + TagConnection), Values: []string{"*"}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the security group rules with the tag %s: %w", TagConnection, err)
		}
		for _, r := range page.SecurityGroupRules {
			one := Marked{Tagged: Tagged{ID: aws.ToString(r.SecurityGroupRuleId), Group: aws.ToString(r.GroupId), Egress: aws.ToBool(r.IsEgress), Rule: admitted(r)}}
			if r.ReferencedGroupInfo != nil {
				one.Of = aws.ToString(r.ReferencedGroupInfo.VpcId)
			}
			for _, t := range r.Tags {
				switch aws.ToString(t.Key) {
				case TagConnection:
					one.Connection = aws.ToString(t.Value)
				case TagPeer:
					one.Peer = aws.ToString(t.Value)
				}
			}
			out = append(out, one)
		}
	}
	return out, nil
}
