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

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// RDS is what [Read] needs of RDS.
type RDS interface {
	DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
	DescribeDBSubnetGroups(context.Context, *rds.DescribeDBSubnetGroupsInput, ...func(*rds.Options)) (*rds.DescribeDBSubnetGroupsOutput, error)
}

// Redshift is what [Read] needs of Redshift.
type Redshift interface {
	DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error)
	DescribeClusterSubnetGroups(context.Context, *redshift.DescribeClusterSubnetGroupsInput, ...func(*redshift.Options)) (*redshift.DescribeClusterSubnetGroupsOutput, error)
}

// Read returns the databases in a VPC, sorted. One that has no endpoint now is among them, see [Database.Answers]; one that is being deleted and has
// none is not.
//
// Where the Region does not have Redshift, or RDS, the error is one of [fault.Absent], and the databases are those of the
// other: none can be of the one that is absent, unless DNS is wrong. So nothing may be taken away because of it.
//
// A cluster is reached through its instances. With lean, an account and Region without any instance is therefore not
// asked for clusters: one call less for the side that mostly has no databases.
func Read(ctx context.Context, rdsapi RDS, redshiftapi Redshift, vpc string, lean bool) ([]Database, error) {
	out, err := readRDS(ctx, rdsapi, vpc, lean)
	if err != nil && !fault.Absent(err) {
		return nil, err
	}
	warehouses, none := readRedshift(ctx, redshiftapi, vpc)
	if none != nil && !fault.Absent(none) {
		return nil, none
	}
	return sorted(append(out, warehouses...)), cmp.Or(none, err)
}

func readRDS(ctx context.Context, rdsapi RDS, vpc string, lean bool) ([]Database, error) {
	var out []Database
	known, some := map[string]subnetGroup{}, !lean // DB subnet groups by name; whether there may be a cluster
	instances := rds.NewDescribeDBInstancesPaginator(rdsapi, &rds.DescribeDBInstancesInput{})
	for instances.HasMorePages() {
		page, err := instances.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the RDS instances for %s: %w", vpc, err)
		}
		some = some || len(page.DBInstances) > 0
		for _, i := range page.DBInstances {
			if i.DBSubnetGroup != nil {
				known[aws.ToString(i.DBSubnetGroup.DBSubnetGroupName)] = converted(*i.DBSubnetGroup)
			}
			if d, ok := instance(i); ok && i.DBSubnetGroup != nil && aws.ToString(i.DBSubnetGroup.VpcId) == vpc {
				out = append(out, d)
			}
		}
	}
	clusters := rds.NewDescribeDBClustersPaginator(rdsapi, &rds.DescribeDBClustersInput{})
	for some && clusters.HasMorePages() {
		page, err := clusters.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the RDS clusters for %s: %w", vpc, err)
		}
		for _, c := range page.DBClusters {
			// A cluster names its subnet group, not its VPC. Mostly one of its instances has told already.
			group := aws.ToString(c.DBSubnetGroup)
			if _, told := known[group]; !told && group != "" {
				var err error
				if known[group], err = readSubnetGroup(ctx, rdsapi, group); err != nil {
					return nil, err
				}
			}
			if d, ok := cluster(c); ok && known[group].vpc == vpc {
				d.Subnets = known[group].subnets
				out = append(out, d)
			}
		}
	}
	return out, nil
}

func readRedshift(ctx context.Context, redshiftapi Redshift, vpc string) ([]Database, error) {
	var out []Database
	known := map[string][]string{} // cluster subnet groups by name
	warehouses := redshift.NewDescribeClustersPaginator(redshiftapi, &redshift.DescribeClustersInput{})
	for warehouses.HasMorePages() {
		page, err := warehouses.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the Redshift clusters for %s: %w", vpc, err)
		}
		for _, c := range page.Clusters {
			if aws.ToString(c.VpcId) != vpc {
				continue
			}
			d := Database{ID: aws.ToString(c.ClusterIdentifier), ARN: aws.ToString(c.ClusterNamespaceArn), Engine: "redshift",
				Zone: aws.ToString(c.AvailabilityZone), Status: aws.ToString(c.ClusterStatus),
				Dual: dual(c.IpAddressType)}
			if c.Endpoint != nil {
				d.Port = int(aws.ToInt32(c.Endpoint.Port))
			}
			if !there(d) {
				continue
			}
			for _, g := range c.VpcSecurityGroups {
				d.Groups = append(d.Groups, aws.ToString(g.VpcSecurityGroupId))
			}
			tags := map[string]string{}
			for _, t := range c.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			d.Tags = tag.Clean(tag.RedshiftCluster, tags)
			if group := aws.ToString(c.ClusterSubnetGroupName); group != "" {
				if _, told := known[group]; !told {
					if known[group], err = readClusterSubnetGroup(ctx, redshiftapi, group); err != nil {
						return nil, err
					}
				}
				d.Subnets = known[group]
			}
			slices.Sort(d.Groups)
			out = append(out, d)
		}
	}
	return out, nil
}

func instance(i rdstypes.DBInstance) (Database, bool) {
	d := Database{ID: aws.ToString(i.DBInstanceIdentifier), ARN: aws.ToString(i.DBInstanceArn), Engine: aws.ToString(i.Engine), Tags: tags(tag.DBInstance, i.TagList),
		Status: aws.ToString(i.DBInstanceStatus)}
	d.Groups, d.Dual = groups(i.VpcSecurityGroups), dual(i.NetworkType)
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
		Port: int(aws.ToInt32(c.Port)), Groups: groups(c.VpcSecurityGroups), Tags: tags(tag.DBCluster, c.TagList), Status: aws.ToString(c.Status),
		Dual: dual(c.NetworkType)}
	return d, there(d)
}

// dual reports whether a database has IPv6 addresses too: RDS says DUAL, Redshift dualstack. Without a word it has IPv4 alone.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html#USER_VPC.IP_addressing
// https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
func dual(networkType *string) bool {
	return strings.HasPrefix(strings.ToLower(aws.ToString(networkType)), "dual")
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
