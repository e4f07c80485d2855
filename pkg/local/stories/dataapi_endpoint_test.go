package stories

import (
	"context"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// tagNetwork sets or removes the tag of alpha's VPC.
func tagNetwork(on bool) func(context.Context, *scenario.DataAPIWorld) error {
	return func(ctx context.Context, w *scenario.DataAPIWorld) error { return w.TagNetwork(ctx, on) }
}

func wanted(ends ...string) dataAPIAct {
	return dataAPIAct{"The owner of alpha tags the VPC: drawbridge:data-api=true.", tagNetwork(true), told(ends)}
}

func unwanted(ends ...string) dataAPIAct {
	return dataAPIAct{"The owner of alpha takes the tag away.", tagNetwork(false), told(ends)}
}

func hasNetwork(s *scenario.DataAPISpec) { s.Network = true }

// reaches holds a story to one endpoint of the Data API in alpha's VPC, and to no other endpoint.
func reaches(ctx context.Context, t *testing.T, w *scenario.DataAPIWorld) {
	hops, err := w.NetworkVerdict(ctx)
	if err != nil || len(hops) != 1 || !scenario.Holds(hops) {
		t.Errorf("alpha's VPC has %+v, %v, want one endpoint of the Data API", hops, err)
	}
}

// callers are the stories about the consumer's side of the Data API: the endpoint through which it is called.
var callers = []dataAPITale{
	{
		name:  "data-api-consumer",
		title: "The consumer's VPC gets its endpoint",
		about: `
Alpha has a VPC from which the cluster of s3-data-api.md shall be queried privately. One tag on the VPC, and it has the
interface endpoint of the Data API, with private DNS and a security group of its own. Both sides then have what they need.`,
		change:  hasNetwork,
		acts:    []dataAPIAct{exposed("Exposed"), wanted("Available")},
		queried: true,
		also:    reaches,
	},
	{
		name:     "data-api-consumer-removed",
		title:    "The tag of the consumer's VPC goes, and the endpoint with it",
		about:    "As in data-api-consumer.md, without the cluster. Then the tag goes: the VPC is as it was before.",
		change:   hasNetwork,
		acts:     []dataAPIAct{wanted("Available"), unwanted("Removed")},
		restored: true,
	},
	{
		name:  "data-api-consumer-own",
		title: "The owner's own endpoint is used",
		about: `
As in data-api-consumer-removed.md, but alpha's VPC has an endpoint of the Data API already. It is used, neither doubled nor
changed, and it stays when the tag goes.`,
		change:   func(s *scenario.DataAPISpec) { s.OwnEndpoint = true },
		acts:     []dataAPIAct{wanted("Available"), unwanted("Removed")},
		restored: true,
		also:     reaches,
	},
	{
		name:  "data-api-consumer-acl",
		title: "A network ACL keeps HTTPS out",
		about: `
As in data-api-consumer-removed.md, but the VPC's network ACL denies HTTPS. Drawbridge changes no network ACL: the execution
fails and names it. Its owner changes it and sets the tag again.`,
		change: hasNetwork,
		acts: []dataAPIAct{
			{"The owner of alpha makes the network ACL deny HTTPS, and tags the VPC.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				if err := w.AllowHTTPS(ctx, false); err != nil {
					return err
				}
				return w.TagNetwork(ctx, true)
			}, []string{"Announced", "Conflict"}},
			{"The owner of alpha takes the denial away and tags the VPC again.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				if err := w.AllowHTTPS(ctx, true); err != nil {
					return err
				}
				return w.TagNetwork(ctx, true)
			}, []string{"Announced", "Available"}},
			unwanted("Removed"),
		},
		restored: true,
	},
}
