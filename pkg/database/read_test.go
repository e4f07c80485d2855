package database_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	serverlesstypes "github.com/aws/aws-sdk-go-v2/service/redshiftserverless/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	taggingtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// region is the databases of one account and Region.
type region struct {
	instances  []types.DBInstance
	clusters   []types.DBCluster
	redshift   []redshifttypes.Cluster
	groups     map[string]string // DB subnet group → VPC
	asked      []string          // DB subnet groups asked for
	err        error
	none       error            // of Redshift
	closed     map[string]error // of groups and tags, by name or ARN
	proxies    []types.DBProxy
	added      []types.DBProxyEndpoint
	options    map[string][]types.Option // of option groups
	endpoints  []redshifttypes.EndpointAccess
	tags       map[string]map[string]string // of proxies and workgroups, by ARN
	tagged     map[string]map[string]string // what the tagging API knows
	workgroups []serverlesstypes.Workgroup
	calls      []string // those that are not made always
}

func (r *region) apis() database.APIs {
	return database.APIs{RDS: r, Redshift: r, Serverless: serverless{r}, Tagged: r}
}

func (r *region) DescribeDBProxyEndpoints(context.Context, *rds.DescribeDBProxyEndpointsInput, ...func(*rds.Options)) (*rds.DescribeDBProxyEndpointsOutput, error) {
	r.calls = append(r.calls, "endpoints of proxies")
	return &rds.DescribeDBProxyEndpointsOutput{DBProxyEndpoints: r.added}, r.err
}

func (r *region) DescribeOptionGroups(_ context.Context, in *rds.DescribeOptionGroupsInput, _ ...func(*rds.Options)) (*rds.DescribeOptionGroupsOutput, error) {
	r.calls = append(r.calls, "options "+*in.OptionGroupName)
	return &rds.DescribeOptionGroupsOutput{OptionGroupsList: []types.OptionGroup{{OptionGroupName: in.OptionGroupName, Options: r.options[*in.OptionGroupName]}}}, cmp.Or(r.closed[*in.OptionGroupName], r.err)
}

func (r *region) DescribeDBProxies(context.Context, *rds.DescribeDBProxiesInput, ...func(*rds.Options)) (*rds.DescribeDBProxiesOutput, error) {
	r.calls = append(r.calls, "proxies")
	return &rds.DescribeDBProxiesOutput{DBProxies: r.proxies}, r.err
}

func (r *region) ListTagsForResource(_ context.Context, in *rds.ListTagsForResourceInput, _ ...func(*rds.Options)) (*rds.ListTagsForResourceOutput, error) {
	out := &rds.ListTagsForResourceOutput{}
	for k, v := range r.tags[*in.ResourceName] {
		out.TagList = append(out.TagList, types.Tag{Key: &k, Value: &v})
	}
	return out, cmp.Or(r.closed[*in.ResourceName], r.err)
}

func (r *region) DescribeEndpointAccess(_ context.Context, in *redshift.DescribeEndpointAccessInput, _ ...func(*redshift.Options)) (*redshift.DescribeEndpointAccessOutput, error) {
	r.calls = append(r.calls, "endpoints of "+*in.VpcId)
	return &redshift.DescribeEndpointAccessOutput{EndpointAccessList: r.endpoints}, r.err
}

func (r *region) GetResources(_ context.Context, in *resourcegroupstaggingapi.GetResourcesInput, _ ...func(*resourcegroupstaggingapi.Options)) (*resourcegroupstaggingapi.GetResourcesOutput, error) {
	if len(in.TagFilters) != 1 || *in.TagFilters[0].Key != tag.Share {
		return nil, errors.New("it asks for everything that has any tag")
	}
	out := &resourcegroupstaggingapi.GetResourcesOutput{}
	for arn, tags := range r.tagged {
		one := taggingtypes.ResourceTagMapping{ResourceARN: &arn}
		for k, v := range tags {
			one.Tags = append(one.Tags, taggingtypes.Tag{Key: &k, Value: &v})
		}
		out.ResourceTagMappingList = append(out.ResourceTagMappingList, one)
	}
	return out, r.err
}

