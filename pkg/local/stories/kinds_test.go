package stories

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	serverlesstypes "github.com/aws/aws-sdk-go-v2/service/redshiftserverless/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// kindTales are the stories of the kinds of databases and clients beside those of S1.
var kindTales = []tale{
	{
		name:  "kind-proxy",
		title: "A proxy is shared in place of its database",
		about: `
As in s1-peering.md, but the owner of beta does not share the database: clients shall use the proxy before it, which has a security group of its
own, and the tag drawbridge:share=true. So the proxy's group is opened at the proxy's port, and the database's is not. Then the owner takes the tag off.`,
		change:  func(s *scenario.Spec) { s.Share = "" },
		prepare: makeProxy,
		acts: []act{
			request("Connected"),
			{"The owner of beta removes the tag drawbridge:share from the proxy.", unshareProxy, []string{"Announced", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: admitsAlone("pool", 3306),
			2: admitsAlone("pool"),
		},
		also: noRuleOfOurs,
	},
	{
		name:  "kind-ports",
		title: "A database answers at more than one port, a proxy at more than one endpoint",
		about: `
As in s1-peering.md, and beta has an Oracle instance with a port for TLS beside its own, and a proxy to which an endpoint for readers was added, in a group and a
subnet of its own. Both are shared. The policy opens Oracle by TLS alone, so that port is opened and the plain one is not; and so are the groups of the proxy and of
its endpoint.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			manyPorts(ctx, t, w)
			oracleByTLS(ctx, t, w)
		},
		acts: []act{request("Connected")},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: func(ctx context.Context, t *testing.T, w *scenario.World) {
				admitsAlone("oracle", 2484)(ctx, t, w)
				admitsAlone("pool", 3306)(ctx, t, w)
				admitsAlone("readers", 3306)(ctx, t, w)
			},
		},
		connected: true,
	},
	{
		name:  "kind-cluster",
		title: "An Aurora cluster is shared, and its instances are not",
		about: `
As in s1-peering.md, and beta has an Aurora cluster of a writer and a reader, which have the security group that the cluster has. The cluster is shared, and
its instances have no tag: who reaches the cluster reaches them, as its endpoints, those that its owner made too, lead to them. The cluster's group is opened.`,
		prepare:   makeCluster,
		acts:      []act{request("Connected")},
		then:      map[int]func(context.Context, *testing.T, *scenario.World){1: admitsAlone("aurora", 5432)},
		connected: true,
	},
	{
		name:  "kind-workgroup",
		title: "A workgroup of Redshift Serverless is shared",
		about: `
As in s1-peering.md, and beta has a workgroup of Redshift Serverless with a security group of its own. Its owner first writes a tag that means nothing, and
hears so on the workgroup; then one that does, and the workgroup's group is opened at its port.`,
		prepare: makeWorkgroup,
		acts: []act{
			request("Connected"),
			{"The owner of beta tags the workgroup drawbridge:share=yes.", shareWorkgroup("yes"), []string{"Announced", "Connected"}},
			{"The owner of beta tags it drawbridge:share=true.", shareWorkgroup("true"), []string{"Announced", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			2: admitsAlone("serverless"),
			3: admitsAlone("serverless", 5450),
		},
		connected: true,
	},
	{
		name:  "kind-endpoint",
		title: "A Redshift cluster is reached by its endpoint in another VPC",
		about: `
As in s1-peering.md, and beta has a Redshift cluster in a VPC that is not connected with alpha's. It is shared, and has a Redshift-managed VPC endpoint in the
VPC that is, with a security group of its own: that group is opened.`,
		prepare:   makeEndpoint,
		acts:      []act{request("Connected")},
		then:      map[int]func(context.Context, *testing.T, *scenario.World){1: admitsAlone("endpoint", 5439)},
		connected: true,
	},
	{
		name:  "kind-not-served",
		title: "What is tagged and not served says so",
		about: `
As in s1-peering.md, but the owner of beta shares more: a Neptune cluster, which RDS describes as one of its own, and a parameter. Neither is opened, and
both are named, to beta alone: on its side of the peering, and in what its owner is told. The cluster also has the tag drawbridge:unclear.`,
		prepare: shareWhatIsNotServed,
		acts:    []act{request("Connected")},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: func(ctx context.Context, t *testing.T, w *scenario.World) {
				admitsAlone("graph")(ctx, t, w)
				got, err := databases(w).DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("graph")})
				succeeds(t, err)
				if !slices.ContainsFunc(got.DBClusters[0].TagList, func(one rdstypes.Tag) bool {
					return *one.Key == "drawbridge:unclear" && strings.HasPrefix(*one.Value, "Neptune is not served")
				}) {
					t.Errorf("the cluster has the tags %v", got.DBClusters[0].TagList)
				}
				for n, tags := range peeringTags(ctx, t, w) {
					if says := strings.Contains(tags["drawbridge:reason"], "shared and not opened: graph: Neptune is not served"); says != (n == 1) {
						t.Errorf("on side %d the peering says %q", n, tags["drawbridge:reason"])
					}
				}
			},
		},
		connected: true,
	},
	{
		name:  "clients-marked",
		title: "Jobs of a subnet, and people with a security group of their own, are clients",
		about: `
As in acl-clients.md, but alpha's security groups let nothing out, and Ana works in a Studio domain in the notebook's subnet, with a security group
of her own. She and the notebook are let out to the database. Then the owner of alpha says by a tag that the second subnet has jobs which call databases. The
group of the jobs is let out too, and what stands in their way is said: the network ACL of beta's database does not let them in.`,
		prepare: closeClients,
		acts: []act{
			request("Connected"),
			{"The owner of alpha tags the second subnet drawbridge:client=true.", markSubnet, []string{"Announced", "PartlyConnected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: letsOut("ana"),
			2: letsOut("ana", "jobs"),
		},
		connected: true, // the notebook is
	},
}

// newGroup makes a security group.
func newGroup(ctx context.Context, t *testing.T, client *ec2.Client, vpc, name string) string {
	t.Helper()
	made, err := client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: &name, Description: aws.String("of " + name), VpcId: &vpc})
	succeeds(t, err)
	return *made.GroupId
}

// groupNamed reads a security group of a VPC.
func groupNamed(ctx context.Context, t *testing.T, client *ec2.Client, vpc, name string) ec2types.SecurityGroup {
	t.Helper()
	got, err := client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{
		{Name: aws.String("vpc-id"), Values: []string{vpc}}, {Name: aws.String("group-name"), Values: []string{name}}}})
	succeeds(t, err)
	if len(got.SecurityGroups) != 1 {
		t.Fatalf("%d security groups are called %s", len(got.SecurityGroups), name)
	}
	return got.SecurityGroups[0]
}

