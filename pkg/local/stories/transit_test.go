package stories

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// transits are the stories of pairs of VPCs on a transit gateway. What asks for the look is put on the hub's bus here.
var transits = []tale{
	{
		name:  "transit",
		title: "A function reaches a database over a shared transit gateway",
		about: `
Account 111111111111 (alpha) owns a transit gateway and shares it. Its VPC 10.0.0.0/16 has a Lambda function in
10.0.128.0/28, whose security group lets nothing out, and a notebook in 10.0.0.0/24. Account 222222222222 (beta) has a
MySQL database in 10.1.128.0/28 with the tag drawbridge:share=true. Both VPCs are attached to the gateway, and nothing
leads to it. Then beta's attachment is deleted.`,
		change:  onGateway,
		prepare: attachedPair,
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The pair is looked at again; nothing is added.", look(nil), []string{"Connected"}},
			{"The owner of beta deletes the attachment; the pair wants a look.", look((*scenario.World).Detach), []string{"Removed"}},
		},
		struck: []int{1},
		also:   untouchedRoute,
	},
	{
		name:   "transit-pending",
		title:  "Somebody looks before the attachments are available",
		about:  "As in transit.md, but the look comes right after the attachments were made.",
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			quiet(ctx, t, w)
			succeeds(t, w.ShareGateway(ctx))
		},
		acts: []act{{"Both VPCs are attached, and given to Drawbridge; the pair wants a look.", func(ctx context.Context, t *testing.T, w *scenario.World) {
			succeeds(t, w.Attach(ctx))
			given(ctx, t, w)
			look(nil)(ctx, t, w)
		}, []string{"Connected"}}},
		connected: true,
		unruly:    true,
	},
	{
		name:  "transit-beside",
		title: "Two VPCs on one gateway are peered already",
		about: `
As in transit.md, but the two VPCs are peered and connected through the peering, beta has an Aurora cluster as well, and
no security group of alpha lets anything out. What the peering reaches gets no second route.`,
		change: onBoth,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			quiet(ctx, t, w)
			closeEgress(ctx, t, w)
			succeeds(t, w.ShareGateway(ctx))
			succeeds(t, w.Attach(ctx))
			succeeds(t, w.Attached(ctx))
		},
		acts: []act{
			request("Connected"),
			{"The attachments are given to Drawbridge; the pair of VPCs wants a look.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				given(ctx, t, w)
				look(nil)(ctx, t, w)
			}, []string{"Connected"}},
		},
		connected: true,
	},
	{
		name:  "transit-refused",
		title: "Two VPCs on one gateway have nothing for each other",
		about: "As in transit.md, but the database is not shared: being on one gateway is no reason to be connected.",
		change: func(s *scenario.Spec) {
			onGateway(s)
			s.Share = ""
		},
		prepare: attachedPair,
		acts:    []act{{"The pair of VPCs wants a look.", look(nil), []string{"Refused"}}},
		also:    never("CreateRoute"),
	},
}

// onGateway makes the world that of the fifth scenario, in the story's own accounts.
func onGateway(s *scenario.Spec) {
	consumer, producer := s.Consumer.Account, s.Producer.Account
	*s = scenario.S5()
	s.Consumer.Account, s.Producer.Account = consumer, producer
}

// onBoth makes the world that of the fifth scenario, whose accounts may be peered as well.
func onBoth(s *scenario.Spec) {
	onGateway(s)
	s.Accept = "auto"
}

// attachedAndGiven attaches both VPCs, as their owners, and gives the attachments to Drawbridge.
func attachedAndGiven(ctx context.Context, t *testing.T, w *scenario.World) {
	quiet(ctx, t, w)
	succeeds(t, w.ShareGateway(ctx))
	succeeds(t, w.Attach(ctx))
	succeeds(t, w.Attached(ctx))
	given(ctx, t, w)
}

func attachedPair(ctx context.Context, t *testing.T, w *scenario.World) {
	attachedAndGiven(ctx, t, w)
	// The owner's own way to another network of the gateway.
	_, err := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).CreateRoute(ctx, &ec2.CreateRouteInput{
		RouteTableId: aws.String(w.ConsumerNetwork.Tables[0]), DestinationCidrBlock: aws.String("10.99.0.0/16"), TransitGatewayId: &w.Gateway})
	succeeds(t, err)
}

// given makes the ledger know both attachments, as drawbridge-attachment does when an owner gives them to Drawbridge.
func given(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	for _, side := range []struct {
		home scenario.Home
		net  scenario.Network
	}{{w.Consumer, w.ConsumerNetwork}, {w.Producer, w.ProducerNetwork}} {
		_, err := book().Begin(ctx, ledger.Connection{ID: side.net.Attachment, Kind: road.Attachment, Origin: ledger.Adopted, Sides: []ledger.Side{
			{Role: "requester", Account: side.home.Account, Region: side.home.Region, ID: side.net.VPC},
			{Role: "accepter", Account: w.Consumer.Account, Region: w.Consumer.Region, ID: w.Gateway}}})
		succeeds(t, err)
	}
}

// settled waits until all is over that the making of the world set in motion: an event about a database would have the pair looked at.
func settled(ctx context.Context, t *testing.T) {
	t.Helper()
	_, err := engine.Settle(ctx, 0)
	succeeds(t, err)
}

// quiet switches off the rules that forward what happens to shares and attachments: these stories are about pairs alone. What happened before is over then.
func quiet(ctx context.Context, t *testing.T, w *scenario.World) {
	for _, home := range []scenario.Home{w.Consumer, w.Producer} {
		client := eventbridge.NewFromConfig(engine.Config(home.Account, home.Region))
		for _, kind := range []string{"share", "share-call", "attachment"} {
			_, err := client.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: aws.String("drawbridge-forward-" + kind)})
			succeeds(t, err)
		}
	}
	settled(ctx, t)
}

// look asks for a look at the pair, after somebody did something.
func look(first func(*scenario.World, context.Context) error) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		if first != nil {
			succeeds(t, first(w, ctx))
		}
		succeeds(t, w.Look(ctx, engine.Config(local.HubAccount, w.Consumer.Region), "drawbridge"))
	}
}

// untouchedRoute checks that the owner's route to the gateway is there at the end, and nothing else leads to it.
func untouchedRoute(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	for _, side := range []struct {
		home scenario.Home
		net  scenario.Network
		want string
	}{{w.Consumer, w.ConsumerNetwork, "10.99.0.0/16 "}, {w.Producer, w.ProducerNetwork, ""}} {
		got, err := ec2.NewFromConfig(engine.Config(side.home.Account, side.home.Region)).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: side.net.Tables})
		succeeds(t, err)
		left := ""
		for _, table := range got.RouteTables {
			for _, r := range table.Routes {
				if r.TransitGatewayId != nil {
					left += aws.ToString(r.DestinationCidrBlock) + " "
				}
			}
		}
		if left != side.want {
			t.Errorf("to the gateway lead %q of %s, want %q", left, side.home.Name, side.want)
		}
	}
}

func succeeds(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