type serverless struct{ *region }

func (s serverless) ListWorkgroups(context.Context, *redshiftserverless.ListWorkgroupsInput, ...func(*redshiftserverless.Options)) (*redshiftserverless.ListWorkgroupsOutput, error) {
	s.calls = append(s.calls, "workgroups")
	return &redshiftserverless.ListWorkgroupsOutput{Workgroups: s.workgroups}, s.err
}

func (s serverless) ListTagsForResource(_ context.Context, in *redshiftserverless.ListTagsForResourceInput, _ ...func(*redshiftserverless.Options)) (*redshiftserverless.ListTagsForResourceOutput, error) {
	out := &redshiftserverless.ListTagsForResourceOutput{}
	for k, v := range s.tags[*in.ResourceArn] {
		out.Tags = append(out.Tags, serverlesstypes.Tag{Key: &k, Value: &v})
	}
	return out, cmp.Or(s.closed[*in.ResourceArn], s.err)
}

func (r *region) DescribeDBInstances(_ context.Context, in *rds.DescribeDBInstancesInput, _ ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error) {
	// One a page, so that paging is exercised.
	at := 0
	if in.Marker != nil {
		_, _ = fmt.Sscan(*in.Marker, &at)
	}
	if at >= len(r.instances) {
		return &rds.DescribeDBInstancesOutput{}, r.err
	}
	out := &rds.DescribeDBInstancesOutput{DBInstances: r.instances[at : at+1]}
	if at+1 < len(r.instances) {
		out.Marker = aws.String(fmt.Sprint(at + 1))
	}
	return out, r.err
}

func (r *region) DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	return &rds.DescribeDBClustersOutput{DBClusters: r.clusters}, r.err
}

func (r *region) DescribeDBSubnetGroups(_ context.Context, in *rds.DescribeDBSubnetGroupsInput, _ ...func(*rds.Options)) (*rds.DescribeDBSubnetGroupsOutput, error) {
	r.asked = append(r.asked, *in.DBSubnetGroupName)
	return &rds.DescribeDBSubnetGroupsOutput{DBSubnetGroups: []types.DBSubnetGroup{{VpcId: aws.String(r.groups[*in.DBSubnetGroupName]),
		Subnets: []types.Subnet{{SubnetIdentifier: aws.String("subnet-d")}, {SubnetIdentifier: aws.String("subnet-c")}}}}}, cmp.Or(r.closed[*in.DBSubnetGroupName], r.err)
}

func (r *region) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return &redshift.DescribeClustersOutput{Clusters: r.redshift}, cmp.Or(r.none, r.err)
}

func (r *region) DescribeClusterSubnetGroups(_ context.Context, in *redshift.DescribeClusterSubnetGroupsInput, _ ...func(*redshift.Options)) (*redshift.DescribeClusterSubnetGroupsOutput, error) {
	r.asked = append(r.asked, *in.ClusterSubnetGroupName)
	return &redshift.DescribeClusterSubnetGroupsOutput{ClusterSubnetGroups: []redshifttypes.ClusterSubnetGroup{{Subnets: []redshifttypes.Subnet{
		{SubnetIdentifier: aws.String("subnet-y")}, {SubnetIdentifier: aws.String("subnet-x")}}}}}, cmp.Or(r.closed[*in.ClusterSubnetGroupName], r.err)
}

func instance(name, vpc, group string, port int32) types.DBInstance {
	i := types.DBInstance{DBInstanceIdentifier: &name, Engine: aws.String("mysql"), DBSubnetGroup: &types.DBSubnetGroup{DBSubnetGroupName: &group, VpcId: &vpc,
		Subnets: []types.Subnet{{SubnetIdentifier: aws.String("subnet-b")}, {SubnetIdentifier: aws.String("subnet-a")}}}}
	if port > 0 {
		i.Endpoint = &types.Endpoint{Port: &port}
	}
	return i
}