// admitsAlone holds a group of beta's to the ports that it lets the notebook in at, by its group, and no other.
func admitsAlone(name string, ports ...int32) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		var open []int32
		for _, p := range groupNamed(ctx, t, producer(w), w.ProducerNetwork.VPC, name).IpPermissions {
			open = append(open, aws.ToInt32(p.FromPort))
			if g := p.UserIdGroupPairs; len(p.IpRanges) != 0 || len(g) != 1 || aws.ToString(g[0].GroupId) != w.ConsumerNetwork.Group || aws.ToString(g[0].UserId) != w.Consumer.Account {
				t.Errorf("%s lets in %+v, %+v", name, p.IpRanges, g)
			}
		}
		if !slices.Equal(open, ports) {
			t.Errorf("%s is open at %v, want %v", name, open, ports)
		}
	}
}

// letsOut holds groups of alpha's to what lets them out to the database.
func letsOut(names ...string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		for _, name := range []string{"ana", "jobs"} {
			var to []string
			for _, p := range groupNamed(ctx, t, consumer(w), w.ConsumerNetwork.VPC, name).IpPermissionsEgress {
				for _, r := range p.IpRanges {
					to = append(to, fmt.Sprint(aws.ToInt32(p.FromPort), " ", aws.ToString(r.CidrIp)))
				}
			}
			want := []string{fmt.Sprint(w.Database.Port, " ", network.Merge(w.Producer.Subnets[:2])[0])}
			if !slices.Contains(names, name) {
				want = nil
			}
			if !slices.Equal(to, want) {
				t.Errorf("%s is let out to %v, want %v", name, to, want)
			}
		}
	}
}

