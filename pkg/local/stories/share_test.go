package stories

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// gateways are the stories about VPCs on a transit gateway that alpha shares with beta.
var gateways = []tale{
	{
		name:  "attach",
		title: "A VPC is attached to a shared transit gateway, and detached",
		about: `
alpha owns the transit gateway core, which accepts what is attached to it, and shares it with beta within the
organization. beta's VPC asks for it by a tag, with its name. beta never attached a VPC: AWS makes the service-linked role
that it attaches with, because Drawbridge's role may. Later the tag goes, and with it the attachment.`,
		prepare: gateway(true),
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing", "Nothing", "Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "Attached"}},
			{"The owner of beta takes the tag off.", attach(""), []string{"Announced", "Removed"}},
		},
		struck: []int{2},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
			attachments("deleted")(ctx, t, w, calls)
			hasLinkedRole(ctx, t, w)
		},
	},
	{
		name:  "attach-approval",
		title: "A VPC is attached once the gateway's owner approves",
		about: `
alpha owns the transit gateway core, and accepts attachments one by one. beta's VPC is attached and waits; the owner of
the gateway is told what would become reachable, and answers with a tag on the attachment, in their own account.`,
		prepare: gateway(false),
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing", "Nothing", "Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "AwaitingApproval"}},
			{"The owner of beta approves, in the wrong account: that says nothing.", answer(false, "approved"), []string{"Announced", "AwaitingApproval"}},
			{"The owner of alpha tags the attachment: drawbridge:approval=approved.", answer(true, "approved"), []string{"Announced", "Attached"}},
		},
		also: attachments("available"),
	},
	{
		name:    "attach-refused",
		title:   "The gateway's owner rejects an attachment",
		about:   "As in attach-approval.md, but the owner of the gateway says no. The attachment is rejected at AWS too.",
		prepare: gateway(false),
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing", "Nothing", "Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "AwaitingApproval"}},
			{"The owner of alpha tags the attachment: drawbridge:approval=rejected.", answer(true, "rejected"), []string{"Announced", "Refused", "Rejected"}},
		},
		also: nothingSaid("rejected"),
	},
	{
		name:  "attach-rejected",
		title: "The gateway's owner rejects an attachment by a call",
		about: `
As in attach-refused.md, but the owner of the gateway rejects the attachment at AWS. It ends as by the tag: nothing is left on it, on either side.`,
		prepare: gateway(false),
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing", "Nothing", "Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "AwaitingApproval"}},
			{"The owner of alpha calls ec2 RejectTransitGatewayVpcAttachment.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				must(t)(consumer(w).RejectTransitGatewayVpcAttachment(ctx, &ec2.RejectTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: attached(ctx, t, w)[0].TransitGatewayAttachmentId}))
			}, []string{"Rejected"}},
		},
		also: nothingSaid("rejected"),
	},
	{
		name:  "attach-invitation",
		title: "A gateway is shared by invitation",
		about: `
As in attach.md, but the organization does not share with itself: RAM invites beta. While no VPC of beta asks for the gateway, the
invitation is left as it is. Once one does, by its tag, Drawbridge accepts it for beta, as the policy says.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			gateway(true)(ctx, t, w)
			within(ctx, t, false)
			t.Cleanup(func() { within(context.WithoutCancel(ctx), t, true) })
		},
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing", "Nothing", "Nothing", "Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "Announced", "Attached", "Nothing", "Nothing", "Nothing"}},
		},
		fault:  func(*scenario.World) local.Injector { return acceptedLast },
		struck: []int{1},
		also:   attachments("available"),
	},
}

// gateway makes alpha's transit gateway core.
func gateway(accepts bool) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		options := &ec2types.TransitGatewayRequestOptions{AutoAcceptSharedAttachments: ec2types.AutoAcceptSharedAttachmentsValueDisable}
		if accepts {
			options.AutoAcceptSharedAttachments = ec2types.AutoAcceptSharedAttachmentsValueEnable
		}
		_, err := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).CreateTransitGateway(ctx, &ec2.CreateTransitGatewayInput{Options: options,
			TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeTransitGateway, Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("core")}}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// shareGateway shares alpha's gateway with beta.
func shareGateway(ctx context.Context, t *testing.T, w *scenario.World) {
	alpha := engine.Config(w.Consumer.Account, w.Consumer.Region)
	got, err := ec2.NewFromConfig(alpha).DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{})
	if err != nil || len(got.TransitGateways) != 1 {
		t.Fatalf("%d gateways, %v", len(got.TransitGateways), err)
	}
	if _, err := ram.NewFromConfig(alpha).CreateResourceShare(ctx, &ram.CreateResourceShareInput{Name: aws.String("core"),
		ResourceArns: []string{aws.ToString(got.TransitGateways[0].TransitGatewayArn)}, Principals: []string{w.Producer.Account}}); err != nil {
		t.Fatal(err)
	}
}

// within turns sharing within the organization on or off.
func within(ctx context.Context, t *testing.T, on bool) {
	client := organizations.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	var err error
	if on {
		_, err = client.EnableAWSServiceAccess(ctx, &organizations.EnableAWSServiceAccessInput{ServicePrincipal: aws.String("ram.amazonaws.com")})
	} else {
		_, err = client.DisableAWSServiceAccess(ctx, &organizations.DisableAWSServiceAccessInput{ServicePrincipal: aws.String("ram.amazonaws.com")})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// attach sets beta's tag drawbridge:attach, or takes it off.
func attach(value string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		client := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
		key := aws.String("drawbridge:attach")
		var err error
		if value == "" {
			_, err = client.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{w.ProducerNetwork.VPC}, Tags: []ec2types.Tag{{Key: key}}})
		} else {
			_, err = client.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{w.ProducerNetwork.VPC}, Tags: []ec2types.Tag{{Key: key, Value: &value}}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// attached returns the attachments of beta's VPC.
func attached(ctx context.Context, t *testing.T, w *scenario.World) []ec2types.TransitGatewayVpcAttachment {
	t.Helper()
	got, err := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{})
	if err != nil || len(got.TransitGatewayVpcAttachments) == 0 {
		t.Fatalf("%d attachments, %v", len(got.TransitGatewayVpcAttachments), err)
	}
	return got.TransitGatewayVpcAttachments
}

// answer tags the attachment in the gateway owner's account, or in the VPC's.
func answer(owner bool, value string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		home := w.Producer
		if owner {
			home = w.Consumer
		}
		if _, err := ec2.NewFromConfig(engine.Config(home.Account, home.Region)).CreateTags(ctx, &ec2.CreateTagsInput{
			Resources: []string{aws.ToString(attached(ctx, t, w)[0].TransitGatewayAttachmentId)},
			Tags:      []ec2types.Tag{{Key: aws.String("drawbridge:approval"), Value: aws.String(value)}},
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// attachments holds a story to one attachment in a state, with one subnet in each Availability Zone of the database.
// nothingSaid holds a story to attachments in a state, and to no status on them, as either owner sees them.
func nothingSaid(state string) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
		attachments(state)(ctx, t, w, calls)
		id := aws.ToString(attached(ctx, t, w)[0].TransitGatewayAttachmentId)
		for _, client := range []*ec2.Client{consumer(w), producer(w)} {
			got, err := client.DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{TransitGatewayAttachmentIds: []string{id}})
			succeeds(t, err)
			for _, one := range got.TransitGatewayAttachments[0].Tags {
				if key := aws.ToString(one.Key); key == "drawbridge:status" || key == "drawbridge:reason" || key == "drawbridge:since" || key == "drawbridge:pairs" {
					t.Errorf("%s says %s", key, aws.ToString(one.Value))
				}
			}
		}
	}
}

func attachments(state string) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
		all := attached(ctx, t, w)
		if len(all) != 1 || string(all[0].State) != state && !(state == "deleted" && all[0].State == "deleting") && !(state == "rejected" && all[0].State == "rejecting") {
			t.Errorf("got %d attachments, the first is %s, want one that is %s", len(all), all[0].State, state)
		}
		subnets := slices.Sorted(slices.Values(all[0].SubnetIds))
		if want := slices.Sorted(slices.Values(w.ProducerNetwork.Subnets[:2])); !slices.Equal(subnets, want) {
			t.Errorf("attached with %v, want %v", subnets, want)
		}
	}
}

// acceptedLast lets an invitation be accepted once a look at the attachment has ended: both begin at once, and either may be first.
func acceptedLast(c awscall.Call, when local.Moment) *local.Fault {
	if c.Action == "AcceptResourceShareInvitation" && when == local.Before {
		ctx, cancel := context.WithTimeout(context.Background(), stalled)
		defer cancel()
		_, _ = engine.Story().First(ctx, func(e story.End) bool { return e.Machine == "drawbridge-attachment" })
	}
	return nil
}