func in(status string, i types.DBInstance) types.DBInstance {
	i.DBInstanceStatus = &status
	return i
}

func TestReadFindsEveryKindInTheVPC(t *testing.T) {
	r := &region{
		instances: []types.DBInstance{instance("orders", "vpc-1", "g1", 3307), {DBClusterIdentifier: aws.String("told by its instance"), DBInstanceStatus: aws.String("deleting")}, instance("elsewhere", "vpc-9", "g9", 3306), in("creating", instance("being-created", "vpc-1", "g1", 0)),
			in("deleting", instance("going", "vpc-1", "g1", 0)),
			{DBInstanceIdentifier: aws.String("in no VPC"), Endpoint: &types.Endpoint{Port: aws.Int32(1)}}},
		clusters: []types.DBCluster{
			{DBClusterIdentifier: aws.String("told by its instance"), Engine: aws.String("aurora-mysql"), Port: aws.Int32(3308), DBSubnetGroup: aws.String("g1")},
			{DBClusterIdentifier: aws.String("asked for"), Engine: aws.String("aurora-postgresql"), Port: aws.Int32(5433), DBSubnetGroup: aws.String("g2")},
			{DBClusterIdentifier: aws.String("elsewhere"), Engine: aws.String("aurora-mysql"), Port: aws.Int32(3306), DBSubnetGroup: aws.String("g9")}},
		redshift: []redshifttypes.Cluster{
			{ClusterIdentifier: aws.String("warehouse"), VpcId: aws.String("vpc-1"), Endpoint: &redshifttypes.Endpoint{Port: aws.Int32(5440)}, Tags: []redshifttypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}}},
			{ClusterIdentifier: aws.String("going"), VpcId: aws.String("vpc-1"), ClusterStatus: aws.String("final-snapshot")},
			{ClusterIdentifier: aws.String("elsewhere"), VpcId: aws.String("vpc-9"), Endpoint: &redshifttypes.Endpoint{Port: aws.Int32(5439)}}},
		groups: map[string]string{"g2": "vpc-1"},
	}
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range got.Databases {
		names = append(names, fmt.Sprintf("%s:%d", d.ID, d.Port))
	}
	if fmt.Sprint(names) != "[told by its instance:3308 asked for:5433 being-created:0 orders:3307 warehouse:5440]" {
		t.Errorf("databases = %v", names)
	}
	if fmt.Sprint(r.asked) != "[g2]" {
		t.Errorf("asked for the subnet groups %v, want only the one that no instance told of", r.asked)
	}
	if found := got.Databases; fmt.Sprint(found[3].Subnets) != "[subnet-a subnet-b]" || found[4].Tags["k"] != "v" || found[2].Answers() || found[2].Status != "creating" || !found[3].Answers() {
		t.Errorf("subnets %v, tags %v", found[3].Subnets, found[4].Tags)
	}
}

