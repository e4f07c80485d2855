package database

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// RDS is what [Read] needs of RDS.
type RDS interface {
	DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
	DescribeDBSubnetGroups(context.Context, *rds.DescribeDBSubnetGroupsInput, ...func(*rds.Options)) (*rds.DescribeDBSubnetGroupsOutput, error)
	DescribeDBProxies(context.Context, *rds.DescribeDBProxiesInput, ...func(*rds.Options)) (*rds.DescribeDBProxiesOutput, error)
	DescribeDBProxyEndpoints(context.Context, *rds.DescribeDBProxyEndpointsInput, ...func(*rds.Options)) (*rds.DescribeDBProxyEndpointsOutput, error)
	DescribeOptionGroups(context.Context, *rds.DescribeOptionGroupsInput, ...func(*rds.Options)) (*rds.DescribeOptionGroupsOutput, error)
	ListTagsForResource(context.Context, *rds.ListTagsForResourceInput, ...func(*rds.Options)) (*rds.ListTagsForResourceOutput, error)
}

// Redshift is what [Read] needs of Redshift.
type Redshift interface {
	DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error)
	DescribeClusterSubnetGroups(context.Context, *redshift.DescribeClusterSubnetGroupsInput, ...func(*redshift.Options)) (*redshift.DescribeClusterSubnetGroupsOutput, error)
	DescribeEndpointAccess(context.Context, *redshift.DescribeEndpointAccessInput, ...func(*redshift.Options)) (*redshift.DescribeEndpointAccessOutput, error)
}

// APIs are the services that [Read] asks, for one account and Region.
type APIs struct {
	RDS        RDS
	Redshift   Redshift
	Serverless Serverless
	Tagged     Tagged
}

// In returns the services of an account and Region.
func In(c aws.Config) APIs {
	return APIs{RDS: rds.NewFromConfig(c), Redshift: redshift.NewFromConfig(c), Serverless: redshiftserverless.NewFromConfig(c), Tagged: resourcegroupstaggingapi.NewFromConfig(c)}
}

// Read returns the databases in a VPC, sorted; subnets are the VPC's, if they are known. A database that has no endpoint now is among them, see
// [Database.Answers]; one that is being deleted and has none is not.
//
// Where the Region does not have Redshift, or RDS, the error is one of [fault.Absent], and the databases are those of the
// other: none can be of the one that is absent, unless DNS is wrong. So nothing may be taken away because of it.
//
// What cannot be read of a single database keeps none of the others from being read: see [Found].Unread. What a retry may mend is an error.
//
// One call of the tagging API says what is tagged as a database, of whatever kind. What RDS and Redshift list with its tags is read always, as a
// policy may open it without the tag; a proxy or a workgroup only if one is tagged. A cluster is reached through its instances: clusters are read
// only if there is an instance of one, or one is tagged.
func Read(ctx context.Context, apis APIs, vpc string, subnets []string) (Found, error) {
	index, err := readIndex(ctx, apis.Tagged)
	if err != nil {
		return Found{}, err
	}
	found := Found{Unserved: index.unserved()}
	u := &found.Unread
	one, err := readRDS(ctx, apis.RDS, vpc, index.some(tag.DBCluster), u)
	if err != nil && !fault.Absent(err) {
		return Found{}, err
	}
	warehouses, none := readRedshift(ctx, apis.Redshift, vpc, u)
	if none != nil && !fault.Absent(none) {
		return Found{}, none
	}
	proxies, failed := readProxies(ctx, apis.RDS, index, vpc, u)
	if failed != nil {
		return Found{}, failed
	}
	workgroups, failed := readWorkgroups(ctx, apis.Serverless, index, vpc, subnets, u)
	if failed != nil {
		return Found{}, failed
	}
	for _, d := range slices.Concat(one, warehouses, proxies, workgroups) {
		if k, unserved := OfEngine(d.Engine); unserved {
			d.Why = k.Why()
			found.Unserved = append(found.Unserved, d)
		} else {
			found.Databases = append(found.Databases, d)
		}
	}
	sorted(found.Unserved)
	sorted(found.Unread)
	sorted(found.Databases)
	return found, cmp.Or(none, err)
}

