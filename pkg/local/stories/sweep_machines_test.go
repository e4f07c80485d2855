package stories

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// swept are the stories in which every event is lost, one for each machine; the sweep starts it. Those of the Data API are
// [sweptClusters].
var swept = []tale{
	{
		name:  "sweep-attachment",
		title: "A sweep finds the VPC that asks for a gateway, and the one that does so no more",
		about: `
As in attach.md, but beta's forwarding rules are switched off: the events of both tag changes are lost. Each time the next
sweep finds what is to be done.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			gateway(true)(ctx, t, w)
			deaf(ctx, t, w)
			shareGateway(ctx, t, w)
		},
		acts: []act{
			{"The owner of beta tags the VPC: drawbridge:attach=core; the event is lost.", attach("core"), nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Attached", "PartlySwept"}},
			{"The owner of beta takes the tag off; the event is lost.", attach(""), nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Removed", "PartlySwept"}},
		},
		also: attachments("deleted"),
	},
	{
		name:  "sweep-invitation",
		title: "A sweep finds an invitation that nobody answered",
		about: `
As with attach.md, but RAM invites beta, since the organization does not share with itself, and the events of the share and of beta's tag are lost.
The next sweep finds the invitation where it is pending, and a VPC that asks for what is shared; the sweep after that finds no invitation.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			gateway(true)(ctx, t, w)
			deaf(ctx, t, w)
			attach("core")(ctx, t, w)
			within(ctx, t, false)
			t.Cleanup(func() { within(context.WithoutCancel(ctx), t, true) })
		},
		acts: []act{
			{"The owner of alpha shares the gateway with beta; the event is lost.", shareGateway, nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Announced", "Attached", "Nothing", "PartlySwept"}},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Attached", "PartlySwept"}},
		},
		unruly: true,
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			got, err := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{})
			if err != nil || len(got.TransitGateways) != 1 {
				t.Errorf("beta sees %d gateways, %v, want that of alpha", len(got.TransitGateways), err)
			}
		},
	},
	{
		name:  "sweep-private-notebooks",
		title: "A sweep finds the VPC that opted in to private notebooks, and the one that opted out",
		about: "As in private-notebooks.md, but every event is lost.",
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			privateWorld(ctx, t, w)
			deaf(ctx, t, w)
		},
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true; the event is lost.", tagPrivate(true), nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Private", "PartlySwept"}},
			{"The owner of alpha takes the tag away; the event is lost.", tagPrivate(false), nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Removed", "PartlySwept"}},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"PartlySwept"}},
		},
		unruly: true,
		also:   nothingPrivateLeft,
	},
	{
		name:  "sweep-studio",
		title: "A sweep finds the cluster that is shared with Studio, and the role that was closed",
		about: `
As in studio.md, but every event is lost, also that the owner of alpha closes the execution role to Drawbridge.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			studioWorld(false)(ctx, t, w)
			deaf(ctx, t, w)
		},
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111; the event is lost.", shareWarehouse, nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Identified", "PartlySwept"}},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Identified", "PartlySwept"}},
			{"The owner of alpha takes the tag drawbridge:studio off the execution role.", closeRole, nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Removed", "PartlySwept"}},
		},
		also: nothingOfStudioLeft,
	},
	{
		name:  "sweep-studio-left",
		title: "A sweep finds a cluster that says nothing of its readers any more",
		about: `
As in studio.md. Then the owner of beta takes every tag of Drawbridge's off the cluster, and the events are lost. The
ledger knows what is left.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"The owner of beta takes all tags away; the events are lost.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				deaf(ctx, t, w)
				done(t, w.UnshareWarehouse(ctx, tag.StudioStatus, tag.StudioReason, tag.StudioSince))
			}, nil},
			{"The clock starts drawbridge-sweep.", startSweep, []string{"Removed", "PartlySwept"}},
		},
		also: nothingOfStudioLeft,
	},
}

// sweepBoth starts a sweep of the consumer's and the producer's account.
func sweepBoth(ctx context.Context, w *scenario.DataAPIWorld) error {
	return asked(ctx, workflow.Sweep{Accounts: []string{w.Consumer, w.Producer}, Regions: []string{w.Region}})
}

// unheard does something of which no event tells Drawbridge.
func unheard(do func(context.Context, *scenario.DataAPIWorld) error) func(context.Context, *scenario.DataAPIWorld) error {
	return func(ctx context.Context, w *scenario.DataAPIWorld) error {
		for _, account := range []string{w.Consumer, w.Producer} {
			if err := silence(ctx, account, w.Region); err != nil {
				return err
			}
		}
		return do(ctx, w)
	}
}

// sweptClusters are the stories of [swept] about the Data API.
var sweptClusters = []dataAPITale{
	{
		name:  "sweep-data-api",
		title: "A sweep finds the cluster that names accounts, and the one that does so no more",
		about: "As in data-api-removed.md, but every event is lost. Each time the next sweep finds what is to be done.",
		acts: []dataAPIAct{
			{"The owner of beta tags the cluster; the event is lost.", unheard(shareWith(onlyAlpha)), nil},
			{"The clock starts drawbridge-sweep.", sweepBoth, []string{"Exposed", "PartlySwept"}},
			{"The owner of beta takes both tags away; the event is lost.", func(ctx context.Context, w *scenario.DataAPIWorld) error { return w.Unshare(ctx) }, nil},
			{"The clock starts drawbridge-sweep.", sweepBoth, []string{"PartlySwept", "Retracted"}},
		},
		restored: true,
	},
	{
		name:  "sweep-data-api-deleted",
		title: "A sweep finds the role of a cluster that is gone",
		about: "As in s3-data-api.md. Then the cluster is deleted, and the event is lost. What is left is the role, which the sweep finds because IAM lists it.",
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"The owner of beta deletes the cluster; the event is lost.", unheard(func(ctx context.Context, w *scenario.DataAPIWorld) error { return w.Delete(ctx) }), nil},
			{"The clock starts drawbridge-sweep.", sweepBoth, []string{"PartlySwept", "Retracted"}},
		},
	},
	{
		name:   "sweep-data-api-endpoint",
		title:  "A sweep finds the VPC that wants an endpoint of the Data API, and the one that does so no more",
		about:  "As in data-api-consumer-removed.md, but every event is lost. Each time the next sweep finds what is to be done.",
		change: hasNetwork,
		acts: []dataAPIAct{
			{"The owner of alpha tags the VPC: drawbridge:data-api=true; the event is lost.", unheard(tagNetwork(true)), nil},
			{"The clock starts drawbridge-sweep.", sweepBoth, []string{"Available", "PartlySwept"}},
			{"The owner of alpha takes the tag away; the event is lost.", tagNetwork(false), nil},
			{"The clock starts drawbridge-sweep.", sweepBoth, []string{"PartlySwept", "Removed"}},
		},
		restored: true,
	},
}