// What cannot be read of one database is said of that one; what a retry may mend is an error.
func TestOneUnfitDatabaseKeepsNoOther(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}
	const proxy, workgroup = "arn:aws:rds:eu-west-1:222222222222:db-proxy:prx-1", "arn:aws:redshift-serverless:eu-west-1:222222222222:workgroup/w-1"
	oracle := instance("oracle", "vpc-1", "g1", 1521)
	oracle.Engine, oracle.OptionGroupMemberships = aws.String("oracle-ee"), []types.OptionGroupMembership{{OptionGroupName: aws.String("tls")}}
	world := func(why error) *region {
		return &region{
			instances: []types.DBInstance{instance("orders", "vpc-1", "g1", 3307), oracle},
			clusters: []types.DBCluster{
				{DBClusterIdentifier: aws.String("shut"), Engine: aws.String("aurora-mysql"), Port: aws.Int32(3308), DBSubnetGroup: aws.String("g8")},
				{DBClusterIdentifier: aws.String("shut, too"), Engine: aws.String("aurora-mysql"), Port: aws.Int32(3308), DBSubnetGroup: aws.String("g8")},
				{DBClusterIdentifier: aws.String("sales"), Engine: aws.String("aurora-mysql"), Port: aws.Int32(3308), DBSubnetGroup: aws.String("g2")}},
			redshift: []redshifttypes.Cluster{
				{ClusterIdentifier: aws.String("dim"), VpcId: aws.String("vpc-1"), ClusterSubnetGroupName: aws.String("r8"), Endpoint: &redshifttypes.Endpoint{Port: aws.Int32(5439)}},
				{ClusterIdentifier: aws.String("warehouse"), VpcId: aws.String("vpc-1"), Endpoint: &redshifttypes.Endpoint{Port: aws.Int32(5440)}}},
			groups:     map[string]string{"g2": "vpc-1", "g8": "vpc-1"},
			proxies:    []types.DBProxy{{DBProxyName: aws.String("proxy"), DBProxyArn: aws.String(proxy), VpcId: aws.String("vpc-1"), EngineFamily: aws.String("MYSQL")}},
			workgroups: []serverlesstypes.Workgroup{{WorkgroupName: aws.String("group"), WorkgroupArn: aws.String(workgroup), SubnetIds: []string{"subnet-1"}, Port: aws.Int32(5439)}},
			tagged:     map[string]map[string]string{proxy: {tag.Share: "true"}, workgroup: {tag.Share: "true"}, "arn:aws:rds:eu-west-1:222222222222:cluster:sales": {tag.Share: "true"}},
			closed:     map[string]error{"g8": why, "r8": why, "tls": why, proxy: why, workgroup: why},
		}
	}
	r := world(denied)
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", []string{"subnet-1"})
	if err != nil {
		t.Fatal(err)
	}
	var served, unread []string
	for _, d := range got.Databases {
		served = append(served, d.ID)
	}
	for _, d := range got.Unread {
		unread = append(unread, d.ID)
		if !strings.Contains(d.Why, "AccessDenied") {
			t.Errorf("%s does not say why: %q", d.ID, d.Why)
		}
		if (d.ARN == proxy || d.ARN == workgroup) && d.Tags[tag.Share] != "true" {
			t.Errorf("%s: nobody knows with whom it is shared: %v", d.ID, d.Tags)
		}
	}
	slices.Sort(unread)
	if slices.Sort(served); fmt.Sprint(served) != "[oracle orders sales warehouse]" || fmt.Sprint(unread) != "[dim group oracle proxy shut shut, too]" {
		t.Errorf("served %v, unread %v", served, unread)
	}
	if n := len(slices.DeleteFunc(r.asked, func(g string) bool { return g != "g8" })); n != 1 {
		t.Errorf("a group that cannot be read is asked for %d times", n)
	}
	if _, err := database.Read(t.Context(), world(&smithy.GenericAPIError{Code: "ThrottlingException"}).apis(), "vpc-1", []string{"subnet-1"}); fault.Of(err) != fault.Transient {
		t.Errorf("throttled: %v", err)
	}
}

func TestReadFailsLoudly(t *testing.T) {
	r := &region{err: errors.New("broken")}
	if _, err := database.Read(t.Context(), r.apis(), "vpc-1", nil); err == nil {
		t.Error("an error was taken for an empty account")
	}
}

