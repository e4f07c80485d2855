package stories

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// takebacks are the stories about owners who take a connection back the way they would try: by the tags that they gave it with.
var takebacks = []tale{
	{
		name:  "takeback-rejected",
		title: "An owner rejects a connection that stands",
		about: `
As in s1-peering.md. Then the owner of beta tags the active peering drawbridge:approval=rejected. What Drawbridge added goes on both
sides; the peering itself is its owners', and stays. When beta's owner approves, it is connected again.`,
		acts: []act{
			request("Connected"),
			{"The owner of beta tags the peering: drawbridge:approval=rejected.", approve("rejected"), []string{"Announced", "Removed"}},
			{"The owner of beta tags the peering: drawbridge:approval=approved.", approve("approved"), []string{"Announced", "Connected"}},
		},
		struck:    []int{2},
		connected: true,
	},
	{
		name:  "takeback-by-requester",
		title: "The requester takes its own connection back",
		about: `
As in takeback-rejected.md, but it is alpha's owner, who asked for it, that tags the peering in its own account.`,
		acts: []act{
			request("Connected"),
			{"The owner of alpha tags the peering: drawbridge:approval=rejected.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				mark(ctx, t, w.Consumer, w.Connection, "drawbridge:approval", "rejected")
			}, []string{"Announced", "Removed"}},
		},
		also: noRuleOfOurs,
	},
	{
		name:  "takeback-never",
		title: "The owner of a VPC takes no connections any more",
		about: `
As in s1-peering.md. Then the owner of beta tags the VPC drawbridge:accept=never, and what Drawbridge added goes on both sides. The sweep
of the next day leaves it so.`,
		acts: []act{
			request("Connected"),
			{"The owner of beta tags the VPC: drawbridge:accept=never.", neverMore, []string{"Announced", "Removed"}},
			{"The next day drawbridge-sweep starts.", startSweep, []string{"Swept", "Refused"}},
		},
		struck: []int{2},
		also:   noRuleOfOurs,
	},
	{
		name:  "takeback-gateway",
		title: "The owner of a VPC on a gateway takes no connections any more",
		about: `
As in transit.md, up to the connection. Then the owner of beta, whose database alpha reaches, tags the VPC drawbridge:accept=never: what
Drawbridge added for the pair goes, and the attachments stay. Without the tag it comes back.`,
		change:  onGateway,
		prepare: attachedPair,
		acts: []act{
			{"The pair of VPCs wants a look.", reaching(look(nil)), []string{"Connected"}},
			{"The owner of beta tags the VPC: drawbridge:accept=never.", neverMore, []string{"Announced", "Attached", "Removed"}},
			{"The owner of beta removes the tag.", reachedAsBefore(func(ctx context.Context, t *testing.T, w *scenario.World) {
				_, err := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).DeleteTags(ctx, &ec2.DeleteTagsInput{
					Resources: []string{w.ProducerNetwork.VPC}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:accept")}}})
				if err != nil {
					t.Fatal(err)
				}
			}), []string{"Announced", "Attached", "Connected"}},
		},
		connected: true,
	},
	{
		name:  "stranger-asks",
		title: "What a requester learns of a network that it may not reach",
		about: `
As in refused.md, but one of beta's tables already leads to alpha's addresses elsewhere, and the policy says no. The owner of alpha is
told which policy, and whom to ask: nothing of beta's network stands on its side of the peering or in an event.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			vpn(ctx, t, w)
			neverMore(ctx, t, w)
		},
		acts: []act{request("Refused")},
		also: toldOnlyThePolicy,
	},
}

// neverMore says that the producer's VPC takes no connections.
func neverMore(ctx context.Context, t *testing.T, w *scenario.World) {
	mark(ctx, t, w.Producer, w.ProducerNetwork.VPC, "drawbridge:accept", "never")
}

// toldOnlyThePolicy checks what the requester reads on the peering.
func toldOnlyThePolicy(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	got, err := consumer(w).DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{w.Connection}})
	if err != nil || len(got.VpcPeeringConnections) != 1 {
		t.Fatal(err, got)
	}
	tags := map[string]string{}
	for _, tag := range got.VpcPeeringConnections[0].Tags {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	want := "refused by policy accept-never ask the owner of account " + w.Producer.Account + " or who writes the policy"
	if tags["drawbridge:status"] != "Refused" || tags["drawbridge:reason"] != want {
		t.Errorf("the requester reads %v, want %q", tags, want)
	}
}
