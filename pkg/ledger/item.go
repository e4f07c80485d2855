package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// perWrite is how many items one write takes: each has a row of its own and a line in the connection.
const perWrite = most / 2

// Items returns what a connection needs, in any state, with what is leaving for it; sorted by place, resource, kind, key.
func (l Ledger) Items(ctx context.Context, id string) ([]Item, error) {
	lines, err := l.Store.List(ctx, connectionPart(id), linePrefix)
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, line := range lines {
		if key, ok := rowOf(line.Key); ok {
			keys = append(keys, key)
		}
	}
	rows, err := l.read(ctx, keys)
	if err != nil {
		return nil, err
	}
	items, err := itemsOf(rows)
	return slices.DeleteFunc(items, func(i Item) bool { return !i.NeededBy(id) && i.For != id }), err
}

// Of returns the items of one resource of an account and Region, sorted by kind and key.
func (l Ledger) Of(ctx context.Context, account, region, resource string) ([]Item, error) {
	rows, err := l.Store.List(ctx, Item{Account: account, Region: region, Resource: resource}.row().Part, "")
	if err != nil {
		return nil, err
	}
	return itemsOf(rows)
}

func itemsOf(rows []Row) ([]Item, error) {
	var out []Item
	for _, r := range rows {
		var i Item
		if err := decode(r, &i); err != nil {
			return nil, err
		}
		i.version = r.Version
		out = append(out, i)
	}
	slices.SortFunc(out, compareItems)
	return out, nil
}

func compareItems(a, b Item) int {
	return cmp.Or(strings.Compare(a.Place(), b.Place()), strings.Compare(a.Resource, b.Resource), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Key, b.Key))
}

// Record writes that id needs items, before any of them is made in a member: those that the ledger does not know as intended (or as
// wanted, if they say so), with what is there now; of the others, that one more needs them. It returns the entries as they are then, in
// the order of items.
//
// It fails with [fault.NotYet] if one of them is being taken away by another execution.
func (l Ledger) Record(ctx context.Context, id string, items ...Item) ([]Item, error) {
	return l.update(ctx, id, items, func(old *Item, given Item) (Item, bool, error) {
		next, ok := need(old, given, id, l.now())
		if !ok {
			return next, false, fault.New(fault.NotYet, "recording %s %s of %s: it is being taken away for %s", given.Kind, given.Key, given.Resource, old.For)
		}
		return next, true, nil
	})
}

// Confirm writes how the calls left items that were recorded, and returns the entries. Of the given items, Left counts, and Made if it says when.
// One that nobody needs any more, or that somebody else took away meanwhile once too often, is left as it is.
func (l Ledger) Confirm(ctx context.Context, items ...Item) ([]Item, error) {
	return l.update(ctx, "", items, func(old *Item, given Item) (Item, bool, error) {
		if old == nil {
			return given, false, fault.New(fault.Invalid, "confirming %s %s of %s: it was not recorded", given.Kind, given.Key, given.Resource)
		}
		next := *old
		if old.State == Leaving || old.State == Contested || old.State == Confirmed && old.Left == given.Left {
			return next, true, nil
		}
		next.State, next.Left, next.At = Confirmed, given.Left, l.now()
		if !given.Made.IsZero() {
			next.Made = given.Made
		}
		return next, true, nil
	})
}

// Release writes that id does not need items any more, and returns those that nobody needs: they are leaving, and id has to take them
// back and then [Ledger.Forget] them. What others need, what was only wanted, and what is contested is done with: what stands in the place
// of the last is its owner's.
func (l Ledger) Release(ctx context.Context, id string, items []Item) (leaving []Item, err error) {
	for some := range slices.Chunk(items, perWrite) {
		var last []Item
		err := retry(ctx, id, func() error {
			last = nil
			now, err := l.entries(ctx, id, some)
			if err != nil {
				return err
			}
			var changes []Change
			for _, n := range now {
				if n.item == nil {
					changes = append(changes, n.unline()...)
					continue
				}
				next, none := release(*n.item, id, l.now())
				switch {
				case none && (n.item.State == Wanted || n.item.State == Contested): // nothing of Drawbridge's is there
					changes = append(append(changes, Change{Key: next.row(), Version: n.item.version}), n.unline()...)
					continue
				case none:
					last = append(last, next)
				default:
					changes = append(changes, n.unline()...)
				}
				if !reflect.DeepEqual(next, *n.item) {
					body, err := encode(next)
					if err != nil {
						return err
					}
					changes = append(changes, Change{Key: next.row(), Version: n.item.version, Body: body})
				}
			}
			return l.commit(ctx, changes)
		})
		if err != nil {
			return leaving, err
		}
		leaving = append(leaving, last...)
	}
	return leaving, nil
}