// note keeps a database of which something could not be read, and why, and reports whether it did: if AWS refuses that, or does not have it. What a retry may mend
// fails the whole read, and so does an account that lets nobody in.
func note(unread *[]Database, d Database, err error) bool {
	if !fault.Single(err) || fault.Absent(err) {
		return false
	}
	d.Why = err.Error()
	*unread = append(*unread, d)
	return true
}

func readRDS(ctx context.Context, rdsapi RDS, vpc string, clustered bool, unread *[]Database) ([]Database, error) {
	var out []Database
	closed := map[string]error{}          // DB subnet groups that cannot be read, by name
	known := map[string]subnetGroup{}     // DB subnet groups by name
	public := map[string]network.Answer{} // whether an instance of a cluster has a public address: a failover may lead there
	options := map[string][]int{}         // TLS ports by option group
	instances := rds.NewDescribeDBInstancesPaginator(rdsapi, &rds.DescribeDBInstancesInput{})
	for instances.HasMorePages() {
		page, err := instances.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the RDS instances for %s: %w", vpc, err)
		}
		for _, i := range page.DBInstances {
			clustered = clustered || aws.ToString(i.DBClusterIdentifier) != ""
			if at := aws.ToString(i.DBClusterIdentifier); public[at] != network.Yes {
				public[at] = accessible(i.PubliclyAccessible)
			}
			if i.DBSubnetGroup != nil {
				known[aws.ToString(i.DBSubnetGroup.DBSubnetGroupName)] = converted(*i.DBSubnetGroup)
			}
			if d, ok := instance(i); ok && i.DBSubnetGroup != nil && aws.ToString(i.DBSubnetGroup.VpcId) == vpc {
				ports, err := beside(ctx, rdsapi, i, d, options)
				if err != nil && !note(unread, d, err) {
					return nil, err
				}
				out = append(append(out, d), ports...)
			}
		}
	}
	clusters := rds.NewDescribeDBClustersPaginator(rdsapi, &rds.DescribeDBClustersInput{})
	for clustered && clusters.HasMorePages() {
		page, err := clusters.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the RDS clusters for %s: %w", vpc, err)
		}
		for _, c := range page.DBClusters {
			// A cluster names its subnet group, not its VPC. Mostly one of its instances has told already.
			group := aws.ToString(c.DBSubnetGroup)
			if _, told := known[group]; !told && group != "" {
				known[group], closed[group] = readSubnetGroup(ctx, rdsapi, group)
			}
			d, ok := cluster(c)
			if err := closed[group]; err != nil && !note(unread, d, err) {
				return nil, err
			}
			if ok && known[group].vpc == vpc {
				_, filled := public[d.ID]
				d.Empty = !filled && aws.ToString(c.EngineMode) != "serverless" // which never shows its instances
				d.Subnets, d.Public = known[group].subnets, cmp.Or(public[d.ID], network.Is(aws.ToBool(c.PubliclyAccessible)))
				out = append(out, d)
			}
		}
	}
	return out, nil
}

func readRedshift(ctx context.Context, redshiftapi Redshift, vpc string, unread *[]Database) ([]Database, error) {
	var out, elsewhere []Database
	known, closed := map[string][]string{}, map[string]error{} // cluster subnet groups by name, and those that cannot be read
	warehouses := redshift.NewDescribeClustersPaginator(redshiftapi, &redshift.DescribeClustersInput{})
	for warehouses.HasMorePages() {
		page, err := warehouses.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the Redshift clusters for %s: %w", vpc, err)
		}
		for _, c := range page.Clusters {
			d := warehouse(c)
			if aws.ToString(c.VpcId) != vpc {
				if d.Tags[tag.Share] != "" {
					elsewhere = append(elsewhere, d)
				}
				continue
			}
			if !there(d) {
				continue
			}
			if group := aws.ToString(c.ClusterSubnetGroupName); group != "" {
				if _, told := known[group]; !told {
					known[group], closed[group] = readClusterSubnetGroup(ctx, redshiftapi, group)
				}
				if err := closed[group]; err != nil {
					if !note(unread, d, err) {
						return nil, err
					}
					continue
				}
				d.Subnets = known[group]
			}
			out = append(out, d)
		}
	}
	endpoints, err := readEndpoints(ctx, redshiftapi, elsewhere, vpc)
	return append(out, endpoints...), err
}