// A cluster is reached by its instances. Without any it is read only if it is tagged.
func TestClustersWithoutAnyInstance(t *testing.T) {
	headless := "arn:aws:rds:eu-west-1:222222222222:cluster:headless"
	member := instance("one", "vpc-9", "g9", 3306)
	member.DBClusterIdentifier = aws.String("another")
	for name, c := range map[string]struct {
		region
		want int
	}{
		"neither":                  {region{}, 0},
		"tagged":                   {region{tagged: map[string]map[string]string{headless: {tag.Share: "true"}}}, 1},
		"an instance of a cluster": {region{instances: []types.DBInstance{member}}, 1},
	} {
		r := &c.region
		r.clusters = []types.DBCluster{{DBClusterIdentifier: aws.String("headless"), Port: aws.Int32(3306), DBSubnetGroup: aws.String("g1")}}
		r.groups = map[string]string{"g1": "vpc-1"}
		got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
		if err != nil || len(got.Databases) != c.want || len(r.asked) != c.want {
			t.Errorf("%s: got %+v, %v after asking for %v", name, got, err, r.asked)
		}
	}
}

// A Region without Redshift has the databases of RDS, and the answer says that it does not know of others.
func TestReadWithoutRedshift(t *testing.T) {
	r := &region{instances: []types.DBInstance{instance("sales", "vpc-1", "g", 3306)}, none: fmt.Errorf("no host: %w", fault.ErrAbsent)}
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
	if len(got.Databases) != 1 || got.Databases[0].ID != "sales" || !fault.Absent(err) {
		t.Errorf("%v, %v", got, err)
	}
	r.none = fault.New(fault.Transient, "DNS does not answer")
	if got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil); got.Databases != nil || err == nil || fault.Absent(err) {
		t.Errorf("%v, %v", got, err)
	}
}

// Where a database may be are the subnets of its group: also of a cluster without instances, and of a warehouse. Each group is asked for once.
func TestADatabaseIsInTheSubnetsOfItsGroup(t *testing.T) {
	warehouse := func(name string) redshifttypes.Cluster {
		return redshifttypes.Cluster{ClusterIdentifier: &name, VpcId: aws.String("vpc-1"), ClusterSubnetGroupName: aws.String("wide"), Endpoint: &redshifttypes.Endpoint{Port: aws.Int32(5439)}}
	}
	r := &region{
		instances: []types.DBInstance{instance("orders", "vpc-1", "g1", 3307), {DBClusterIdentifier: aws.String("told"), DBInstanceStatus: aws.String("deleting")}},
		clusters: []types.DBCluster{
			{DBClusterIdentifier: aws.String("told"), Engine: aws.String("aurora-mysql"), Port: aws.Int32(3308), DBSubnetGroup: aws.String("g1")},
			{DBClusterIdentifier: aws.String("asked"), Engine: aws.String("aurora-mysql"), Port: aws.Int32(3308), DBSubnetGroup: aws.String("g2")}},
		redshift: []redshifttypes.Cluster{warehouse("one"), warehouse("two")},
		groups:   map[string]string{"g2": "vpc-1"},
	}
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]string{}
	for _, d := range got.Databases {
		in[d.ID] = fmt.Sprint(d.Subnets)
	}
	want := map[string]string{"orders": "[subnet-a subnet-b]", "told": "[subnet-a subnet-b]", "asked": "[subnet-c subnet-d]", "one": "[subnet-x subnet-y]", "two": "[subnet-x subnet-y]"}
	if fmt.Sprint(in) != fmt.Sprint(want) {
		t.Errorf("subnets are %v, want %v", in, want)
	}
	if fmt.Sprint(r.asked) != "[g2 wide]" {
		t.Errorf("asked for the groups %v", r.asked)
	}
}

