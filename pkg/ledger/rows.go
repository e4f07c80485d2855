package ledger

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rows of a kind under a connection are facts that its inspection found and that the steps read: <kind>#<n>, from 1. They go with its entry.

func factRow(id, kind string, n int) Key {
	return Key{connectionPart(id), kind + "#" + strconv.Itoa(n)}
}

// Replace writes rows of a kind under a connection in place of those of the look before: at most 100 in one transaction, those that are left over last.
func Replace[T any](ctx context.Context, l Ledger, id, kind string, rows []T) error {
	return retry(ctx, id, func() error {
		there, err := l.Store.List(ctx, connectionPart(id), kind+"#")
		if err != nil {
			return err
		}
		old := map[Key]Row{}
		for _, r := range there {
			old[r.Key] = r
		}
		var changes []Change
		for n, row := range rows {
			body, err := encode(row)
			if err != nil {
				return err
			}
			key := factRow(id, kind, n+1)
			if was, ok := old[key]; !ok || !same(was.Body, body) {
				changes = append(changes, Change{Key: key, Version: was.Version, Body: body})
			}
			delete(old, key)
		}
		for _, r := range there {
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
	})
}

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

// Rows returns all rows of a kind under a connection, by their numbers.
func Rows[T any](ctx context.Context, l Ledger, id, kind string) ([]T, error) {
	found, err := l.Store.List(ctx, connectionPart(id), kind+"#")
	if err != nil {
		return nil, err
	}
	number := func(r Row) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(r.Sort, kind+"#"))
		return n
	}
	slices.SortFunc(found, func(a, b Row) int { return number(a) - number(b) })
	out := make([]T, len(found))
	for n, r := range found {
		if err := decode(r, &out[n]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// RowOf returns one row of a kind under a connection, and whether it is there.
func RowOf[T any](ctx context.Context, l Ledger, id, kind string, n int) (row T, ok bool, err error) {
	found, err := l.Store.Read(ctx, []Key{factRow(id, kind, n)})
	if err != nil || len(found) == 0 {
		return row, false, err
	}
	if err := decode(found[0], &row); err != nil {
		return row, false, fmt.Errorf("row %d of %s: %w", n, kind, err)
	}
	return row, true, nil
}
