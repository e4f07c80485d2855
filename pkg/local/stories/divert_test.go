package stories

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// diverted are the stories about routes beside wider ones.
var diverted = []tale{
	{
		name:  "divert",
		title: "A firewall has all of 10.0.0.0/8",
		about: `
As in s1-peering.md, but the table of alpha's notebook leads 10.0.0.0/8 to a firewall. A route to the database would lead past it, so the request is refused, and
alpha's owner reads what would leave what. They tag the table with the firewall's interface, and the connection stands; what leaves the firewall is in its
verdict. They take the tag off again: the route goes, and the question is asked anew. The VPC's tag answers it as well. Last, what Drawbridge added is taken
back; the owner's route was never touched.`,
		prepare: firewalled,
		acts: []act{
			request("Refused"),
			{"The owner of alpha tags the notebook's route table: drawbridge:divert=eni-1.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				mark(ctx, t, w.Consumer, w.ConsumerNetwork.Tables[0], tag.Divert, wallOf(ctx, t, w))
			}, []string{"Announced", "Connected"}},
			{"The owner of alpha takes that tag off.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				_, err := consumer(w).DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: w.ConsumerNetwork.Tables[:1], Tags: []ec2types.Tag{{Key: aws.String(tag.Divert)}}})
				succeeds(t, err)
			}, []string{"Announced", "Conflict"}},
			{"The owner of alpha tags the VPC: drawbridge:divert=true.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				mark(ctx, t, w.Consumer, w.ConsumerNetwork.VPC, tag.Divert, "true")
			}, []string{"Announced", "Connected"}},
			{"The owner of alpha tags the peering: drawbridge:manage=undo.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				mark(ctx, t, w.Consumer, w.Connection, tag.Manage, tag.Undo)
			}, []string{"Announced", "Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: pastFirewall(""), 2: pastFirewall("10.2.0.0/23"), 3: pastFirewall(""), 4: pastFirewall("10.2.0.0/23"), 5: pastFirewall(""),
		},
	},
}

// everywhere10 is what the firewall has.
const everywhere10 = "10.0.0.0/8"

// firewalled leads 10.0.0.0/8 of the notebook's table to a network interface.
func firewalled(ctx context.Context, t *testing.T, w *scenario.World) {
	made, err := consumer(w).CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: &w.ConsumerNetwork.Subnets[1]})
	succeeds(t, err)
	_, err = consumer(w).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &w.ConsumerNetwork.Tables[0], DestinationCidrBlock: aws.String(everywhere10),
		NetworkInterfaceId: made.NetworkInterface.NetworkInterfaceId})
	succeeds(t, err)
}

// wallOf returns the interface that 10.0.0.0/8 is led to.
func wallOf(ctx context.Context, t *testing.T, w *scenario.World) string {
	t.Helper()
	got, err := consumer(w).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: w.ConsumerNetwork.Tables[:1]})
	succeeds(t, err)
	for _, r := range got.RouteTables[0].Routes {
		if aws.ToString(r.DestinationCidrBlock) == everywhere10 {
			return aws.ToString(r.NetworkInterfaceId)
		}
	}
	t.Fatal("nothing leads to the firewall")
	return ""
}

// pastFirewall holds a story to what the notebook's table leads through the connection, beside what it leads to the firewall.
func pastFirewall(destination string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		wallOf(ctx, t, w)
		leads(destination)(ctx, t, w)
	}
}
