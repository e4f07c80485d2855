package ledger

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Connection returns the entry of a connection, and whether there is one: whether it is managed.
func (l Ledger) Connection(ctx context.Context, id string) (Connection, bool, error) {
	c, version, err := l.connection(ctx, id)
	return c, version > 0, err
}

func (l Ledger) connection(ctx context.Context, id string) (Connection, int64, error) {
	var c Connection
	rows, err := l.Store.Read(ctx, []Key{connectionRow(id)})
	if err != nil || len(rows) == 0 {
		return c, 0, err
	}
	return c, rows[0].Version, decode(rows[0], &c)
}

// Begin writes the entry of a connection that is managed from now on, and lists it in the places of its sides. An entry that
// is there already stays as it is, but for sides that it did not know. It returns the entry as it is.
func (l Ledger) Begin(ctx context.Context, c Connection) (Connection, error) {
	var out Connection
	err := retry(ctx, c.ID, func() error {
		old, version, err := l.connection(ctx, c.ID)
		if err != nil {
			return err
		}
		out = c
		if version > 0 {
			out = old
			for _, s := range c.Sides {
				if !slices.ContainsFunc(out.Sides, s.same) {
					out.Sides = append(slices.Clip(out.Sides), s)
				}
			}
			if len(out.Sides) == len(old.Sides) {
				return nil
			}
		} else if out.Since.IsZero() {
			out.Since = l.now()
		}
		return l.write(ctx, old, version, out)
	})
	return out, err
}

// Change changes the entry of a connection by f, and returns it. One that is not managed stays so: the entry that is returned
// is then empty. The places of its sides follow.
func (l Ledger) Change(ctx context.Context, id string, f func(*Connection)) (Connection, error) {
	var out Connection
	err := retry(ctx, id, func() error {
		old, version, err := l.connection(ctx, id)
		out = old
		if err != nil || version == 0 {
			return err
		}
		out.Sides = slices.Clone(old.Sides)
		f(&out)
		out.ID = id
		return l.write(ctx, old, version, out)
	})
	return out, err
}

// write puts an entry in the place of old, and the lines of its places. It writes nothing if nothing is different.
func (l Ledger) write(ctx context.Context, old Connection, version int64, c Connection) error {
	body, err := encode(c)
	if err != nil {
		return err
	}
	was, err := encode(old)
	if err != nil {
		return err
	}
	if version > 0 && bytes.Equal(body, was) {
		return nil
	}
	changes := []Change{{Key: connectionRow(c.ID), Version: version, Body: body}}
	places, err := l.places(ctx, c.ID, slices.Concat(old.Sides, c.Sides), c.Sides)
	if err != nil {
		return err
	}
	return l.writeAll(ctx, append(changes, places...))
}

// writeAll writes the row of an entry and the lines of its places: at once, or if they are very many, the last lines first.
func (l Ledger) writeAll(ctx context.Context, changes []Change) error {
	first := changes[:min(len(changes), most)]
	for some := range slices.Chunk(changes[len(first):], most) {
		if err := l.commit(ctx, some); err != nil {
			return err
		}
	}
	return l.Store.Write(ctx, first)
}

// places returns the changes of the lines of all places of sides, and of their participants, so that they are there exactly for those of now.
func (l Ledger) places(ctx context.Context, id string, all, now []Side) ([]Change, error) {
	listed := func(sides []Side) []Key {
		var keys []Key
		for _, s := range sides {
			keys = append(keys, placeRow(s, id))
			for _, p := range s.Participants {
				keys = append(keys, participantRow(p, s.Region, id))
			}
		}
		slices.SortFunc(keys, compareKeys)
		return slices.Compact(keys)
	}
	keys, wanted := listed(all), listed(now)
	if len(keys) == 0 {
		return nil, nil
	}
	rows, err := l.read(ctx, keys)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for _, k := range keys {
		n := slices.IndexFunc(rows, func(r Row) bool { return r.Key == k })
		switch want := slices.Contains(wanted, k); {
		case want && n < 0:
			changes = append(changes, Change{Key: k, Body: []byte("{}")})
		case !want && n >= 0:
			changes = append(changes, Change{Key: k, Version: rows[n].Version})
		}
	}
	return changes, nil
}