func makeProxy(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := databases(w).CreateDBProxy(ctx, &rds.CreateDBProxyInput{DBProxyName: aws.String("pool"), EngineFamily: rdstypes.EngineFamilyMysql,
		Auth: []rdstypes.UserAuthConfig{{AuthScheme: rdstypes.AuthSchemeSecrets}}, RoleArn: aws.String(w.RoleARN("proxy")), VpcSubnetIds: w.ProducerNetwork.Subnets[:2],
		VpcSecurityGroupIds: []string{newGroup(ctx, t, producer(w), w.ProducerNetwork.VPC, "pool")}, Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}})
	succeeds(t, err)
}

// manyPorts makes an Oracle instance with a port for TLS, and a proxy with an endpoint for readers.
func manyPorts(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := databases(w).CreateOptionGroup(ctx, &rds.CreateOptionGroupInput{OptionGroupName: aws.String("tls"), EngineName: aws.String("oracle-se2"), MajorEngineVersion: aws.String("19"), OptionGroupDescription: aws.String("TLS")})
	succeeds(t, err)
	_, err = databases(w).ModifyOptionGroup(ctx, &rds.ModifyOptionGroupInput{OptionGroupName: aws.String("tls"), OptionsToInclude: []rdstypes.OptionConfiguration{{OptionName: aws.String("SSL"), Port: aws.Int32(2484)}}})
	succeeds(t, err)
	_, err = databases(w).CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{DBSubnetGroupName: aws.String("oracle"), DBSubnetGroupDescription: aws.String("oracle"), SubnetIds: w.ProducerNetwork.Subnets[:2]})
	succeeds(t, err)
	share := []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}
	_, err = databases(w).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: aws.String("books"), DBInstanceClass: aws.String("db.t3.medium"), Engine: aws.String("oracle-se2"), Port: aws.Int32(1521),
		MasterUsername: aws.String("admin"), MasterUserPassword: aws.String("not-a-secret"), AllocatedStorage: aws.Int32(20), OptionGroupName: aws.String("tls"), DBSubnetGroupName: aws.String("oracle"),
		VpcSecurityGroupIds: []string{newGroup(ctx, t, producer(w), w.ProducerNetwork.VPC, "oracle")}, PubliclyAccessible: aws.Bool(false), Tags: share})
	succeeds(t, err)
	makeProxy(ctx, t, w)
	_, err = databases(w).CreateDBProxyEndpoint(ctx, &rds.CreateDBProxyEndpointInput{DBProxyName: aws.String("pool"), DBProxyEndpointName: aws.String("readers"), TargetRole: rdstypes.DBProxyEndpointTargetRoleReadOnly,
		VpcSubnetIds: w.ProducerNetwork.Subnets[1:2], VpcSecurityGroupIds: []string{newGroup(ctx, t, producer(w), w.ProducerNetwork.VPC, "readers")}})
	succeeds(t, err)
}

// oracleByTLS has the policy open beta's Oracle by TLS alone.
func oracleByTLS(ctx context.Context, t *testing.T, w *scenario.World) {
	rule := fmt.Sprintf(`
@id("oracle-by-tls")
forbid (principal, action == Drawbridge::Action::"Open", resource) when { resource.account == %q && resource.engine like "*oracle*" && !resource.tls };`, w.Producer.Account)
	edit(ctx, t, func(text string) string { return text + rule })
	t.Cleanup(func() {
		edit(context.Background(), t, func(text string) string { return strings.ReplaceAll(text, rule, "") })
	})
}

