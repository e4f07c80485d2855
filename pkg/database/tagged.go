package database

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	serverlesstypes "github.com/aws/aws-sdk-go-v2/service/redshiftserverless/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Serverless is what [Read] needs of Redshift Serverless.
type Serverless interface {
	ListWorkgroups(context.Context, *redshiftserverless.ListWorkgroupsInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.ListWorkgroupsOutput, error)
	ListTagsForResource(context.Context, *redshiftserverless.ListTagsForResourceInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.ListTagsForResourceOutput, error)
}

// Tagged is what [Read] needs of the tagging API.
type Tagged interface {
	GetResources(context.Context, *resourcegroupstaggingapi.GetResourcesInput, ...func(*resourcegroupstaggingapi.Options)) (*resourcegroupstaggingapi.GetResourcesOutput, error)
}

// index is what carries the tag drawbridge:share in an account and Region, by ARN. It says where to look: AWS keeps it a little behind the
// services, so the tags by which something is opened are the service's own.
type index map[string]map[string]string

// readIndex reads the index: one call, if less than 100 things are tagged.
// https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
func readIndex(ctx context.Context, api Tagged) (index, error) {
	out := index{}
	pages := resourcegroupstaggingapi.NewGetResourcesPaginator(api, &resourcegroupstaggingapi.GetResourcesInput{
		ResourcesPerPage: aws.Int32(100), TagFilters: []types.TagFilter{{Key: aws.String(tag.Share)}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("finding what is tagged %s: %w", tag.Share, err)
		}
		for _, r := range page.ResourceTagMappingList {
			tags := map[string]string{}
			for _, t := range r.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			// Its value means on any kind what it means on an instance.
			out[aws.ToString(r.ResourceARN)] = tag.Clean(tag.DBInstance, tags)
		}
	}
	return out, nil
}

// some reports whether something of a kind is tagged.
func (x index) some(kind tag.Kind) bool {
	for name := range x {
		if OfARN(name).Tag == kind {
			return true
		}
	}
	return false
}

// unserved returns what is tagged and of a kind that is not served.
func (x index) unserved() []Database {
	var out []Database
	for name, tags := range x {
		if k := OfARN(name); k.Tag == "" {
			parts := strings.SplitN(name, ":", 6)
			out = append(out, Database{ID: parts[len(parts)-1], ARN: name, Engine: k.Service, Tags: tags, Why: k.Why()})
		}
	}
	return out
}

// proxyPorts are those at which proxies listen, by the family of their engine. Nobody can choose another.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connecting.html
var proxyPorts = map[string]int{"MYSQL": 3306, "POSTGRESQL": 5432, "SQLSERVER": 1433}

// proxyEngines are RDS's names of what speaks as a proxy does.
var proxyEngines = map[string]string{"MYSQL": "mysql", "POSTGRESQL": "postgres", "SQLSERVER": "sqlserver"}

// readProxies returns the proxies in a VPC that are tagged, and the endpoints there that were added to one. They have security groups and subnets of their own; to
// their databases they come from within the proxy's VPC.
func readProxies(ctx context.Context, rdsapi RDS, tagged index, vpc string, unread *[]Database) ([]Database, error) {
	if !tagged.some(tag.DBProxy) {
		return nil, nil
	}
	var all, out []Database
	pages := rds.NewDescribeDBProxiesPaginator(rdsapi, &rds.DescribeDBProxiesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the proxies for %s: %w", vpc, err)
		}
		for _, p := range page.DBProxies {
			d := proxy(p)
			if _, known := tagged[d.ARN]; !known || d.Status == "deleting" {
				continue
			}
			if all = append(all, d); aws.ToString(p.VpcId) == vpc {
				out = append(out, d)
			}
		}
	}
	endpoints, err := readProxyEndpoints(ctx, rdsapi, all, vpc)
	if err != nil {
		return nil, err
	}
	out = append(out, endpoints...)
	held, closed := map[string]map[string]string{}, map[string]error{} // tags by proxy, and those whose tags cannot be read
	var known []Database
	for _, d := range out {
		if held[d.ARN] == nil && closed[d.ARN] == nil {
			held[d.ARN], closed[d.ARN] = readTags(ctx, rdsapi, d)
		}
		if err := closed[d.ARN]; err == nil {
			d.Tags = held[d.ARN]
			known = append(known, d)
		} else if d.Tags = tagged[d.ARN]; !note(unread, d, err) {
			return nil, err
		}
	}
	return known, nil
}

