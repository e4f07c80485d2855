package stories

import (
	"context"
	"regexp"
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

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// followed are the stories about connections that follow what changes, also by losing something.
var followed = []tale{
	{
		name:  "change-cidr-removed",
		title: "A VPC loses addresses",
		about: `
As in change-cidr.md. Then beta's owner takes the second CIDR block out of the VPC, and what was added for it goes again:
routes, rules and the notebook's host routes. All else stays, and in between nothing else was touched.`,
		prepare: wholeVPCs,
		acts: []act{
			request("Connected"),
			{"The owner of beta associates 10.77.0.0/16 with the VPC.", noting(associate("10.77.0.0/16")), []string{"Announced", "Connected"}},
			{"The owner of beta disassociates it.", disassociate("10.77.0.0/16"), []string{"Announced", "Connected"}},
		},
		connected: true,
		also:      asConnected,
	},
	{
		name:    "change-cidr-requester",
		title:   "The VPC with the notebook gets and loses addresses",
		about:   "As in change-cidr-removed.md, but on alpha's side: beta's routes and its database's rules follow.",
		prepare: wholeVPCs,
		acts: []act{
			request("Connected"),
			{"The owner of alpha associates 10.78.0.0/16 with the VPC.", noting(mine("10.78.0.0/16")), []string{"Announced", "Connected"}},
			{"The owner of alpha disassociates it.", mineNoMore("10.78.0.0/16"), []string{"Announced", "Connected"}},
		},
		connected: true,
		also:      asConnected,
	},
	{
		name:  "change-unshared",
		title: "A database is shared no more",
		about: `
As in s1-peering.md. Then the owner of beta takes the tag off the database, and Drawbridge's rule in its security group
goes. The routes stay: the two VPCs are still connected.`,
		acts: []act{
			request("Connected"),
			{"The owner of beta removes the tag drawbridge:share from the database.", unshare, []string{"Announced", "Connected"}},
		},
		also: noRuleOfOurs,
	},
	{
		name:  "change-port",
		title: "A database moves to another port",
		about: `
As in s1-peering.md, but alpha's security group lets nothing out by itself. Then the owner of beta gives the database port
3307. It says so twice, when the owner calls and when the database has restarted; the rules for 3307 come on both sides,
and those for 3306 go.`,
		prepare: shutEgress,
		acts: []act{
			request("Connected"),
			{"The owner of beta gives the database port 3307.", movePort(3307), []string{"Announced", "Connected"}},
		},
		unruly: true, // two events, so two executions
		also:   onlyPort(3307),
	},
	{
		name:  "change-deleted",
		title: "A database is deleted",
		about: "As in s1-peering.md. Then the owner of beta deletes the database, and Drawbridge's rule for it goes.",
		acts: []act{
			request("Connected"),
			{"The owner of beta deletes the database.", dropDatabase, []string{"Announced", "Connected"}},
		},
		also: noRuleOfOurs,
	},
	{
		name:  "change-created",
		title: "A second database comes",
		about: "As in s1-peering.md. Then beta gets another database with the share tag, on port 3309.",
		acts: []act{
			request("Connected"),
			{"The owner of beta creates a database with the tag drawbridge:share=true.", newDatabase(3309), []string{"Announced", "Connected"}},
		},
		unruly:    true, // the call and RDS both tell of it, and here at the same moment
		connected: true,
		also:      admits(3309),
	},
	{
		name:  "change-warehouse",
		title: "A Redshift cluster comes and goes",
		about: `
As in s1-peering.md. Then beta gets a Redshift cluster with the share tag, and loses it again. In AWS a cluster that was
just created has no port for some minutes; then the next sweep finds it.`,
		acts: []act{
			request("Connected"),
			{"The owner of beta creates a Redshift cluster with the tag drawbridge:share=true.", noting(makeWarehouse), []string{"Announced", "Connected"}},
			{"The owner of beta deletes it.", dropWarehouse, []string{"Announced", "Connected", "Nothing"}},
		},
		connected: true,
		also:      asConnected,
	},
	{
		name:  "change-subnet",
		title: "A new subnet uses the main route table",
		about: `
As in s1-peering.md. Then beta's VPC gets a subnet without a route table of its own. It uses the main one, which no subnet
used before and which therefore has no route to alpha yet.`,
		prepare: wholeVPCs,
		acts: []act{
			request("Connected"),
			{"The owner of beta makes a subnet.", plainSubnet, []string{"Announced", "Connected"}},
		},
		connected: true,
		also:      mainRouted,
	},
}

// noting notes what the connected accounts are, before somebody does something.
func noting(do func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		remember(ctx, t, w)
		do(ctx, t, w)
	}
}

