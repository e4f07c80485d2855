package rebuild

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
)

// shares gives to with the rows of each invitation to a resource share that the account of a place accepted.
func (r *reader) shares(ctx context.Context, at event.Place, to func(Rows) error) error {
	all, err := share.ReadShown(ctx, func(place event.Place) share.Clients {
		c := r.in(place)
		return share.Clients{RAM: c.RAM, EC2: c.EC2}
	}, at)
	if err != nil {
		return err
	}
	for _, one := range all {
		entry, items, untold := share.Lost(one)
		rows := Rows{Kind: Shares, Entry: entry, Items: items}
		if untold != "" {
			rows.Untold = []Untold{{Shares, untold}}
		}
		if err := to(rows); err != nil {
			return err
		}
	}
	return nil
}
