package stories

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	looking "github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// leftBehind are the stories of what nothing but the security group rules tells of: AWS does not show any more what connected
// two VPCs, or an execution failed before it said so.
var leftBehind = []tale{
	{
		name:  "sweep-forgotten",
		title: "A sweep takes away what a peering left that AWS has forgotten",
		about: `
As in s1-peering.md. Then every forwarding rule is switched off, alpha's owner deletes the peering, and three days pass: AWS
shows it to nobody any more, and Drawbridge's status went with it. The next sweep finds the rule in beta that was added for it,
which says with which VPC; both accounts are afterwards what they were before.`,
		prepare: remember,
		acts: []act{
			request("Connected"),
			{"The owner of alpha deletes the peering; the event is lost, and three days pass.", forgetPeering, nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"PartlySwept", "InSync", "Removed"}},
			{"The next day nothing is left.", startSweep, []string{"PartlySwept"}},
		},
		unruly: true, // the notebook has a host route where its route table has none, and is looked at too
		also:   bothAsBefore,
	},
	{
		name:  "forgotten",
		title: "A peering is looked at when AWS has forgotten it",
		about: `
As in sweep-forgotten.md, but only the look that the sweep asks for. Neither account sees the peering; the rule in beta tells of
it. What is left goes, and the rule last, so that it tells of the rest until then.`,
		prepare: remember,
		acts: []act{
			request("Connected"),
			{"The owner of alpha deletes the peering; the event is lost, and three days pass.", forgetPeering, nil},
			{"The peering wants a look.", lookAtPeering, []string{"Removed"}},
			{"And once more: there is nothing left to do.", lookAtPeering, []string{"Nothing"}},
		},
		struck: []int{3},
		also:   bothAsBefore,
	},
	{
		name:  "gateway-forgotten",
		title: "A sweep takes away what a pair left whose attachment AWS has forgotten",
		about: `
As in transit.md, up to the connection. Then beta's attachment is deleted, the event is lost, and three days pass: AWS does not
show the attachment any more. The next sweep finds alpha's attachment, whose tag tells of beta's VPC, and beta's rules, which
tell of alpha's.`,
		change:  onGateway,
		prepare: attachedAndRemembered,
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The owner of beta deletes the attachment; the event is lost, and three days pass.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				deaf(ctx, t, w)
				succeeds(t, w.Detach(ctx))
				pass(ctx, t, w.ProducerNetwork.Attachment)
			}, nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"PartlySwept", "Attached", "Removed"}},
			{"The next day nothing is left.", startSweep, []string{"PartlySwept", "Attached"}},
		},
		unruly: true, // both sides tell of the pair
		also:   bothAsBefore,
	},
	{
		name:  "gateway-forgotten-both",
		title: "A sweep takes away what a pair left of which AWS has forgotten both attachments",
		about: `
As in transit.md, up to the connection. Then both attachments are deleted, the events are lost, and three days pass. Only the
rules that were added still tell of the pair, so the next sweep takes them away last.`,
		change:  onGateway,
		prepare: attachedAndRemembered,
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"Both attachments are deleted; the events are lost, and three days pass.", forgetBoth, nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"PartlySwept", "InSync", "Removed"}},
			{"The next day nothing is left.", startSweep, []string{"PartlySwept"}},
		},
		unruly: true, // both sides tell of the pair
		also:   bothAsBefore,
	},
	{
		name:  "transit-forgotten",
		title: "A pair wants a look when AWS has forgotten both attachments",
		about: `
As in gateway-forgotten-both.md, but only the look itself. The rules on both sides tell of the pair, and go last.`,
		change:  onGateway,
		prepare: attachedAndRemembered,
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"Both attachments are deleted; the events are lost, and three days pass.", forgetBoth, nil},
			{"The pair wants a look.", look(nil), []string{"Removed"}},
			{"And once more: there is nothing left to do.", look(nil), []string{"Nothing"}},
		},
		struck: []int{3},
		also:   bothAsBefore,
	},
	{
		name:  "gateway-both-leave",
		title: "Both VPCs of a pair leave the gateway at once",
		about: `
As in transit.md, up to the connection. Then both attachments are deleted at the same time: neither VPC finds the other attached
any more, but the tags on its own attachment tell of the pair.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			attachedAndRemembered(ctx, t, w)
			for _, home := range []scenario.Home{w.Consumer, w.Producer} {
				_, err := eventbridge.NewFromConfig(engine.Config(home.Account, home.Region)).EnableRule(ctx,
					&eventbridge.EnableRuleInput{Name: aws.String("drawbridge-forward-attachment")})
				succeeds(t, err)
			}
		},
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"Both attachments are deleted.", detachBoth, []string{"Removed"}},
		},
		unruly: true, // both sides tell of the pair
		also:   bothAsBefore,
	},
	{
		name:  "begun-forbidden",
		title: "A connection that was not brought to its end is forbidden",
		about: `
As in s1-peering.md, but a service control policy keeps Drawbridge from tagging the peering, so that the execution fails at its
last step, with the database open. Then the operators forbid routes to alpha's account. Nothing on the peering says that it was
connected; the rules do, and what Drawbridge added goes.`,
		prepare: remember,
		fault:   unspoken,
		acts: []act{
			request("Refused", "Reported"),
			{"The operators forbid routes for alpha. The clock starts drawbridge-sweep.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				injector.Store(nil)
				forbidRoutes(ctx, t, w)
			}, []string{"Swept", "Removed"}},
			{"The next day it starts again.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				asBefore(ctx, t, w, w.Consumer, w.Producer)
				startSweep(ctx, t, w)
			}, []string{"Swept", "Refused"}},
		},
	},
}

// lookAtPeering asks for a look at the peering where the database is, as the sweep does.
func lookAtPeering(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	succeeds(t, looking.Asker{API: eventbridge.NewFromConfig(engine.Config(local.HubAccount, engine.Region())), Bus: "drawbridge"}.Ask(ctx,
		event.Inspection{Account: w.Producer.Account, Region: w.Producer.Region, PeeringID: w.Connection, Reason: "rules are left of a peering that is over"}))
}

// unspoken keeps the last step from saying what became of the connection.
func unspoken(*scenario.World) local.Injector {
	return func(c awscall.Call, when local.Moment) *local.Fault {
		if when != local.Before || c.Function != "drawbridge-verify-connection" || c.Action != "CreateTags" {
			return nil
		}
		return &local.Fault{Status: 403, Code: "UnauthorizedOperation", Message: "explicit deny in a service control policy"}
	}
}

// forgetPeering deletes the peering while nobody listens, and lets AWS forget it.
func forgetPeering(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	deaf(ctx, t, w)
	remove(false)(ctx, t, w)
	pass(ctx, t, w.Connection)
}

// forgetBoth deletes both attachments while nobody listens, and lets AWS forget them.
func forgetBoth(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	deaf(ctx, t, w)
	detachBoth(ctx, t, w)
	pass(ctx, t, w.ConsumerNetwork.Attachment, w.ProducerNetwork.Attachment)
}

// bothAsBefore holds both accounts to what was remembered of them.
func bothAsBefore(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	asBefore(ctx, t, w, w.Consumer, w.Producer)
}

// detachBoth deletes the attachments of both VPCs, each as its owner.
func detachBoth(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	succeeds(t, w.Detach(ctx))
	_, err := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).DeleteTransitGatewayVpcAttachment(ctx,
		&ec2.DeleteTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: aws.String(w.ConsumerNetwork.Attachment)})
	succeeds(t, err)
}

// attachedAndRemembered attaches both VPCs, as their owners, and remembers the accounts as they are then.
func attachedAndRemembered(ctx context.Context, t *testing.T, w *scenario.World) {
	attachedAndGiven(ctx, t, w)
	remember(ctx, t, w)
}

// pass lets three days pass for what is over.
func pass(ctx context.Context, t *testing.T, ids ...string) {
	t.Helper()
	_, err := engine.Settle(ctx, 0)
	succeeds(t, err)
	for _, id := range ids {
		succeeds(t, engine.Age(ctx, id, 72*time.Hour))
	}
}
