package notebook

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// late asks for a look at each connection of the VPC through which the table of a notebook's subnet leads nothing yet: routes are those of who calls,
// and a notebook that started, even if it was stopped again meanwhile, may be the first who does from there. One that its owner keeps out calls only where a policy
// forbids that. tables are the VPC's, subnets its subnets.
func (i Inspector) late(ctx context.Context, at end, n Instance, tables []workflow.Table, subnets []route.Subnet) error {
	table, _ := route.Of(tables, n.Subnet)
	if !at.started {
		return nil
	}
	apart := table.Apart || slices.ContainsFunc(subnets, func(s route.Subnet) bool { return s.ID == n.Subnet && s.Apart })
	connections, err := i.Restarts.Ledger.Connections(ctx, at.network.Account, at.network.Region)
	if err != nil {
		return err
	}
	kept := firewall.KeptWhole(n.Groups, keptIn(connections, at))
	var looks []look.Look
	for _, c := range unled(connections, at.vpc, table) {
		if apart && c.Overruled[at.network.Account] == "" || kept && c.Overruled[at.Account] == "" {
			continue
		}
		if l, ok := look.At(c, at.network, "notebook "+n.Name); ok {
			slog.InfoContext(ctx, "a notebook where nothing led yet", "notebook", n.Name, "table", table.ID, "connection", c.ID)
			looks = append(looks, l)
		}
	}
	if len(looks) == 0 {
		return nil
	}
	return i.Restarts.Ask(ctx, looks...)
}

// connects reports whether the ledger says of a connection between VPCs that it stands.
func connects(c ledger.Connection) bool {
	return slices.Contains([]workflow.Result{workflow.Connected, workflow.PartlyConnected, workflow.PendingApproval}, workflow.Result(c.Status))
}

// unled returns those connections of a VPC that stand and through which a table leads to no address of the peer.
func unled(connections []ledger.Connection, vpc string, table workflow.Table) []ledger.Connection {
	return slices.DeleteFunc(slices.Clone(connections), func(c ledger.Connection) bool {
		here := slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.ID == vpc })
		return !connects(c) || !here || slices.ContainsFunc(table.Routes, func(r route.Route) bool { return leads(c, vpc, r) })
	})
}

// leads reports whether a route leads from a VPC through a connection to the peer's addresses.
func leads(c ledger.Connection, vpc string, r route.Route) bool {
	return r.Target == workflow.TargetOf(c.ID) && slices.ContainsFunc(c.Sides, func(s ledger.Side) bool {
		return s.ID != vpc && slices.ContainsFunc(s.CIDRs, func(text string) bool {
			cidr, err := netip.ParsePrefix(text)
			return err == nil && r.Destination.Overlaps(cidr)
		})
	})
}