// asConnected holds both accounts to what was noted, but for when the status was said: meanwhile it told of more paths.
func asConnected(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	t.Helper()
	for _, h := range []scenario.Home{w.Consumer, w.Producer} {
		before, now := saidAt.ReplaceAllString(remembered[w][h.Account], ""), saidAt.ReplaceAllString(snapshot(ctx, t, w, h), "")
		if len(before) == 0 || before != now {
			t.Errorf("%s is not what it was: %s", h.Name, difference(before, now))
		}
	}
}

var saidAt = regexp.MustCompile(`(?m)^peering tag drawbridge:since=.*$`)

func consumer(w *scenario.World) *ec2.Client {
	return ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
}

// without takes a CIDR block out of a VPC.
func without(ctx context.Context, t *testing.T, client *ec2.Client, vpc, cidr string) {
	t.Helper()
	got, err := client.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{vpc}})
	done(t, err)
	for _, a := range got.Vpcs[0].CidrBlockAssociationSet {
		if aws.ToString(a.CidrBlock) == cidr && a.CidrBlockState.State == ec2types.VpcCidrBlockStateCodeAssociated {
			_, err := client.DisassociateVpcCidrBlock(ctx, &ec2.DisassociateVpcCidrBlockInput{AssociationId: a.AssociationId})
			done(t, err)
			return
		}
	}
	t.Fatalf("%s has no %s", vpc, cidr)
}

// disassociate takes a CIDR block out of the producer's VPC.
func disassociate(cidr string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		without(ctx, t, producer(w), w.ProducerNetwork.VPC, cidr)
	}
}

// mine and mineNoMore give the consumer's VPC a CIDR block and take it back.
func mine(cidr string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		_, err := consumer(w).AssociateVpcCidrBlock(ctx, &ec2.AssociateVpcCidrBlockInput{VpcId: &w.ConsumerNetwork.VPC, CidrBlock: &cidr})
		done(t, err)
	}
}

func mineNoMore(cidr string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		without(ctx, t, consumer(w), w.ConsumerNetwork.VPC, cidr)
	}
}

func databases(w *scenario.World) *rds.Client {
	return rds.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
}

func unshare(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := databases(w).RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{
		ResourceName: aws.String("arn:aws:rds:" + w.Producer.Region + ":" + w.Producer.Account + ":db:" + w.Database.Name), TagKeys: []string{"drawbridge:share"}})
	done(t, err)
}

func movePort(port int32) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		_, err := databases(w).ModifyDBInstance(ctx, &rds.ModifyDBInstanceInput{DBInstanceIdentifier: &w.Database.Name, DBPortNumber: &port, ApplyImmediately: aws.Bool(true)})
		done(t, err)
	}
}

func dropDatabase(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := databases(w).DeleteDBInstance(ctx, &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &w.Database.Name, SkipFinalSnapshot: aws.Bool(true)})
	done(t, err)
}

func newDatabase(port int32) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		_, err := databases(w).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: aws.String("returns"), DBInstanceClass: aws.String("db.t4g.micro"),
			Engine: aws.String("mysql"), Port: &port, AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("admin"), ManageMasterUserPassword: aws.Bool(true),
			DBSubnetGroupName: aws.String(w.Database.Name + "-subnets"), VpcSecurityGroupIds: []string{w.ProducerNetwork.Group},
			Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}})
		done(t, err)
	}
}

func redshiftOf(w *scenario.World) *redshift.Client {
	return redshift.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
}