// End removes the entry of a connection: it is not managed any more. It fails with [fault.NotYet] while there are items that the
// connection needs or that are leaving for it; [Ledger.LetGo] forgets them, too.
func (l Ledger) End(ctx context.Context, id string) error {
	items, err := l.Items(ctx, id)
	if err != nil {
		return err
	}
	if len(items) > 0 {
		return fault.New(fault.NotYet, "ending %s in the ledger: %d things are still there for it, as %s %s of %s in %s", id, len(items), items[0].Kind, items[0].Key, items[0].Resource, items[0].Place())
	}
	if err := l.unline(ctx, id); err != nil {
		return err
	}
	return retry(ctx, id, func() error {
		c, version, err := l.connection(ctx, id)
		if err != nil || version == 0 {
			return err
		}
		places, err := l.places(ctx, id, c.Sides, nil)
		if err != nil {
			return err
		}
		return l.writeAll(ctx, append([]Change{{Key: connectionRow(id), Version: version}}, places...))
	})
}

// unline removes what stands beside the entry of a connection: the lines of items that it does not need any more, and the rows of its facts.
func (l Ledger) unline(ctx context.Context, id string) error {
	return retry(ctx, id, func() error {
		lines, err := l.Store.List(ctx, connectionPart(id), "")
		if err != nil {
			return err
		}
		lines = slices.DeleteFunc(lines, func(r Row) bool { return r.Key == connectionRow(id) })
		for some := range slices.Chunk(lines, most) {
			var changes []Change
			for _, line := range some {
				changes = append(changes, Change{Key: line.Key, Version: line.Version})
			}
			if err := l.commit(ctx, changes); err != nil {
				return err
			}
		}
		return nil
	})
}

// LetGo forgets a connection and what it needs, and leaves everything in the members as it stands. What others need stays theirs.
func (l Ledger) LetGo(ctx context.Context, id string) error {
	items, err := l.Items(ctx, id)
	if err != nil {
		return err
	}
	leaving, err := l.Release(ctx, id, items)
	if err != nil {
		return err
	}
	if err := l.Forget(ctx, id, leaving); err != nil {
		return err
	}
	return l.End(ctx, id)
}

// Connections returns the entries of all connections with a side in an account and Region, sorted by id.
func (l Ledger) Connections(ctx context.Context, account, region string) ([]Connection, error) {
	return l.listed(ctx, placeRow(Side{Account: account, Region: region}, "").Part)
}

// Joined returns the entries of all connections of a VPC in a Region in which an account takes part without owning it, sorted by id.
func (l Ledger) Joined(ctx context.Context, account, region string) ([]Connection, error) {
	return l.listed(ctx, participantRow(account, region, "").Part)
}

func (l Ledger) listed(ctx context.Context, part string) ([]Connection, error) {
	rows, err := l.Store.List(ctx, part, "")
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, r := range rows {
		keys = append(keys, connectionRow(r.Sort))
	}
	return l.entriesOf(ctx, keys)
}

func (l Ledger) entriesOf(ctx context.Context, keys []Key) ([]Connection, error) {
	found, err := l.read(ctx, keys)
	if err != nil {
		return nil, err
	}
	var out []Connection
	for _, r := range found {
		var c Connection
		if err := decode(r, &c); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Connection) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// Entries returns the entries of those connections that are managed, sorted by id.
func (l Ledger) Entries(ctx context.Context, ids []string) ([]Connection, error) {
	var keys []Key
	for _, id := range ids {
		keys = append(keys, connectionRow(id))
	}
	return l.entriesOf(ctx, keys)
}

// read is Store.Read for any number of keys.
func (l Ledger) read(ctx context.Context, keys []Key) ([]Row, error) {
	var out []Row
	for some := range slices.Chunk(keys, most) {
		rows, err := l.Store.Read(ctx, some)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

func (s Side) same(o Side) bool {
	return s.Account == o.Account && s.Region == o.Region && s.ID == o.ID && s.Role == o.Role
}

func compareKeys(a, b Key) int {
	if c := strings.Compare(a.Part, b.Part); c != 0 {
		return c
	}
	return strings.Compare(a.Sort, b.Sort)
}

// now is the time that entries say: whole seconds, in UTC.
func (l Ledger) now() time.Time { return l.Now().UTC().Truncate(time.Second) }