// Forget removes items that are leaving for id, once they are taken back or turned out to be somebody else's.
func (l Ledger) Forget(ctx context.Context, id string, items []Item) error {
	for some := range slices.Chunk(items, perWrite) {
		err := retry(ctx, id, func() error {
			now, err := l.entries(ctx, id, some)
			if err != nil {
				return err
			}
			var changes []Change
			for _, n := range now {
				if n.item != nil && n.item.NeededBy(id) {
					continue // needed anew meanwhile
				}
				if n.item != nil && n.item.State == Leaving && n.item.For == id {
					changes = append(changes, Change{Key: n.item.row(), Version: n.item.version})
				}
				changes = append(changes, n.unline()...)
			}
			return l.commit(ctx, changes)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Cancel takes back what [Ledger.Record] wrote of items whose calls were not made, because the things were there already and are
// somebody else's. Nothing is done in a member.
func (l Ledger) Cancel(ctx context.Context, id string, items []Item) error {
	leaving, err := l.Release(ctx, id, items)
	if err != nil {
		return err
	}
	return l.Forget(ctx, id, leaving)
}

// GiveUp says of an item that stays intended that the execution that intends it does not make its call any more, since AWS or the mode refused it. So
// no other waits for that, as [Item.Busy] would have it.
func (l Ledger) GiveUp(ctx context.Context, item Item) error {
	_, err := l.Mark(ctx, item, func(now *Item) {
		if now.State == Intended && now.By == item.By {
			now.At = now.At.Add(-Lifetime)
		}
	})
	return err
}

// Mark changes one item by f, if the ledger has it, and returns it as it is then: for what happened to it in its member.
func (l Ledger) Mark(ctx context.Context, item Item, f func(*Item)) (Item, error) {
	out, err := l.MarkAll(ctx, []Item{item}, f)
	if err != nil || len(out) == 0 {
		return item, err
	}
	return out[0], nil
}

// MarkAll is [Ledger.Mark] for many items. It returns those that the ledger has, in the order of items.
func (l Ledger) MarkAll(ctx context.Context, items []Item, f func(*Item)) ([]Item, error) {
	return l.update(ctx, "", items, func(old *Item, given Item) (Item, bool, error) {
		if old == nil {
			return given, false, nil
		}
		next := *old
		f(&next)
		return next, true, nil
	})
}

// update writes what next makes of items, and for id the lines that say so. next gets the entry that is there, nil if none, and the
// item that was given; an item that it leaves out is not written.
func (l Ledger) update(ctx context.Context, id string, items []Item, next func(old *Item, given Item) (Item, bool, error)) ([]Item, error) {
	var out []Item
	for some := range slices.Chunk(items, perWrite) {
		var done []Item
		err := retry(ctx, cmp.Or(id, some[0].Resource), func() error {
			done = nil
			now, err := l.entries(ctx, id, some)
			if err != nil {
				return err
			}
			var changes []Change
			for _, n := range now {
				item, write, err := next(n.item, n.given)
				if err != nil {
					return err
				}
				if !write {
					continue
				}
				if n.item == nil || !reflect.DeepEqual(item, *n.item) {
					body, err := encode(item)
					if err != nil {
						return err
					}
					changes = append(changes, Change{Key: item.row(), Version: item.version, Body: body})
					item.version++
				}
				if id != "" && n.line == 0 {
					changes = append(changes, Change{Key: n.lineKey, Body: json.RawMessage("{}")})
				}
				done = append(done, item)
			}
			return l.commit(ctx, changes)
		})
		if err != nil {
			return out, err
		}
		out = append(out, done...)
	}
	return out, nil
}

func (l Ledger) commit(ctx context.Context, changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	return l.Store.Write(ctx, changes)
}

// entry is an item as the ledger has it at this moment.
type entry struct {
	given   Item
	item    *Item // nil: it has none
	lineKey Key
	line    int64 // version of the line of the connection, 0 if there is none
}

// unline removes the line, if there is one.
func (n entry) unline() []Change {
	if n.line == 0 {
		return nil
	}
	return []Change{{Key: n.lineKey, Version: n.line}}
}

// entries reads the rows of items, and, if id is not empty, the lines that say that id needs them.
func (l Ledger) entries(ctx context.Context, id string, items []Item) ([]entry, error) {
	var keys []Key
	for n, i := range items {
		if err := i.check(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(items[:n], i.Same) {
			return nil, fault.New(fault.Invalid, "writing the ledger: %s %s of %s is there twice", i.Kind, i.Key, i.Resource)
		}
		if keys = append(keys, i.row()); id != "" {
			keys = append(keys, i.line(id))
		}
	}
	if l.under != "" {
		keys = append(keys, leaseRow(l.under))
	}
	rows, err := l.read(ctx, keys)
	if err != nil {
		return nil, err
	}
	at := map[Key]Row{}
	for _, r := range rows {
		at[r.Key] = r
	}
	if l.under != "" {
		var now Lease
		row := at[leaseRow(l.under)]
		if row.Version > 0 {
			if err := decode(row, &now); err != nil {
				return nil, err
			}
		}
		if err := l.held(ctx, l.under, l.holder, now, row.Version); err != nil {
			return nil, err
		}
	}
	var out []entry
	for _, i := range items {
		e := entry{given: i}
		if row, ok := at[i.row()]; ok {
			found, err := itemsOf([]Row{row})
			if err != nil {
				return nil, err
			}
			e.item = &found[0]
		}
		if id != "" {
			e.lineKey = i.line(id)
			e.line = at[e.lineKey].Version
		}
		out = append(out, e)
	}
	return out, nil
}

// check reports an item that cannot be named.
func (i Item) check() error {
	if i.Account == "" || i.Region == "" || i.Resource == "" || i.Kind == "" || strings.Contains(i.Resource, "#") {
		return fmt.Errorf("writing the ledger: %w", fault.New(fault.Invalid, "an item needs an account, a Region, a resource and a kind: %+v", i))
	}
	return nil
}
