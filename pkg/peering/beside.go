package peering

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// beside returns the gateways to which some table of two VPCs has a live route to addresses of the other, and over which the ledger has the two connected: what
// such a route leads arrives, and needs no second one, until the pair goes. The ledger is asked only if there is such a route.
func beside(ctx context.Context, l ledger.Ledger, sides ...workflow.Side) ([]string, error) {
	var led []string
	for _, s := range sides {
		for _, t := range s.Tables {
			for _, r := range t.Routes {
				to := slices.ContainsFunc(s.Peer.CIDRs, r.Destination.Overlaps)
				if road.CarrierOf(r.Target) == road.ByGateway && !r.Blackhole && to && !slices.Contains(led, r.Target) {
					led = append(led, r.Target)
				}
			}
		}
	}
	if len(led) == 0 {
		return nil, nil
	}
	here, there := sides[0].VPC, sides[0].Peer
	entries, err := l.Connections(ctx, here.Account, here.Region)
	if err != nil {
		return nil, err
	}
	stand := []ledger.Status{ledger.Status(workflow.Connected), ledger.Status(workflow.PartlyConnected)}
	led = slices.DeleteFunc(led, func(gateway string) bool {
		pairs := connection.PairsOf(connection.PairsOf(entries, gateway, here.ID), gateway, there.ID)
		return !slices.ContainsFunc(pairs, func(c ledger.Connection) bool { return slices.Contains(stand, c.Status) })
	})
	slices.Sort(led)
	return led, nil
}
