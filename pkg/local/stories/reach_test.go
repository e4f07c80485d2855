package stories

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
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
			{"The owner of beta takes the tag drawbridge:reach off the VPC.", unreach, []string{"Announced", "Connected"}},
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

func unreach(ctx context.Context, t *testing.T, w *scenario.World) {
	_, err := producer(w).DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{w.ProducerNetwork.VPC}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:reach")}}})
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