// A database has IPv4 addresses alone unless its service says otherwise, each in its own words.
func TestWhichAddressesADatabaseHas(t *testing.T) {
	in := func(kind *string) *region {
		group := &types.DBSubnetGroup{DBSubnetGroupName: aws.String("g"), VpcId: aws.String("vpc-1")}
		return &region{groups: map[string]string{"g": "vpc-1"},
			instances: []types.DBInstance{{DBInstanceIdentifier: aws.String("a"), Engine: aws.String("mysql"), NetworkType: kind, DBSubnetGroup: group, Endpoint: &types.Endpoint{Port: aws.Int32(3306)}},
				{DBInstanceIdentifier: aws.String("b-1"), DBClusterIdentifier: aws.String("b"), Engine: aws.String("aurora-mysql"), DBSubnetGroup: group}},
			clusters: []types.DBCluster{{DBClusterIdentifier: aws.String("b"), Engine: aws.String("aurora-mysql"), NetworkType: kind, DBSubnetGroup: aws.String("g"), Port: aws.Int32(3306)}},
			redshift: []redshifttypes.Cluster{{ClusterIdentifier: aws.String("c"), IpAddressType: kind, VpcId: aws.String("vpc-1"), Endpoint: &redshifttypes.Endpoint{Port: aws.Int32(5439)}}}}
	}
	for kind, want := range map[string]string{"": database.IPv4, "IPV4": database.IPv4, "DUAL": database.Dual, "ipv4": database.IPv4, "dualstack": database.Dual} {
		r := in(aws.String(kind))
		found, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
		if err != nil || len(found.Databases) != 4 {
			t.Fatalf("%+v, %v", found, err)
		}
		for _, d := range found.Databases {
			if d.ID == "b-1" { // of the cluster, which says it for all of its instances
				continue
			}
			if d.Network != want {
				t.Errorf("%s of the type %q: %s, want %s", d.ID, kind, d.Network, want)
			}
		}
	}
}

// A name leads to a public address from outside of its VPC as soon as one instance of a cluster has one.
func TestWhichDatabasesHaveAPublicAddress(t *testing.T) {
	public := func(i types.DBInstance, yes *bool, cluster string) types.DBInstance {
		i.PubliclyAccessible, i.DBClusterIdentifier = yes, aws.String(cluster)
		return i
	}
	warehouse := func(name string, yes *bool) redshifttypes.Cluster {
		return redshifttypes.Cluster{ClusterIdentifier: &name, VpcId: aws.String("vpc-1"), PubliclyAccessible: yes, Endpoint: &redshifttypes.Endpoint{Port: aws.Int32(5439)}}
	}
	yes, no := aws.Bool(true), aws.Bool(false)
	r := &region{
		instances: []types.DBInstance{public(instance("open", "vpc-1", "g1", 3306), yes, ""), public(instance("shut", "vpc-1", "g1", 3306), no, ""), public(instance("untold", "vpc-1", "g1", 3306), nil, ""),
			public(instance("a-1", "vpc-1", "g1", 3306), yes, "mixed"), public(instance("a-2", "vpc-1", "g1", 3306), no, "mixed"), public(instance("b-1", "vpc-1", "g1", 3306), no, "within")},
		clusters: []types.DBCluster{
			{DBClusterIdentifier: aws.String("mixed"), Port: aws.Int32(3306), DBSubnetGroup: aws.String("g1")}, {DBClusterIdentifier: aws.String("within"), Port: aws.Int32(3306), DBSubnetGroup: aws.String("g1")},
			{DBClusterIdentifier: aws.String("empty"), Port: aws.Int32(3306), DBSubnetGroup: aws.String("g1")}},
		redshift: []redshifttypes.Cluster{warehouse("wide", yes), warehouse("close", no)},
	}
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]network.Answer{"open": network.Yes, "shut": network.No, "untold": network.Unknown, "a-1": network.Yes, "a-2": network.No, "b-1": network.No,
		"mixed": network.Yes, "within": network.No, "empty": network.No, "wide": network.Yes, "close": network.No}
	if len(got.Databases) != len(want) {
		t.Errorf("%d databases, want %d", len(got.Databases), len(want))
	}
	for _, d := range got.Databases {
		if answer, known := want[d.ID]; !known || d.Public != answer {
			t.Errorf("%s: public %s, want %s", d.ID, d.Public.Mark(), answer.Mark())
		}
	}
}
