package peering

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// trim looks on both sides of a connected peering for what Drawbridge added and the connection, as it was surveyed, has no
// use for any more. It returns the sides where something has to go, and the notebooks there that may have host routes to
// what goes. seen is where p was read.
//
// A peering that was never connected costs nothing here, because its tags say so.
func (i Inspector) trim(ctx context.Context, in workflow.InspectPeeringInput, p Peering, seen event.Place, surveyed []workflow.Side) ([]workflow.Side, []workflow.Notebook, error) {
	if !Connected(p) {
		return []workflow.Side{}, []workflow.Notebook{}, nil
	}
	return survey.Trims([2]workflow.Side(surveyed), func(n int, rest *workflow.Side) (books []workflow.Notebook, err error) {
		rest.Trim, books, err = i.surplus(ctx, in, p, seen, surveyed[n])
		return books, err
	})
}

// surplus reads what is Drawbridge's on one side: the tag that says which routes, and the rules. The routes themselves are
// among the tables that were surveyed.
func (i Inspector) surplus(ctx context.Context, in workflow.InspectPeeringInput, p Peering, seen event.Place, s workflow.Side) (*workflow.Trim, []workflow.Notebook, error) {
	here := s.VPC.Place()
	api, own := i.Enter(in.Execution, here).EC2, p
	if here != seen {
		var err error
		if own, _, err = read(ctx, api, p.ID); err != nil {
			return nil, nil, err
		}
	}
	rules, err := firewall.ReadTagged(ctx, api, p.ID)
	if err != nil {
		return nil, nil, err
	}
	trim := Surplus(p.ID, s, own.Tags[connection.TagDestinations], rules, in.Known.Trimmed)
	if trim == nil || len(trim.Destinations) == 0 {
		return trim, nil, nil
	}
	books, err := i.surveyor(in.Execution, nil, policy.Context{}).Instances(ctx, s.VPC)
	return trim, books, err
}
