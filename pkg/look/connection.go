package look

import (
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Short returns looks at those of the entries of networks that fall short: not all of their paths are whole, or they were refused as something was in
// the way.
func Short(entries []ledger.Connection, at event.Place, reason string) []Look {
	var out []Look
	for _, e := range entries {
		short := e.Status == ledger.Status(workflow.PartlyConnected) || e.Status == ledger.Status(workflow.RefusedByPolicy)
		if l, ok := At(e, at, reason); ok && short && e.Kind.Connects() {
			out = append(out, l)
		}
	}
	return out
}

// At returns the look at a connection of the ledger, of the machine that its kind names; false if there is no such machine. It is looked at from the
// place at which something happened, if that is one of its sides.
func At(c ledger.Connection, at event.Place, reason string) (Look, bool) {
	var side ledger.Side
	if len(c.Sides) > 0 {
		side = c.Sides[0]
	}
	for _, s := range c.Sides {
		if s.Account == at.Account && s.Region == at.Region {
			side = s
		}
	}
	switch c.Kind {
	case road.Peering:
		return event.Inspection{Account: side.Account, Region: side.Region, PeeringID: c.ID, Reason: reason}, true
	case road.Transit:
		gateway, _, _ := strings.Cut(c.ID, ":")
		out := event.TransitInspection{TransitGatewayID: gateway, Reason: reason}
		for _, s := range c.Sides {
			out.VPCs = append(out.VPCs, event.VPCPlace{Account: s.Account, Region: s.Region, VPC: s.ID})
		}
		return out, len(out.VPCs) == 2
	case road.Attachment:
		return event.AttachmentInspection{Account: side.Account, Region: side.Region, AttachmentID: c.ID, Reason: reason}, road.Of(c.ID) == road.Attachment
	case road.DataAPI:
		return event.DataAPIInspection{Account: side.Account, Region: side.Region, Cluster: c.ID, Reason: reason}, true
	case road.DataAPIEndpoint:
		return event.DataAPIEndpointInspection{Account: side.Account, Region: side.Region, VPC: side.ID, Reason: reason}, true
	case road.PrivateNotebooks:
		return event.PrivateNotebooksInspection{Account: side.Account, Region: side.Region, Reason: reason}, true
	case road.Studio: // looked at where the cluster is, wherever the hand was
		at, cluster, ok := arn.Match(c.ID, "redshift", "cluster:")
		return event.StudioInspection{Account: at.AccountID, Region: at.Region, Cluster: cluster, Reason: reason}, ok
	case road.Share: // nobody asks for a look at one
	}
	return nil, false
}
