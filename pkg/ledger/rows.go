package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rows under a connection whose sort key begins with fact# are what its last inspection found, and what the steps after it told. They go with its
// entry. Package fact says which there are.

const factPrefix = "fact#"

// Fact is one such row: Sort is its sort key behind fact#, Body becomes a JSON object.
type Fact struct {
	Sort string
	Body any
}

// Facts are the facts of a connection as they were read, sorted by their sort keys.
type Facts struct {
	id, prefix string
	rows       []Row
}

// Facts reads those facts of a connection whose sort key begins with prefix, by one Query.
func (l Ledger) Facts(ctx context.Context, id, prefix string) (Facts, error) {
	rows, err := l.Store.List(ctx, connectionPart(id), factPrefix+prefix)
	return Facts{id: id, prefix: prefix, rows: rows}, err
}

// FactsAt reads those of the facts of a connection that are there of some sort keys, at most 100, by one BatchGetItem.
func (l Ledger) FactsAt(ctx context.Context, id string, sorts ...string) (Facts, error) {
	var keys []Key
	for _, s := range sorts {
		keys = append(keys, factRow(id, s))
	}
	rows, err := l.Store.Read(ctx, keys)
	slices.SortFunc(rows, func(a, b Row) int { return compareKeys(a.Key, b.Key) })
	return Facts{id: id, rows: rows}, err
}

// Under returns those facts whose sort key begins with prefix.
func (f Facts) Under(prefix string) Facts {
	out := Facts{id: f.id, prefix: prefix}
	for _, r := range f.rows {
		if strings.HasPrefix(r.Sort, factPrefix+prefix) {
			out.rows = append(out.rows, r)
		}
	}
	return out
}

// Sorts are the sort keys of the facts.
func (f Facts) Sorts() []string {
	var out []string
	for _, r := range f.rows {
		out = append(out, strings.TrimPrefix(r.Sort, factPrefix))
	}
	return out
}

// FactOf decodes the fact of a sort key into v, and reports whether it is there.
func (f Facts) FactOf(sort string, v any) (bool, error) {
	n := slices.IndexFunc(f.rows, func(r Row) bool { return r.Sort == factPrefix+sort })
	if n < 0 {
		return false, nil
	}
	return true, decode(f.rows[n], v)
}

// Replace writes facts of a connection in place of all of before whose sort key begins with prefix: at most 100 in one transaction, those that are left
// over last.
func (l Ledger) Replace(ctx context.Context, id, prefix string, facts []Fact) error {
	before, err := l.Facts(ctx, id, prefix)
	if err != nil {
		return err
	}
	return l.Renew(ctx, before, facts)
}

// Renew is [Ledger.Replace] for who has just read the facts of before. Rows that say the same stay as they are.
func (l Ledger) Renew(ctx context.Context, before Facts, facts []Fact) error {
	return retry(ctx, before.id, func() error {
		err := l.renew(ctx, before, facts)
		if errors.Is(err, ErrChanged) { // somebody wrote meanwhile, or a part was written before
			var reading error
			if before, reading = l.Facts(ctx, before.id, before.prefix); reading != nil {
				return reading
			}
		}
		return err
	})
}

func (l Ledger) renew(ctx context.Context, before Facts, facts []Fact) error {
	old := map[Key]Row{}
	for _, r := range before.rows {
		old[r.Key] = r
	}
	var changes []Change
	for _, f := range facts {
		if !strings.HasPrefix(f.Sort, before.prefix) {
			return fmt.Errorf("writing the ledger: the fact %s of %s is not among %s", f.Sort, before.id, before.prefix)
		}
		body, err := encode(f.Body)
		if err != nil {
			return err
		}
		key := factRow(before.id, f.Sort)
		if was, ok := old[key]; !ok || !same(was.Body, body) {
			changes = append(changes, Change{Key: key, Version: was.Version, Body: body})
		}
		delete(old, key)
	}
	for _, r := range before.rows {
		if _, left := old[r.Key]; left {
			changes = append(changes, Change{Key: r.Key, Version: r.Version})
		}
	}
	for some := range slices.Chunk(changes, most) {
		if err := l.commit(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func factRow(id, sort string) Key { return Key{connectionPart(id), factPrefix + sort} }

// same reports whether a row says the same as a body: its names may stand in another order.
func same(row, body []byte) bool {
	var a, b any
	if decode(Row{Body: row}, &a) != nil || decode(Row{Body: body}, &b) != nil {
		return false
	}
	x, err := encode(a)
	y, other := encode(b)
	return err == nil && other == nil && bytes.Equal(x, y)
}