func warehouse(c redshifttypes.Cluster) Database {
	d := Database{ID: aws.ToString(c.ClusterIdentifier), ARN: aws.ToString(c.ClusterNamespaceArn), Engine: "redshift",
		Zone: aws.ToString(c.AvailabilityZone), Status: aws.ToString(c.ClusterStatus), Network: families(aws.ToString(c.IpAddressType)), Groups: memberships(c.VpcSecurityGroups)}
	d.Public = accessible(c.PubliclyAccessible)
	if c.Endpoint != nil {
		d.Port = int(aws.ToInt32(c.Endpoint.Port))
	}
	tags := map[string]string{}
	for _, t := range c.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	d.Tags = tag.Clean(tag.RedshiftCluster, tags)
	return d
}

// readEndpoints returns the Redshift-managed VPC endpoints in a VPC that lead to warehouses of the account in others. They have groups and subnets of their own.
// https://docs.aws.amazon.com/redshift/latest/mgmt/managing-cluster-cross-vpc.html
func readEndpoints(ctx context.Context, redshiftapi Redshift, warehouses []Database, vpc string) ([]Database, error) {
	if len(warehouses) == 0 {
		return nil, nil
	}
	var out []Database
	pages := redshift.NewDescribeEndpointAccessPaginator(redshiftapi, &redshift.DescribeEndpointAccessInput{VpcId: &vpc})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the endpoints of Redshift in %s: %w", vpc, err)
		}
		for _, e := range page.EndpointAccessList {
			n := slices.IndexFunc(warehouses, func(d Database) bool {
				owner, _, _ := arn.Match(d.ARN, "redshift", "")
				return d.ID == aws.ToString(e.ClusterIdentifier) && (aws.ToString(e.ResourceOwner) == "" || aws.ToString(e.ResourceOwner) == owner.AccountID)
			})
			if n < 0 || e.VpcEndpoint == nil || aws.ToString(e.VpcEndpoint.VpcId) != vpc {
				continue
			}
			d := warehouses[n]
			d.ID += "/" + aws.ToString(e.EndpointName)
			d.Port, d.Status, d.Groups, d.Zone = int(aws.ToInt32(e.Port)), aws.ToString(e.EndpointStatus), memberships(e.VpcSecurityGroups), ""
			d.Public = network.No
			for _, i := range e.VpcEndpoint.NetworkInterfaces {
				d.Subnets = append(d.Subnets, aws.ToString(i.SubnetId))
			}
			slices.Sort(d.Subnets)
			d.Subnets = slices.Compact(d.Subnets)
			if there(d) {
				out = append(out, d)
			}
		}
	}
	return out, nil
}

func memberships(of []redshifttypes.VpcSecurityGroupMembership) []string {
	var out []string
	for _, g := range of {
		out = append(out, aws.ToString(g.VpcSecurityGroupId))
	}
	slices.Sort(out)
	return out
}

// families reads how AWS says of which families addresses are: RDS in capitals, Redshift not. IPv4 alone is what is there unless it says otherwise.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html#USER_VPC.IP_addressing
func families(text string) string {
	switch strings.ToUpper(text) {
	case "IPV6":
		return IPv6
	case "DUAL", "DUALSTACK":
		return Dual
	}
	return IPv4
}