func makeWarehouse(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := redshiftOf(w).CreateClusterSubnetGroup(ctx, &redshift.CreateClusterSubnetGroupInput{ClusterSubnetGroupName: aws.String("warehouse-subnets"),
		Description: aws.String("where the warehouse lives"), SubnetIds: w.ProducerNetwork.Subnets[:2]})
	done(t, err)
	_, err = redshiftOf(w).CreateCluster(ctx, &redshift.CreateClusterInput{ClusterIdentifier: aws.String("warehouse"), NodeType: aws.String("ra3.large"),
		ClusterType: aws.String("single-node"), MasterUsername: aws.String("admin"), MasterUserPassword: aws.String("Password123"), ClusterSubnetGroupName: aws.String("warehouse-subnets"),
		VpcSecurityGroupIds: []string{w.ProducerNetwork.Group}, Tags: []redshifttypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}}})
	done(t, err)
}

func dropWarehouse(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := redshiftOf(w).DeleteCluster(ctx, &redshift.DeleteClusterInput{ClusterIdentifier: aws.String("warehouse"), SkipFinalClusterSnapshot: aws.Bool(true)})
	done(t, err)
}

func plainSubnet(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := producer(w).CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &w.ProducerNetwork.VPC, CidrBlock: aws.String("10.2.9.0/24")})
	done(t, err)
}

// shutEgress takes the rule off the notebook's group that lets everything out.
func shutEgress(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := consumer(w).RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &w.ConsumerNetwork.Group,
		IpPermissions: []ec2types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}})
	done(t, err)
}

// mainRouted holds a story to a route in the producer's main route table.
func mainRouted(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	got, err := producer(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{
		{Name: aws.String("vpc-id"), Values: []string{w.ProducerNetwork.VPC}}, {Name: aws.String("association.main"), Values: []string{"true"}}}})
	if err != nil || len(got.RouteTables) != 1 {
		t.Fatal(err, len(got.RouteTables))
	}
	if !slices.ContainsFunc(got.RouteTables[0].Routes, func(r ec2types.Route) bool { return aws.ToString(r.VpcPeeringConnectionId) == w.Connection }) {
		t.Errorf("the main table does not lead through %s", w.Connection)
	}
}

// rulesOfOurs returns what Drawbridge's rules admit, by account.
func rulesOfOurs(ctx context.Context, t *testing.T, w *scenario.World) map[string][]int32 {
	t.Helper()
	out := map[string][]int32{}
	for _, client := range []*ec2.Client{consumer(w), producer(w)} {
		got, err := client.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{})
		done(t, err)
		if len(got.SecurityGroupRules) == 0 {
			t.Fatal("there are no rules at all")
		}
		for _, r := range got.SecurityGroupRules {
			if slices.ContainsFunc(tagTexts(r.Tags), func(tag string) bool { return strings.HasPrefix(tag, "drawbridge:connection=") }) {
				out[aws.ToString(r.GroupOwnerId)] = append(out[aws.ToString(r.GroupOwnerId)], aws.ToInt32(r.FromPort))
			}
		}
	}
	return out
}

func noRuleOfOurs(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	if got := rulesOfOurs(ctx, t, w); len(got) > 0 {
		t.Errorf("rules of Drawbridge's stay: %v", got)
	}
}

// onlyPort holds a story to rules for this port on each side, and no others: one for each subnet or group of clients.
func onlyPort(port int32) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
		got := rulesOfOurs(ctx, t, w)
		for _, account := range []string{w.Consumer.Account, w.Producer.Account} {
			if !slices.Equal(slices.Compact(slices.Sorted(slices.Values(got[account]))), []int32{port}) {
				t.Errorf("in %s Drawbridge's rules are for %v, want %d", account, got[account], port)
			}
		}
	}
}

// admits holds a story to a rule of Drawbridge's for this port at the producer.
func admits(port int32) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
		if got := rulesOfOurs(ctx, t, w)[w.Producer.Account]; !slices.Contains(got, port) {
			t.Errorf("Drawbridge's rules are for %v, want also %d", got, port)
		}
	}
}
