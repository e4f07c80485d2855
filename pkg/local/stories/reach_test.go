package stories

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// farReaching are the stories about how far the routes of a connection go.
var farReaching = []tale{
	{
		name:  "reach-vpc",
		title: "Owners want all of their VPCs to be connected",
		about: `
As in s1-peering.md, but both VPCs carry the tag drawbridge:reach=vpc, as the how-tos that are published want it: every route table in use gets a route, to all
of the other VPC. Then the owner of beta takes the tag off. What leads to all of beta's VPC goes only once the routes to its database are there: the first
look adds these, and the next one takes the wide ones away.`,
		prepare: wholeVPCs,
		acts: []act{
			request("Connected"),
			{"The owner of beta takes the tag drawbridge:reach off the VPC.", unreached(producer, func(w *scenario.World) string { return w.ProducerNetwork.VPC }), []string{"Announced", "Connected"}},
			{"The owner of beta tags the VPC drawbridge:accept=auto again.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				_, err := producer(w).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{w.ProducerNetwork.VPC}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:accept"), Value: aws.String("auto")}}})
				succeeds(t, err)
			}, []string{"Announced", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: leads("10.2.0.0/16", "10.2.0.0/16", "10.2.0.0/16"),
			2: leads("10.2.0.0/16 10.2.0.0/23", "10.2.0.0/16 10.2.0.0/23", "10.2.0.0/16 10.2.0.0/23"),
			3: leads("10.2.0.0/23", "10.2.0.0/23", "10.2.0.0/23"),
		},
		connected: true,
	},
	{
		name:  "reach-none",
		title: "An owner keeps a subnet and a route table out",
		about: `
As in s1-peering.md, but the owner of beta keeps the second of the database's subnets out by the tag drawbridge:reach=none: nothing leads there. Then the owner of
alpha keeps the route table of the notebook out. Its route goes, and the notebook is no client any more.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			reachTag(ctx, t, producer(w), "none", w.ProducerNetwork.Subnets[1])
		},
		acts: []act{
			request("Connected"),
			{"The owner of alpha tags the route table of the notebook drawbridge:reach=none.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				reachTag(ctx, t, consumer(w), "none", w.ConsumerNetwork.Tables[0])
			}, []string{"Announced", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: leads("10.2.0.0/24", "", ""),
			2: leads("", "", ""),
		},
	},
	{
		name:  "reach-later",
		title: "A notebook comes to a connection that nobody used",
		about: `
As in s1-peering.md, but alpha has no notebook. The connection stands without a route, and says what would bring one. Then somebody makes a notebook: it is seen
when it runs, and the routes come. What it lacks then is its host route: it runs, and nobody allowed to restart it.`,
		change: func(s *scenario.Spec) { s.Notebook = scenario.Notebook{} },
		unruly: true, // the notebook is seen twice, and the looks at the connection may meet
		acts: []act{
			request("Connected"),
			{"Somebody in alpha calls sagemaker CreateNotebookInstance.", newNotebook, []string{"InSync", "PartlyConnected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: leads("", "", ""),
			2: leads("", "10.2.0.0/23", ""),
		},
		connected: true,
	},
	{
		name:  "reach-gateway",
		title: "People of Studio and jobs in a marked subnet call over a transit gateway",
		about: `
As in s5-gateway.md, and beside the function and the notebook Ana works in a Studio domain with a security group of her own, and the second subnet is marked as one
of jobs. Each of the tables behind them gets the route to the database's subnets, and no other.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			attachedPair(ctx, t, w)
			settled(ctx, t)
			studioFor(ctx, t, w, newGroup(ctx, t, consumer(w), w.ConsumerNetwork.VPC, "ana"))
			settled(ctx, t)
			jobs := newGroup(ctx, t, consumer(w), w.ConsumerNetwork.VPC, "jobs")
			_, err := consumer(w).CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: &w.ConsumerNetwork.Subnets[1], Groups: []string{jobs}})
			succeeds(t, err)
			markSubnet(ctx, t, w)
		},
		acts:      []act{{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}}},
		connected: true,
	},
	{
		name:  "reach-group",
		title: "An owner keeps a database's security group out",
		about: `
As in s1-peering.md, but the owner of beta keeps the database's security group out by the tag drawbridge:reach=none. It is the only one that the database has: nothing
is opened, nothing leads there, and the verdict says whose tag that is. Then beta takes the tag off, and the path comes. Then beta sets it again, and what was
opened goes; and gives the database another group, by which it is opened.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			reachTag(ctx, t, producer(w), "none", w.ProducerNetwork.Group)
		},
		acts: []act{
			request("PartlyConnected"),
			{"The owner of beta takes the tag drawbridge:reach off the security group.", unreached(producer, groupOfDatabase), []string{"Announced", "Connected"}},
			{"The owner of beta tags the security group drawbridge:reach=none again.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				reachTag(ctx, t, producer(w), "none", w.ProducerNetwork.Group)
			}, []string{"Announced", "PartlyConnected"}},
			{"The owner of beta gives the database another security group as well.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				more := newGroup(ctx, t, producer(w), w.ProducerNetwork.VPC, "more")
				w.Also = map[string]string{more: "sg-more"}
				_, err := databases(w).ModifyDBInstance(ctx, &rds.ModifyDBInstanceInput{DBInstanceIdentifier: &w.Database.Name, VpcSecurityGroupIds: []string{w.ProducerNetwork.Group, more}, ApplyImmediately: aws.Bool(true)})
				succeeds(t, err)
			}, []string{"Announced", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: each(admitsAlone("database"), leads("", "", "")),
			2: each(admitsAlone("database", 3306), leads("10.2.0.0/23", "", "")),
			3: each(admitsAlone("database"), leads("", "", "")),
			4: each(admitsAlone("database"), admitsAlone("more", 3306), leads("10.2.0.0/23", "", "")),
		},
		struck: []int{3},
	},
	{
		name:  "reach-group-client",
		title: "An owner keeps a notebook's security group out",
		about: `
As in s1-peering.md, but the security group of the notebook lets nothing out. Once that is connected the owner of alpha keeps that group out by the tag
drawbridge:reach=none: the rule that let it out goes, the one that let it in at beta goes, and so do the routes, as nothing else in alpha calls. Then alpha takes the
tag off, and all of it comes back.`,
		prepare: shutEgress,
		acts: []act{
			request("Connected"),
			{"The owner of alpha tags the security group of the notebook drawbridge:reach=none.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				reachTag(ctx, t, consumer(w), "none", w.ConsumerNetwork.Group)
			}, []string{"Announced", "Connected"}},
			{"The owner of alpha takes the tag off.", unreached(consumer, groupOfNotebook), []string{"Announced", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: each(admitsAlone("database", 3306), marked(consumer, groupOfNotebook, 1), leads("10.2.0.0/23", "", "")),
			2: each(admitsAlone("database"), marked(consumer, groupOfNotebook, 0), leads("", "", "")),
			3: each(admitsAlone("database", 3306), marked(consumer, groupOfNotebook, 1), leads("10.2.0.0/23", "", "")),
		},
		connected: true,
	},
	{
		name:  "reach-group-gateway",
		title: "Owners keep security groups out over a transit gateway",
		about: `
As in s5-gateway.md, with a function whose security group lets nothing out, and a notebook. Once the pair is connected the owner of alpha keeps the group of the function
out by the tag drawbridge:reach=none: what let it out goes, and the notebook reaches the database as before. Then the owner of beta keeps the group of the database out:
what let the notebook in goes. Then both take their tags off, and all of it comes back.`,
		change:  onGateway,
		prepare: attachedPair,
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The owner of alpha tags the security group of the function drawbridge:reach=none.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				reachTag(ctx, t, consumer(w), "none", w.FunctionGroup)
			}, []string{"Announced", "Attached", "Connected"}},
			{"The owner of beta tags the security group of the database drawbridge:reach=none.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				reachTag(ctx, t, producer(w), "none", w.ProducerNetwork.Group)
			}, []string{"Announced", "Attached", "PartlyConnected"}},
			{"The owner of beta takes the tag off.", unreached(producer, groupOfDatabase), []string{"Announced", "Attached", "Connected"}},
			{"The owner of alpha takes the tag off.", unreached(consumer, groupOfFunction), []string{"Announced", "Attached", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: each(marked(consumer, groupOfFunction, 1), marked(producer, groupOfDatabase, 2)),
			2: each(marked(consumer, groupOfFunction, 0), marked(producer, groupOfDatabase, 1)),
			3: each(marked(consumer, groupOfFunction, 0), marked(producer, groupOfDatabase, 0)),
			4: each(marked(consumer, groupOfFunction, 0), marked(producer, groupOfDatabase, 1)),
			5: each(marked(consumer, groupOfFunction, 1), marked(producer, groupOfDatabase, 2)),
		},
		connected: true,
	},
}

// The security groups of the three.
func groupOfNotebook(w *scenario.World) string { return w.ConsumerNetwork.Group }
func groupOfFunction(w *scenario.World) string { return w.FunctionGroup }
func groupOfDatabase(w *scenario.World) string { return w.ProducerNetwork.Group }

// marked holds a security group to how many of its rules are Drawbridge's.
func marked(whose func(*scenario.World) *ec2.Client, of func(*scenario.World) string, want int) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		got, err := whose(w).DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: []string{of(w)}}}})
		succeeds(t, err)
		var there []string
		for _, r := range got.SecurityGroupRules {
			if slices.ContainsFunc(r.Tags, func(t ec2types.Tag) bool { return aws.ToString(t.Key) == "drawbridge:connection" }) {
				there = append(there, aws.ToString(r.SecurityGroupRuleId))
			}
		}
		if len(there) != want {
			t.Errorf("%s has %v of Drawbridge's, want %d", of(w), there, want)
		}
	}
}

// each does several checks.
func each(checks ...func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		for _, check := range checks {
			check(ctx, t, w)
		}
	}
}

// unreached takes the tag about how far connections go off a thing of an owner's.
func unreached(whose func(*scenario.World) *ec2.Client, of func(*scenario.World) string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		_, err := whose(w).DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{of(w)}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:reach")}}})
		succeeds(t, err)
	}
}

// wholeVPCs says for both owners that connections reach all of their VPCs.
func wholeVPCs(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	reachTag(ctx, t, consumer(w), "vpc", w.ConsumerNetwork.VPC)
	reachTag(ctx, t, producer(w), "vpc", w.ProducerNetwork.VPC)
}

// reachTag tags a thing with how far connections go.
func reachTag(ctx context.Context, t *testing.T, client *ec2.Client, value, id string) {
	t.Helper()
	_, err := client.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:reach"), Value: &value}}})
	succeeds(t, err)
}

// newNotebook makes a notebook in the consumer's second subnet.
func newNotebook(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).CreateNotebookInstance(ctx, &sagemaker.CreateNotebookInstanceInput{
		NotebookInstanceName: aws.String("late"), InstanceType: sagemakertypes.InstanceTypeMlT3Medium, RoleArn: aws.String(w.RoleARN("notebook")),
		SubnetId: &w.ConsumerNetwork.Subnets[1], SecurityGroupIds: []string{w.ConsumerNetwork.Group}})
	succeeds(t, err)
}

// leads holds a story to where each table of the consumer leads through the connection: destinations, with blanks between.
func leads(tables ...string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		for n, want := range tables {
			got, err := consumer(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: w.ConsumerNetwork.Tables[n : n+1]})
			succeeds(t, err)
			var there []string
			for _, r := range got.RouteTables[0].Routes {
				if aws.ToString(r.VpcPeeringConnectionId) == w.Connection {
					there = append(there, aws.ToString(r.DestinationCidrBlock))
				}
			}
			slices.Sort(there)
			if text := strings.Join(there, " "); text != want {
				t.Errorf("table %d leads to %q, want %q", n+1, text, want)
			}
		}
	}
}