func instance(i rdstypes.DBInstance) (Database, bool) {
	d := Database{ID: aws.ToString(i.DBInstanceIdentifier), ARN: aws.ToString(i.DBInstanceArn), Engine: aws.ToString(i.Engine), Tags: tags(tag.DBInstance, i.TagList),
		Status: aws.ToString(i.DBInstanceStatus), Network: families(aws.ToString(i.NetworkType))}
	d.Groups, d.Public = groups(i.VpcSecurityGroups), accessible(i.PubliclyAccessible)
	d.Member = aws.ToString(i.DBClusterIdentifier)
	if i.DBSubnetGroup != nil {
		d.Subnets = converted(*i.DBSubnetGroup).subnets
	}
	if i.Endpoint != nil {
		d.Port = int(aws.ToInt32(i.Endpoint.Port))
	}
	return d, there(d)
}

func cluster(c rdstypes.DBCluster) (Database, bool) {
	d := Database{ID: aws.ToString(c.DBClusterIdentifier), ARN: aws.ToString(c.DBClusterArn), Engine: aws.ToString(c.Engine),
		Port: int(aws.ToInt32(c.Port)), Groups: groups(c.VpcSecurityGroups), Tags: tags(tag.DBCluster, c.TagList), Status: aws.ToString(c.Status), Network: families(aws.ToString(c.NetworkType))}
	return d, there(d)
}

// accessible reads whether a database is accessible publicly: then its name leads to a public address from outside of its VPC.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html#USER_VPC.Hiding
func accessible(publicly *bool) network.Answer {
	if publicly == nil {
		return network.Unknown
	}
	return network.Is(*publicly)
}

// there reports whether a database is there, be it without an endpoint for now.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html#Overview.DBInstance.Status
// https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
func there(d Database) bool {
	return d.Answers() || !slices.Contains([]string{"deleting", "final-snapshot", "failed", "incompatible-create"}, d.Status)
}

// subnetGroup is where the interfaces of a database may be: in any of the subnets, for failover.
type subnetGroup struct {
	vpc     string
	subnets []string // sorted
}

func converted(g rdstypes.DBSubnetGroup) subnetGroup {
	out := subnetGroup{vpc: aws.ToString(g.VpcId)}
	for _, s := range g.Subnets {
		out.subnets = append(out.subnets, aws.ToString(s.SubnetIdentifier))
	}
	slices.Sort(out.subnets)
	return out
}

func readSubnetGroup(ctx context.Context, rdsapi RDS, name string) (subnetGroup, error) {
	got, err := rdsapi.DescribeDBSubnetGroups(ctx, &rds.DescribeDBSubnetGroupsInput{DBSubnetGroupName: &name})
	if err != nil {
		return subnetGroup{}, fmt.Errorf("reading the DB subnet group %s: %w", name, err)
	}
	if len(got.DBSubnetGroups) == 0 {
		return subnetGroup{}, nil
	}
	return converted(got.DBSubnetGroups[0]), nil
}

// readClusterSubnetGroup returns the subnets of a subnet group of Redshift, sorted.
// https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeClusterSubnetGroups.html
func readClusterSubnetGroup(ctx context.Context, redshiftapi Redshift, name string) ([]string, error) {
	got, err := redshiftapi.DescribeClusterSubnetGroups(ctx, &redshift.DescribeClusterSubnetGroupsInput{ClusterSubnetGroupName: &name})
	if err != nil {
		return nil, fmt.Errorf("reading the cluster subnet group %s: %w", name, err)
	}
	var out []string
	for _, g := range got.ClusterSubnetGroups {
		for _, s := range g.Subnets {
			out = append(out, aws.ToString(s.SubnetIdentifier))
		}
	}
	slices.Sort(out)
	return out, nil
}

func groups(memberships []rdstypes.VpcSecurityGroupMembership) []string {
	var out []string
	for _, m := range memberships {
		out = append(out, aws.ToString(m.VpcSecurityGroupId))
	}
	slices.Sort(out)
	return out
}

func tags(kind tag.Kind, list []rdstypes.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range list {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tag.Clean(kind, out)
}
