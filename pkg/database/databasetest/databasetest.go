// Package databasetest has what tests need of the services of databases, of which their world has nothing.
package databasetest

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
)

// None is an account without proxies and managed endpoints, for a fake of RDS or Redshift to embed.
type None struct{}

// DescribeDBProxyEndpoints returns none.
func (None) DescribeDBProxyEndpoints(context.Context, *rds.DescribeDBProxyEndpointsInput, ...func(*rds.Options)) (*rds.DescribeDBProxyEndpointsOutput, error) {
	return &rds.DescribeDBProxyEndpointsOutput{}, nil
}

// DescribeOptionGroups returns none.
func (None) DescribeOptionGroups(context.Context, *rds.DescribeOptionGroupsInput, ...func(*rds.Options)) (*rds.DescribeOptionGroupsOutput, error) {
	return &rds.DescribeOptionGroupsOutput{}, nil
}

// DescribeDBProxies returns none.
func (None) DescribeDBProxies(context.Context, *rds.DescribeDBProxiesInput, ...func(*rds.Options)) (*rds.DescribeDBProxiesOutput, error) {
	return &rds.DescribeDBProxiesOutput{}, nil
}

// ListTagsForResource returns none.
func (None) ListTagsForResource(context.Context, *rds.ListTagsForResourceInput, ...func(*rds.Options)) (*rds.ListTagsForResourceOutput, error) {
	return &rds.ListTagsForResourceOutput{}, nil
}

// DescribeEndpointAccess returns none.
func (None) DescribeEndpointAccess(context.Context, *redshift.DescribeEndpointAccessInput, ...func(*redshift.Options)) (*redshift.DescribeEndpointAccessOutput, error) {
	return &redshift.DescribeEndpointAccessOutput{}, nil
}

// Nothing is an account without Redshift Serverless, of whose things the tagging API knows none.
type Nothing struct{}

// ListWorkgroups returns none.
func (Nothing) ListWorkgroups(context.Context, *redshiftserverless.ListWorkgroupsInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.ListWorkgroupsOutput, error) {
	return &redshiftserverless.ListWorkgroupsOutput{}, nil
}

// ListTagsForResource returns none.
func (Nothing) ListTagsForResource(context.Context, *redshiftserverless.ListTagsForResourceInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.ListTagsForResourceOutput, error) {
	return &redshiftserverless.ListTagsForResourceOutput{}, nil
}

// GetResources returns none.
func (Nothing) GetResources(context.Context, *resourcegroupstaggingapi.GetResourcesInput, ...func(*resourcegroupstaggingapi.Options)) (*resourcegroupstaggingapi.GetResourcesOutput, error) {
	return &resourcegroupstaggingapi.GetResourcesOutput{}, nil
}
