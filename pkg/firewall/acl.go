package firewall

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// ReadACLs returns the network ACLs of a VPC.
func ReadACLs(ctx context.Context, ec2api ACLReader, vpc string) ([]ACL, error) {
	var acls []ACL
	pages := ec2.NewDescribeNetworkAclsPaginator(ec2api, &ec2.DescribeNetworkAclsInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the network ACLs of %s: %w", vpc, err)
		}
		for _, a := range page.NetworkAcls {
			acls = append(acls, convertACL(a))
		}
	}
	return acls, nil
}