// makeCluster makes an Aurora cluster that is shared, with a writer and a reader that have no tags.
func makeCluster(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := databases(w).CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{DBSubnetGroupName: aws.String("aurora"), DBSubnetGroupDescription: aws.String("aurora"), SubnetIds: w.ProducerNetwork.Subnets[:2]})
	succeeds(t, err)
	group := []string{newGroup(ctx, t, producer(w), w.ProducerNetwork.VPC, "aurora")}
	_, err = databases(w).CreateDBCluster(ctx, &rds.CreateDBClusterInput{DBClusterIdentifier: aws.String("orders"), Engine: aws.String("aurora-postgresql"), Port: aws.Int32(5432), MasterUsername: aws.String("admin"),
		MasterUserPassword: aws.String("not-a-secret"), DBSubnetGroupName: aws.String("aurora"), VpcSecurityGroupIds: group, Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}})
	succeeds(t, err)
	for _, name := range []string{"orders-1", "orders-2"} {
		_, err := databases(w).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: &name, DBClusterIdentifier: aws.String("orders"), DBInstanceClass: aws.String("db.r6g.large"), Engine: aws.String("aurora-postgresql"),
			DBSubnetGroupName: aws.String("aurora"), VpcSecurityGroupIds: group, PubliclyAccessible: aws.Bool(false)})
		succeeds(t, err)
	}
}

func unshareProxy(ctx context.Context, t *testing.T, w *scenario.World) {
	got, err := databases(w).DescribeDBProxies(ctx, &rds.DescribeDBProxiesInput{DBProxyName: aws.String("pool")})
	succeeds(t, err)
	_, err = databases(w).RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: got.DBProxies[0].DBProxyArn, TagKeys: []string{"drawbridge:share"}})
	succeeds(t, err)
}

func serverlessOf(w *scenario.World) *redshiftserverless.Client {
	return redshiftserverless.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
}

func makeWorkgroup(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := serverlessOf(w).CreateWorkgroup(ctx, &redshiftserverless.CreateWorkgroupInput{WorkgroupName: aws.String("reports"), NamespaceName: aws.String("reports"), Port: aws.Int32(5450),
		SubnetIds: w.ProducerNetwork.Subnets, SecurityGroupIds: []string{newGroup(ctx, t, producer(w), w.ProducerNetwork.VPC, "serverless")}})
	succeeds(t, err)
}

func shareWorkgroup(value string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		got, err := serverlessOf(w).GetWorkgroup(ctx, &redshiftserverless.GetWorkgroupInput{WorkgroupName: aws.String("reports")})
		succeeds(t, err)
		_, err = serverlessOf(w).TagResource(ctx, &redshiftserverless.TagResourceInput{ResourceArn: got.Workgroup.WorkgroupArn, Tags: []serverlesstypes.Tag{{Key: aws.String("drawbridge:share"), Value: &value}}})
		succeeds(t, err)
	}
}

func makeEndpoint(ctx context.Context, t *testing.T, w *scenario.World) {
	apart, err := producer(w).CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.9.0.0/16")})
	succeeds(t, err)
	subnet, err := producer(w).CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: apart.Vpc.VpcId, CidrBlock: aws.String("10.9.0.0/24")})
	succeeds(t, err)
	for name, subnets := range map[string][]string{"apart": {*subnet.Subnet.SubnetId}, "near": w.ProducerNetwork.Subnets[:2]} {
		_, err := redshiftOf(w).CreateClusterSubnetGroup(ctx, &redshift.CreateClusterSubnetGroupInput{ClusterSubnetGroupName: &name, Description: &name, SubnetIds: subnets})
		succeeds(t, err)
	}
	_, err = redshiftOf(w).CreateCluster(ctx, &redshift.CreateClusterInput{ClusterIdentifier: aws.String("warehouse"), NodeType: aws.String("ra3.large"), MasterUsername: aws.String("admin"),
		MasterUserPassword: aws.String("Password123"), ClusterSubnetGroupName: aws.String("apart"), VpcSecurityGroupIds: []string{newGroup(ctx, t, producer(w), *apart.Vpc.VpcId, "warehouse")},
		Tags: []redshifttypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}})
	succeeds(t, err)
	_, err = redshiftOf(w).CreateEndpointAccess(ctx, &redshift.CreateEndpointAccessInput{EndpointName: aws.String("near"), ClusterIdentifier: aws.String("warehouse"), SubnetGroupName: aws.String("near"),
		VpcSecurityGroupIds: []string{newGroup(ctx, t, producer(w), w.ProducerNetwork.VPC, "endpoint")}})
	succeeds(t, err)
}

