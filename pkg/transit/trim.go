package transit

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// trim looks on both sides of a connected pair for what Drawbridge added and the pair, as it was surveyed, has no use for
// any more. It returns the sides where something has to go, and the notebooks there that may have host routes to what
// goes. A pair that was never connected costs nothing here, because the tags of its attachments say so.
func (i Inspector) trim(ctx context.Context, s survey.Surveyor, p *pair, c workflow.Connection, first, second *survey.Ground, trimmed bool) ([]workflow.Side, []workflow.Notebook, error) {
	if !p.q.Before {
		return []workflow.Side{}, []workflow.Notebook{}, nil
	}
	surveyed := [2]workflow.Side{*first.Side, *second.Side}
	return survey.Trims(surveyed, func(n int, rest *workflow.Side) ([]workflow.Notebook, error) {
		side := surveyed[n]
		rules, err := firewall.ReadTagged(ctx, s.Enter(side.VPC.Place()).EC2, c.ID)
		if err != nil {
			return nil, err
		}
		record, others := records(p.q.Ends[n].Attachment, side.Peer.ID)
		if rest.Trim = Surplus(c, side, record, others, rules, trimmed); rest.Trim == nil || len(rest.Trim.Destinations) == 0 {
			return nil, nil
		}
		for _, k := range record.Kept {
			if slices.Contains(rest.Trim.Destinations, k.Destination) {
				rest.Kept = append(rest.Kept, k)
			}
		}
		return s.Instances(ctx, side.VPC)
	})
}
