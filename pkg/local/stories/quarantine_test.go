package stories

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// quarantines are the stories about a gateway whose owner decides who is in its route tables.
var quarantines = []tale{
	{
		name:  "quarantine",
		title: "A consumer asks for a gateway that keeps it in quarantine",
		about: `
alpha's gateway core associates and propagates nothing by itself; one of its route tables is tagged drawbridge:association=default and
drawbridge:propagation=default. beta's VPC was attached to it by hand, before Drawbridge, and alpha's network team left it in no route table.
beta's owner asks for the gateway by a tag, and then by drawbridge:manage=true: the table stays closed, and beta hears who decides. Once beta
asks no more, nothing of that is said any more on either side. When alpha's owner gives the attachment to Drawbridge, it is associated; with
drawbridge:manage=undo that is taken back, and nothing else.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			silently(ctx, t, w, func() {
				closedGateway(ctx, t, w)
				succeeds(t, w.Lend(ctx))
				byHand(ctx, t, w, w.Producer, w.ProducerNetwork, false)
			})
		},
		acts: []act{
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "Refused"}},
			{"The owner of beta tags the attachment in the own account: drawbridge:manage=true.", manages(false, "true"), []string{"Announced", "Refused"}},
			{"The next day drawbridge-sweep starts.", startSweep, []string{"Refused", "Swept"}},
			{"The owner of beta takes the tag drawbridge:attach off the VPC.", attach(""), []string{"Announced", "Refused"}},
			{"The owner of beta takes the tag drawbridge:manage off the attachment.", manages(false, ""), []string{"Announced", "Removed"}},
			{"The owner of alpha tags the attachment: drawbridge:manage=true.", manages(true, "true"), []string{"Announced", "Attached"}},
			{"The owner of alpha tags the attachment: drawbridge:manage=undo.", manages(true, "undo"), []string{"Announced", "Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: closedAndSaid, 2: closedAndSaid, 3: closedAndSaid, 4: closedAndSaid, 5: closedAndUnsaid, 6: inTable(true),
			7: func(ctx context.Context, t *testing.T, w *scenario.World) {
				inTable(false)(ctx, t, w)
				noEntryIsLeft(ctx, t, w)
			},
		},
		struck: []int{7},
	},
	{
		name:  "takeback-attachment",
		title: "A gateway's owner rejects an attachment that stands",
		about: `
As in quarantine.md, but Drawbridge attaches beta's VPC, and alpha's own VPC is on the gateway, and reaches beta's database. Then the owner of
alpha tags beta's attachment drawbridge:approval=rejected, in alpha's account. What Drawbridge added for it goes: the association, the
propagation, and on both sides all that the pair had. The attachment stays, and beta hears that alpha takes it back. When alpha's owner
approves, it is as before.`,
		change:  onGateway,
		prepare: pairOnClosedGateway,
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", reaching(lend), []string{"Announced", "Attached", "Connected", "Nothing", "Nothing"}},
			{"The owner of alpha tags the attachment: drawbridge:approval=rejected.", answer(true, "rejected"), []string{"Announced", "Removed", "Removed"}},
			{"The owner of alpha tags the attachment: drawbridge:approval=approved.", reachedAsBefore(answer(true, "approved")), []string{"Announced", "Attached", "Connected"}},
		},
		then:   map[int]func(context.Context, *testing.T, *scenario.World){1: inTable(true), 2: inTable(false), 3: inTable(true)},
		struck: []int{2},
		also:   everyHopHolds,
	},
	{
		name:  "takeback-gateway-never",
		title: "A gateway's owner takes nobody any more",
		about: `
As in takeback-attachment.md, up to the connection. Then the owner of alpha tags the gateway drawbridge:accept=never: beta's attachment, which Drawbridge
serves, is taken back with all that was added for it. alpha's own, which is its owner's, stays as it is. The sweep of the next day leaves it so.
Without the tag it comes back.`,
		change:  onGateway,
		prepare: pairOnClosedGateway,
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", reaching(lend), []string{"Announced", "Attached", "Connected", "Nothing", "Nothing"}},
			{"The owner of alpha tags the gateway: drawbridge:accept=never.", accepts("never"), []string{"Announced", "Removed", "Removed"}},
			{"The next day drawbridge-sweep visits beta.", sweepBeta, []string{"Nothing", "Swept"}},
			{"The owner of alpha tags the gateway: drawbridge:accept=auto.", reachedAsBefore(accepts("auto")), []string{"Announced", "Attached", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: inTable(false), 3: inTable(false), 4: inTable(true)},
	},
	{
		name:  "takeback-by-hand",
		title: "A gateway's owner takes an attachment out of its route table",
		about: `
As in takeback-attachment.md, up to the connection. Then the owner of alpha takes beta's attachment out of the route table, by hand. That is the same as the
tag: what is left of what Drawbridge added goes, and it is not put back.`,
		change:  onGateway,
		prepare: pairOnClosedGateway,
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", reaching(lend), []string{"Announced", "Attached", "Connected", "Nothing", "Nothing"}},
			{"The owner of alpha calls ec2 DisassociateTransitGatewayRouteTable.", takenOut, []string{"Nothing", "Removed", "Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: inTable(false)},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			reachedAsBefore(func(context.Context, *testing.T, *scenario.World) {})(ctx, t, w)
		},
	},
	{
		name:  "takeback-event-lost",
		title: "A gateway's owner rejects an attachment, and nobody hears of it",
		about: `
As in takeback-attachment.md, but the event of the tag is lost. The sweep of the next day ends it the same way.`,
		change:  onGateway,
		prepare: pairOnClosedGateway,
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", reaching(lend), []string{"Announced", "Attached", "Connected", "Nothing", "Nothing"}},
			{"The owner of alpha tags the attachment: drawbridge:approval=rejected; the event is lost.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				silently(ctx, t, w, func() { answer(true, "rejected")(ctx, t, w) })
			}, nil},
			{"The next day drawbridge-sweep visits beta.", sweepBeta, []string{"Removed", "Removed", "Swept"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){3: inTable(false)},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			reachedAsBefore(func(context.Context, *testing.T, *scenario.World) {})(ctx, t, w)
		},
	},
	{
		name:  "release-attachment",
		title: "A gateway's owner takes an attachment out of Drawbridge's hands",
		about: `
As in takeback-attachment.md, up to the connection. Then the owner of alpha tags beta's attachment drawbridge:manage=false, in alpha's account. Everything
stays as it stands, and Drawbridge has neither the attachment nor its pair any more.`,
		change:  onGateway,
		prepare: pairOnClosedGateway,
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", lend, []string{"Announced", "Attached", "Connected", "Nothing", "Nothing"}},
			{"The owner of alpha tags the attachment: drawbridge:manage=false.", manages(true, "false"), []string{"Announced", "Released", "Released"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: func(ctx context.Context, t *testing.T, w *scenario.World) {
			inTable(true)(ctx, t, w)
			noEntryIsLeft(ctx, t, w)
		}},
		also: everyHopHolds,
	},
}

// everyHopHolds holds a world to a notebook and a function of alpha that reach beta's database over the gateway.
func everyHopHolds(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	succeeds(t, w.Find(ctx))
	if verdict, err := w.Verdict(ctx); err != nil || !scenario.Holds(verdict) {
		t.Errorf("%v, %+v", err, verdict)
	}
}

// silently does something while no event of the two accounts is forwarded, and waits for what AWS does by itself.
func silently(ctx context.Context, t *testing.T, w *scenario.World, do func()) {
	t.Helper()
	set := func(on bool) {
		for _, home := range []scenario.Home{w.Consumer, w.Producer} {
			client := eventbridge.NewFromConfig(engine.Config(home.Account, home.Region))
			rules, err := client.ListRules(ctx, &eventbridge.ListRulesInput{NamePrefix: aws.String("drawbridge-forward-")})
			succeeds(t, err)
			if len(rules.Rules) == 0 {
				t.Fatalf("%s forwards nothing", home.Name)
			}
			for _, r := range rules.Rules {
				if on {
					_, err = client.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: r.Name})
				} else {
					_, err = client.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: r.Name})
				}
				succeeds(t, err)
			}
		}
	}
	set(false)
	do()
	_, err := engine.Settle(ctx, 0)
	succeeds(t, err)
	set(true)
}

// sweepBeta starts a sweep of beta alone, so that one look follows.
func sweepBeta(ctx context.Context, t *testing.T, w *scenario.World) {
	sweep(ctx, t, workflow.Sweep{Accounts: []string{w.Producer.Account}, Regions: []string{engine.Region()}})
}

// closedGateway makes alpha's gateway core, which associates and propagates nothing by itself, with a route table that is offered by tags.
func closedGateway(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	alpha := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	made, err := alpha.CreateTransitGateway(ctx, &ec2.CreateTransitGatewayInput{
		Options: &ec2types.TransitGatewayRequestOptions{
			AutoAcceptSharedAttachments:  ec2types.AutoAcceptSharedAttachmentsValueEnable,
			DefaultRouteTableAssociation: ec2types.DefaultRouteTableAssociationValueDisable,
			DefaultRouteTablePropagation: ec2types.DefaultRouteTablePropagationValueDisable,
		},
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeTransitGateway, Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("core")}}}}})
	succeeds(t, err)
	w.Gateway = aws.ToString(made.TransitGateway.TransitGatewayId)
	must(t)(alpha.CreateTransitGatewayRouteTable(ctx, &ec2.CreateTransitGatewayRouteTableInput{TransitGatewayId: &w.Gateway,
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeTransitGatewayRouteTable, Tags: []ec2types.Tag{
			{Key: aws.String("drawbridge:association"), Value: aws.String("default")}, {Key: aws.String("drawbridge:propagation"), Value: aws.String("default")}}}}}))
}

// gatewayTable returns the one route table of alpha's gateway.
func gatewayTable(ctx context.Context, t *testing.T, w *scenario.World) *string {
	t.Helper()
	got, err := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).DescribeTransitGatewayRouteTables(ctx, &ec2.DescribeTransitGatewayRouteTablesInput{})
	if err != nil || len(got.TransitGatewayRouteTables) != 1 {
		t.Fatalf("%d route tables, %v", len(got.TransitGatewayRouteTables), err)
	}
	return got.TransitGatewayRouteTables[0].TransitGatewayRouteTableId
}

// byHand attaches a VPC to alpha's gateway, as its owner, and lets alpha's network team put it into the route table, or not.
func byHand(ctx context.Context, t *testing.T, w *scenario.World, home scenario.Home, net scenario.Network, in bool) {
	t.Helper()
	alpha := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	made, err := ec2.NewFromConfig(engine.Config(home.Account, home.Region)).CreateTransitGatewayVpcAttachment(ctx, &ec2.CreateTransitGatewayVpcAttachmentInput{
		TransitGatewayId: &w.Gateway, VpcId: aws.String(net.VPC), SubnetIds: net.Subnets[:2]})
	succeeds(t, err)
	id := made.TransitGatewayVpcAttachment.TransitGatewayAttachmentId
	(&fullWorld{}).available(ctx, t, home.Account, *id)
	if in {
		must(t)(alpha.AssociateTransitGatewayRouteTable(ctx, &ec2.AssociateTransitGatewayRouteTableInput{TransitGatewayAttachmentId: id, TransitGatewayRouteTableId: gatewayTable(ctx, t, w)}))
		must(t)(alpha.EnableTransitGatewayRouteTablePropagation(ctx, &ec2.EnableTransitGatewayRouteTablePropagationInput{TransitGatewayAttachmentId: id, TransitGatewayRouteTableId: gatewayTable(ctx, t, w)}))
	}
}

// pairOnClosedGateway puts alpha's own VPC on the gateway by hand, and lets beta's ask for it.
func pairOnClosedGateway(ctx context.Context, t *testing.T, w *scenario.World) {
	silently(ctx, t, w, func() {
		closedGateway(ctx, t, w)
		byHand(ctx, t, w, w.Consumer, w.ConsumerNetwork, true)
		attach("core")(ctx, t, w)
	})
}

// manages tags beta's attachment drawbridge:manage, in the gateway owner's account or in beta's own; no value takes the tag away.
func manages(owner bool, value string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		home := w.Producer
		if owner {
			home = w.Consumer
		}
		id := aws.ToString(attached(ctx, t, w)[0].TransitGatewayAttachmentId)
		if value == "" {
			must(t)(ec2.NewFromConfig(engine.Config(home.Account, home.Region)).DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: aws.String(tag.Manage)}}}))
			return
		}
		mark(ctx, t, home, id, tag.Manage, value)
	}
}

// accepts tags alpha's gateway drawbridge:accept.
func accepts(value string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		mark(ctx, t, w.Consumer, w.Gateway, "drawbridge:accept", value)
	}
}

// takenOut takes beta's attachment out of alpha's route table, as alpha's owner.
func takenOut(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).DisassociateTransitGatewayRouteTable(ctx, &ec2.DisassociateTransitGatewayRouteTableInput{
		TransitGatewayAttachmentId: attached(ctx, t, w)[0].TransitGatewayAttachmentId, TransitGatewayRouteTableId: gatewayTable(ctx, t, w)}))
}

// inTable holds a world to whether beta's attachment is in the route table of alpha's gateway, and propagated to it; it stands either way. What else is
// attached stays in it.
func inTable(want bool) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		alpha := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
		got, err := alpha.DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{})
		succeeds(t, err)
		seen := false
		for _, a := range got.TransitGatewayAttachments {
			expect := want || aws.ToString(a.ResourceId) != w.ProducerNetwork.VPC
			seen = seen || aws.ToString(a.ResourceId) == w.ProducerNetwork.VPC
			reached, err := alpha.GetTransitGatewayAttachmentPropagations(ctx, &ec2.GetTransitGatewayAttachmentPropagationsInput{TransitGatewayAttachmentId: a.TransitGatewayAttachmentId})
			succeeds(t, err)
			if in := a.Association != nil; in != expect || len(reached.TransitGatewayAttachmentPropagations) > 0 != expect || a.State != ec2types.TransitGatewayAttachmentStateAvailable {
				t.Errorf("%s is %s, in the table: %t, propagated to %d, want %t", aws.ToString(a.ResourceId), a.State, in, len(reached.TransitGatewayAttachmentPropagations), expect)
			}
		}
		if !seen {
			t.Error("beta's VPC is not attached")
		}
	}
}

// closedAndSaid holds a world to beta's attachment in quarantine, and to what both owners read on it: beta's nothing of tables.
func closedAndSaid(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	inTable(false)(ctx, t, w)
	for _, home := range []scenario.Home{w.Producer, w.Consumer} {
		tags := onAttachment(ctx, t, w, home)
		reason := tags["drawbridge:reason"]
		if tags["drawbridge:status"] != "Refused" || !strings.Contains(reason, "owner") && !strings.Contains(reason, "drawbridge:manage=true") {
			t.Errorf("%s reads %v", home.Name, tags)
		}
		if home.Account == w.Producer.Account && (strings.Contains(reason, "table") || !strings.Contains(reason, w.Consumer.Account)) {
			t.Errorf("beta reads %q", reason)
		}
	}
}

// closedAndUnsaid holds a world to beta's attachment in quarantine, without a word of Drawbridge's on either side.
func closedAndUnsaid(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	inTable(false)(ctx, t, w)
	for _, home := range []scenario.Home{w.Producer, w.Consumer} {
		for key, value := range onAttachment(ctx, t, w, home) {
			if strings.HasPrefix(key, "drawbridge:") {
				t.Errorf("%s reads %s=%s", home.Name, key, value)
			}
		}
	}
}

// onAttachment returns the tags of beta's attachment as one of its owners has them.
func onAttachment(ctx context.Context, t *testing.T, w *scenario.World, home scenario.Home) map[string]string {
	t.Helper()
	id := aws.ToString(attached(ctx, t, w)[0].TransitGatewayAttachmentId)
	got, err := ec2.NewFromConfig(engine.Config(home.Account, home.Region)).DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{TransitGatewayAttachmentIds: []string{id}})
	succeeds(t, err)
	return tag.OfEC2(got.TransitGatewayAttachments[0].Tags)
}

// noEntryIsLeft holds a world to a ledger without an entry that has to do with the gateway.
func noEntryIsLeft(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	for _, home := range []scenario.Home{w.Consumer, w.Producer} {
		entries, err := book().Connections(ctx, home.Account, home.Region)
		succeeds(t, err)
		for _, e := range entries {
			if strings.HasPrefix(e.ID, "tgw-") {
				t.Errorf("the ledger has %s still: %s", e.ID, e.Status)
			}
		}
	}
	if items, err := book().Items(ctx, aws.ToString(attached(ctx, t, w)[0].TransitGatewayAttachmentId)); err != nil || len(items) > 0 {
		t.Errorf("the ledger has items still: %+v, %v", items, err)
	}
}