// readProxyEndpoints returns the endpoints in a VPC that were added to proxies, which may be in other VPCs of the account. Each answers at its proxy's port.
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-endpoints.html
func readProxyEndpoints(ctx context.Context, rdsapi RDS, proxies []Database, vpc string) ([]Database, error) {
	if len(proxies) == 0 {
		return nil, nil
	}
	var out []Database
	pages := rds.NewDescribeDBProxyEndpointsPaginator(rdsapi, &rds.DescribeDBProxyEndpointsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the endpoints of proxies for %s: %w", vpc, err)
		}
		for _, e := range page.DBProxyEndpoints {
			n := slices.IndexFunc(proxies, func(p Database) bool { return p.ID == aws.ToString(e.DBProxyName) })
			if n < 0 || aws.ToBool(e.IsDefault) || aws.ToString(e.VpcId) != vpc || e.Status == rdstypes.DBProxyEndpointStatusDeleting {
				continue
			}
			d := proxies[n]
			d.ID += "/" + aws.ToString(e.DBProxyEndpointName)
			d.Status, d.Network = string(e.Status), families(string(e.EndpointNetworkType))
			d.Groups, d.Subnets = slices.Sorted(slices.Values(e.VpcSecurityGroupIds)), slices.Sorted(slices.Values(e.VpcSubnetIds))
			out = append(out, d)
		}
	}
	return out, nil
}

func proxy(p rdstypes.DBProxy) Database {
	family := aws.ToString(p.EngineFamily)
	return Database{Public: network.No, ID: aws.ToString(p.DBProxyName), ARN: aws.ToString(p.DBProxyArn), Engine: proxyEngines[family], Port: proxyPorts[family], Status: string(p.Status),
		Groups: slices.Sorted(slices.Values(p.VpcSecurityGroupIds)), Subnets: slices.Sorted(slices.Values(p.VpcSubnetIds)), Network: families(string(p.EndpointNetworkType))}
}

// readTags reads the tags of a proxy.
func readTags(ctx context.Context, rdsapi RDS, d Database) (map[string]string, error) {
	got, err := rdsapi.ListTagsForResource(ctx, &rds.ListTagsForResourceInput{ResourceName: &d.ARN})
	if err != nil {
		return nil, fmt.Errorf("reading the tags of the proxy %s: %w", d.ID, err)
	}
	return tags(tag.DBProxy, got.TagList), nil
}

// readWorkgroups returns the workgroups in a VPC that are tagged. One names its subnets; its VPC only once it has an endpoint.
func readWorkgroups(ctx context.Context, api Serverless, tagged index, vpc string, subnets []string, unread *[]Database) ([]Database, error) {
	if !tagged.some(tag.Workgroup) {
		return nil, nil
	}
	var out []Database
	pages := redshiftserverless.NewListWorkgroupsPaginator(api, &redshiftserverless.ListWorkgroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the workgroups of Redshift Serverless for %s: %w", vpc, err)
		}
		for _, w := range page.Workgroups {
			d := workgroup(w)
			if _, known := tagged[d.ARN]; !known || !within(w, vpc, subnets) || d.Status == string(serverlesstypes.WorkgroupStatusDeleting) {
				continue
			}
			got, err := api.ListTagsForResource(ctx, &redshiftserverless.ListTagsForResourceInput{ResourceArn: &d.ARN})
			if err != nil {
				err = fmt.Errorf("reading the tags of the workgroup %s: %w", d.ID, err)
				if d.Tags = tagged[d.ARN]; !note(unread, d, err) {
					return nil, err
				}
				continue
			}
			held := map[string]string{}
			for _, t := range got.Tags {
				held[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			d.Tags = tag.Clean(tag.Workgroup, held)
			out = append(out, d)
		}
	}
	return out, nil
}

func workgroup(w serverlesstypes.Workgroup) Database {
	d := Database{ID: aws.ToString(w.WorkgroupName), ARN: aws.ToString(w.WorkgroupArn), Engine: "redshift", Port: int(aws.ToInt32(w.Port)), Status: string(w.Status),
		Groups: slices.Sorted(slices.Values(w.SecurityGroupIds)), Subnets: slices.Sorted(slices.Values(w.SubnetIds)), Network: families(aws.ToString(w.IpAddressType))}
	d.Public = accessible(w.PubliclyAccessible)
	if d.Port == 0 && w.Endpoint != nil {
		d.Port = int(aws.ToInt32(w.Endpoint.Port))
	}
	return d
}

func within(w serverlesstypes.Workgroup, vpc string, subnets []string) bool {
	if w.Endpoint != nil && slices.ContainsFunc(w.Endpoint.VpcEndpoints, func(e serverlesstypes.VpcEndpoint) bool { return aws.ToString(e.VpcId) == vpc }) {
		return true
	}
	return slices.ContainsFunc(w.SubnetIds, func(id string) bool { return slices.Contains(subnets, id) })
}
