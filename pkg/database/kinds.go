package database

import (
	"cmp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Kind is a kind of database, or of what people may take for one. The permissions to read, the services whose records are heard and the words
// for what is not served follow from the table of them, and a test compares it with the tags.
type Kind struct {
	Name     string   // as people call it
	Tag      tag.Kind // under which its tags are known; empty: it is not served
	Service  string   // of its ARN; of one that is served as package tag says
	Resource string   // how its ARN goes on after the account; the same
	Engine   string   // in place of an ARN of its own: RDS's engine, which is also what its endpoints are called by
	Reads    []Right  // what it is read with
	Remedy   string   // what to do instead, where it is not served; empty: it is served
}

// Right is an action of IAM's that a kind is read with.
type Right struct {
	Action string
	On     []string // how the ARNs that IAM asks about go on after the account; none: the action knows no resource
}

// Index is the action by which it is found what carries a tag.
const Index = "tag:GetResources"

// Kinds are all there are. Endpoints of a cluster, whoever made them, are answered by its instances: they have its groups and its port.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var Kinds = named([]Kind{
	{Name: "RDS instance", Tag: tag.DBInstance, Reads: []Right{{"rds:DescribeDBInstances", []string{"db:*"}}, {"rds:DescribeOptionGroups", []string{"og:*"}}}},
	{Name: "Aurora or Multi-AZ cluster", Tag: tag.DBCluster,
		Reads: []Right{{"rds:DescribeDBClusters", []string{"cluster:*"}}, {"rds:DescribeDBSubnetGroups", []string{"subgrp:*"}}}},
	{Name: "RDS Proxy", Tag: tag.DBProxy,
		Reads: []Right{{"rds:DescribeDBProxies", []string{"db-proxy:*"}}, {"rds:DescribeDBProxyEndpoints", []string{"db-proxy:*", "db-proxy-endpoint:*"}}, {"rds:ListTagsForResource", []string{"db-proxy:*"}}}},
	{Name: "Redshift cluster", Tag: tag.RedshiftCluster,
		Reads: []Right{{"redshift:DescribeClusters", nil}, {"redshift:DescribeClusterSubnetGroups", nil}, {"redshift:DescribeEndpointAccess", nil}}},
	{Name: "Redshift Serverless workgroup", Tag: tag.Workgroup,
		Reads: []Right{{"redshift-serverless:ListWorkgroups", nil}, {"redshift-serverless:ListTagsForResource", []string{"workgroup/*"}}}},

	// RDS describes these as its own. One without a remedy is served, as an instance or a cluster of RDS.
	{Name: "DocumentDB", Engine: "docdb", Remedy: connectIt},
	{Name: "Neptune", Engine: "neptune", Remedy: connectIt},

	{Name: "endpoint of an RDS Proxy", Service: "rds", Resource: "db-proxy-endpoint:", Remedy: "tag the proxy, whose tag counts for its endpoints"},
	{Name: "endpoint of an Aurora cluster", Service: "rds", Resource: "cluster-endpoint:", Remedy: "tag the cluster, which has the same security groups"},
	{Name: "namespace of Redshift Serverless", Service: "redshift-serverless", Resource: "namespace/", Remedy: "tag its workgroup"},
	{Name: "ElastiCache", Service: "elasticache", Remedy: connectIt},
	{Name: "MemoryDB", Service: "memorydb", Remedy: connectIt},
	{Name: "OpenSearch", Service: "es", Remedy: connectIt},
	{Name: "DMS", Service: "dms", Remedy: connectIt},
	{Name: "Timestream for InfluxDB", Service: "timestream-influxdb", Remedy: connectIt},
	{Name: "Aurora DSQL", Service: "dsql", Remedy: "it is reached by an endpoint of AWS PrivateLink, without a connection of networks"},
	{Name: "Keyspaces", Service: "cassandra", Remedy: "it is reached by an endpoint of AWS PrivateLink, without a connection of networks"},
	{Name: "DynamoDB", Service: "dynamodb", Remedy: "it is opened by a policy of its own, without a connection of networks"},
})

// named fills in what package tag knows of the kinds that are served.
func named(kinds []Kind) []Kind {
	for n, k := range kinds {
		if k.Tag != "" {
			kinds[n].Service, kinds[n].Resource = k.Tag.Service(), k.Tag.Resource()
		}
	}
	return kinds
}

const connectIt = "its owner opens its security group by hand; the routes of a connection serve it too"

// Hosts are the words that stand in the endpoints of databases, beside the Region: sales.cluster-abc.eu-west-1.rds.amazonaws.com, in China
// sales.cluster-abc.rds.cn-north-1.amazonaws.com.cn. Engines that are not served are among them: the way to one
// can be judged all the same.
func Hosts() []string {
	out := Services()
	for _, k := range Kinds {
		if k.Engine != "" {
			out = append(out, k.Engine)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Served returns the kinds that are served and have tags of their own, and Services theirs, each once.
func Served() []Kind {
	return slices.DeleteFunc(slices.Clone(Kinds), func(k Kind) bool { return k.Tag == "" })
}

// Services returns the services of the kinds that are served, sorted.
func Services() []string {
	var out []string
	for _, k := range Served() {
		out = append(out, k.Service)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// OfEngine returns the kind that one of RDS's engines is of, if it is not served.
func OfEngine(engine string) (Kind, bool) {
	n := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Engine != "" && k.Engine == engine && k.Remedy != "" })
	if n < 0 {
		return Kind{}, false
	}
	return Kinds[n], true
}

// OfARN returns the kind of what has an ARN. What is of no kind in the table is one that is not served.
func OfARN(name string) Kind {
	for _, k := range Kinds {
		if k.Service == "" {
			continue
		}
		if _, _, ok := arn.Match(name, k.Service, k.Resource); ok {
			return k
		}
	}
	service := ""
	if parts := strings.SplitN(name, ":", 4); len(parts) == 4 {
		service = parts[2]
	}
	return Kind{Name: "thing of " + cmp.Or(service, "an unknown service"), Service: service, Remedy: "take the tag off: it is no database"}
}

// Why says that a kind is not served, and what to do instead.
func (k Kind) Why() string { return k.Name + " is not served: " + k.Remedy }
