package transit

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// trim looks on both sides of a connected pair for what Drawbridge added and the pair, as it was surveyed, has no use for
// any more. It returns the sides where something has to go, and the notebooks there that may have host routes to what
// goes. A pair that was never connected costs nothing here, because the tags of its attachments say so.
func (i Inspector) trim(ctx context.Context, s survey.Surveyor, p *pair, c workflow.Connection, grounds ...*survey.Ground) ([]workflow.Side, []workflow.Notebook, error) {
	sides, notebooks := []workflow.Side{}, []workflow.Notebook{}
	if !p.q.Before {
		return sides, notebooks, nil
	}
	trims, books := make([]*workflow.Trim, len(grounds)), make([][]workflow.Notebook, len(grounds))
	look := func(n int) error {
		side := grounds[n].Side
		where := func(err error) error {
			return fmt.Errorf("in %s, %s: %w", side.VPC.Account, side.VPC.Region, err)
		}
		rules, err := firewall.ReadTagged(ctx, s.Enter(side.VPC.Place()).EC2, c.ID)
		if err != nil {
			return where(err)
		}
		record, others := records(p.q.Ends[n].Attachment, side.Peer.ID)
		if trims[n] = Surplus(c, *side, record, others, rules); trims[n] == nil || len(trims[n].Destinations) == 0 {
			return nil
		}
		for _, k := range record.Kept {
			if slices.Contains(trims[n].Destinations, k.Destination) {
				side.Kept = append(side.Kept, k)
			}
		}
		books[n], err = s.Instances(ctx, side.VPC)
		return err
	}
	if err := survey.Both(func() error { return look(0) }, func() error { return look(1) }); err != nil {
		return nil, nil, err
	}
	for n, g := range grounds {
		if trims[n] != nil {
			sides = append(sides, workflow.Side{Role: g.Side.Role, VPC: g.Side.VPC, Peer: g.Side.Peer, Carrier: g.Side.Carrier, Kept: g.Side.Kept, Trim: trims[n]})
			notebooks = append(notebooks, books[n]...)
		}
	}
	return sides, notebooks, nil
}
