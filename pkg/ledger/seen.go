package ledger

import (
	"context"
	"slices"
	"time"
)

// Seen is what a look read of a thing of an account and Region that AWS's list of such things names, and does not tell: so that it is described
// once. It is true for as long as the list shows the same stamp.
type Seen struct {
	Name   string   `json:"name"`
	Stamp  string   `json:"stamp"`            // when the thing was made, or changed last, as the list says it
	Subnet string   `json:"subnet,omitempty"` // empty: it is in no VPC
	Groups []string `json:"groups,omitempty"`
	Direct bool     `json:"direct,omitempty"` // it has direct internet access
}

// remembered is how long the table keeps it: what nobody asks about any more goes by itself.
const remembered = 90 * 24 * time.Hour

func seenPart(account, region string) string { return "seen#" + account + "/" + region }

func seenRow(account, region, kind, name string) Key {
	return Key{seenPart(account, region), kind + "#" + name}
}

// Seen returns what is known of the things of a kind in an account and Region, in the order of their names, by one Query.
func (l Ledger) Seen(ctx context.Context, account, region, kind string) ([]Seen, error) {
	rows, err := l.Store.List(ctx, seenPart(account, region), kind+"#")
	if err != nil {
		return nil, err
	}
	out := make([]Seen, len(rows))
	for n, r := range rows {
		if err := decode(r, &out[n]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// See writes what was seen of things of a kind, and forgets those that are gone, by name. Who looks at the same time writes the same.
func (l Ledger) See(ctx context.Context, account, region, kind string, seen []Seen, gone []string) error {
	type write struct {
		key Key
		of  *Seen // nil: forget it
	}
	var all []write
	for n := range seen {
		all = append(all, write{seenRow(account, region, kind, seen[n].Name), &seen[n]})
	}
	for _, name := range gone {
		all = append(all, write{seenRow(account, region, kind, name), nil})
	}
	for some := range slices.Chunk(all, most) {
		err := retry(ctx, kind+" of "+account, func() error {
			var keys []Key
			for _, w := range some {
				keys = append(keys, w.key)
			}
			there, err := l.read(ctx, keys)
			if err != nil {
				return err
			}
			var changes []Change
			for _, w := range some {
				change := Change{Key: w.key}
				if n := slices.IndexFunc(there, func(r Row) bool { return r.Key == w.key }); n >= 0 {
					change.Version = there[n].Version
				}
				switch {
				case w.of != nil:
					change.Expires = l.now().Add(remembered).Unix()
					if change.Body, err = encode(*w.of); err != nil {
						return err
					}
				case change.Version == 0:
					continue
				}
				changes = append(changes, change)
			}
			return l.commit(ctx, changes)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