func shareWhatIsNotServed(ctx context.Context, t *testing.T, w *scenario.World) {
	share := aws.String("drawbridge:share")
	_, err := databases(w).CreateDBCluster(ctx, &rds.CreateDBClusterInput{DBClusterIdentifier: aws.String("graph"), Engine: aws.String("neptune"), Port: aws.Int32(8182),
		DBSubnetGroupName: aws.String(w.Database.Name + "-subnets"), VpcSecurityGroupIds: []string{newGroup(ctx, t, producer(w), w.ProducerNetwork.VPC, "graph")},
		Tags: []rdstypes.Tag{{Key: share, Value: aws.String("true")}}})
	succeeds(t, err)
	_, err = ssm.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/sales/version"), Type: ssmtypes.ParameterTypeString,
		Value: aws.String("1"), Tags: []ssmtypes.Tag{{Key: share, Value: aws.String("true")}}})
	succeeds(t, err)
}

// closeClients gives alpha jobs in its second subnet and Ana in the first, and lets nobody out.
func closeClients(ctx context.Context, t *testing.T, w *scenario.World) {
	admitNotebookAlone(ctx, t, w)
	shutEgress(ctx, t, w)
	groups := map[string]string{}
	for _, name := range []string{"ana", "jobs"} {
		groups[name] = newGroup(ctx, t, consumer(w), w.ConsumerNetwork.VPC, name)
		_, err := consumer(w).RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: aws.String(groups[name]),
			IpPermissions: []ec2types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}})
		succeeds(t, err)
	}
	_, err := consumer(w).CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: &w.ConsumerNetwork.Subnets[1], Groups: []string{groups["jobs"]}})
	succeeds(t, err)
	studioFor(ctx, t, w, groups["ana"])
}

// studioFor gives the consumer a Studio domain in its first subnet, in which Ana works with a security group of her own.
func studioFor(ctx context.Context, t *testing.T, w *scenario.World, group string) {
	t.Helper()
	studio := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	settings := &sagemakertypes.UserSettings{ExecutionRole: aws.String(w.RoleARN("studio")), SecurityGroups: []string{w.ConsumerNetwork.Group}}
	_, err := studio.CreateDomain(ctx, &sagemaker.CreateDomainInput{DomainName: aws.String("research"), AuthMode: sagemakertypes.AuthModeIam, VpcId: &w.ConsumerNetwork.VPC,
		SubnetIds: w.ConsumerNetwork.Subnets[:1], AppNetworkAccessType: sagemakertypes.AppNetworkAccessTypeVpcOnly, DefaultUserSettings: settings})
	succeeds(t, err)
	_, err = studio.CreateUserProfile(ctx, &sagemaker.CreateUserProfileInput{DomainId: aws.String(scenario.StudioDomain), UserProfileName: aws.String("ana"),
		UserSettings: &sagemakertypes.UserSettings{SecurityGroups: []string{group}}})
	succeeds(t, err)
}

func markSubnet(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := consumer(w).CreateTags(ctx, &ec2.CreateTagsInput{Resources: w.ConsumerNetwork.Subnets[1:2], Tags: []ec2types.Tag{{Key: aws.String("drawbridge:client"), Value: aws.String("true")}}})
	succeeds(t, err)
}
