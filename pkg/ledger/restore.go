package ledger

import (
	"context"
	"encoding/json"
	"slices"
)

// Restore writes items as confirmed, each with all who need it, and returns those that it wrote. An item that the ledger has, in whatever state,
// stays as it is. It is for a ledger that was lost; see package rebuild.
func (l Ledger) Restore(ctx context.Context, items ...Item) ([]Item, error) {
	var out []Item
	for len(items) > 0 {
		var some []Item
		rows := 0
		for rows < most && len(items) > 0 {
			next := items[0]
			next.Needed = slices.Compact(slices.Sorted(slices.Values(next.Needed)))
			next.Needed = next.Needed[:min(len(next.Needed), most-1)] // of very many, the next look adds the others
			if rows += 1 + len(next.Needed); rows > most {
				break
			}
			some, items = append(some, next), items[1:]
		}
		done, err := l.restore(ctx, some)
		if err != nil {
			return out, err
		}
		out = append(out, done...)
	}
	return out, nil
}

// restore is Restore for items that fit into one write.
func (l Ledger) restore(ctx context.Context, items []Item) (done []Item, err error) {
	err = retry(ctx, items[0].Resource, func() error {
		done = nil
		now, err := l.entries(ctx, "", items)
		if err != nil {
			return err
		}
		var lines []Key
		for _, i := range items {
			for _, id := range i.Needed {
				lines = append(lines, i.line(id))
			}
		}
		there, err := l.read(ctx, lines)
		if err != nil {
			return err
		}
		var changes []Change
		for _, n := range now {
			if n.item != nil || len(n.given.Needed) == 0 {
				continue
			}
			item := n.given
			item.State, item.At = Confirmed, l.now()
			body, err := encode(item)
			if err != nil {
				return err
			}
			changes, done = append(changes, Change{Key: item.row(), Body: body}), append(done, item)
			for _, id := range item.Needed {
				if line := item.line(id); !slices.ContainsFunc(there, func(r Row) bool { return r.Key == line }) {
					changes = append(changes, Change{Key: line, Body: json.RawMessage("{}")})
				}
			}
		}
		return l.commit(ctx, changes)
	})
	return done, err
}
