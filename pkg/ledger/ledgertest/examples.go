package ledgertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Examples holds an empty store to what a ledger rests on. Part of each row's partition is prefix, so that a table may be shared.
// Long, because the examples build on each other.
func Examples(t *testing.T, store ledger.Store, prefix string) {
	ctx := context.Background()
	key := func(part, sort string) ledger.Key { return ledger.Key{Part: prefix + part, Sort: sort} }
	put := func(k ledger.Key, version int64, body string) ledger.Change {
		return ledger.Change{Key: k, Version: version, Body: json.RawMessage(body)}
	}
	write := func(t *testing.T, changes ...ledger.Change) {
		t.Helper()
		if err := store.Write(ctx, changes); err != nil {
			t.Fatal(err)
		}
	}
	read := func(t *testing.T, keys ...ledger.Key) map[ledger.Key]ledger.Row {
		t.Helper()
		rows, err := store.Read(ctx, keys)
		if err != nil {
			t.Fatal(err)
		}
		out := map[ledger.Key]ledger.Row{}
		for _, r := range rows {
			out[r.Key] = r
		}
		return out
	}

	t.Run("a row comes, changes and goes, each time as it was read", func(t *testing.T) {
		k := key("one", "row")
		if got := read(t, k); len(got) != 0 {
			t.Fatalf("%v", got)
		}
		write(t, put(k, 0, `{"text":"grüße","list":["a","b"],"none":[],"truth":true,"deep":{"n":1.5,"empty":""}}`))
		got := read(t, k, key("one", "other"))[k]
		var body, want map[string]any
		if err := errors.Join(json.Unmarshal(got.Body, &body), json.Unmarshal([]byte(`{"text":"grüße","list":["a","b"],"none":[],"truth":true,"deep":{"n":1.5,"empty":""}}`), &want)); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(body) != fmt.Sprint(want) || got.Version != 1 {
			t.Fatalf("%d: %s", got.Version, got.Body)
		}
		write(t, put(k, 1, `{"text":"two"}`))
		if got := read(t, k)[k]; got.Version != 2 || bytes.Contains(got.Body, []byte("list")) {
			t.Fatalf("%d: %s", got.Version, got.Body)
		}
		write(t, ledger.Change{Key: k, Version: 2})
		if got := read(t, k); len(got) != 0 {
			t.Fatalf("%v", got)
		}
	})
	t.Run("what was changed meanwhile is not written, nor what goes with it", func(t *testing.T) {
		a, b := key("all", "a"), key("all", "b")
		write(t, put(a, 0, `{"by":"one"}`))
		for name, stale := range map[string]ledger.Change{
			"a row that is there, as new":      put(a, 0, `{"by":"two"}`),
			"a row at another version":         put(a, 2, `{"by":"two"}`),
			"a row that is there, gone as new": {Key: a},
			"a row that is not there, as old":  put(key("all", "c"), 1, `{}`),
			"a row that is not there, gone":    {Key: key("all", "c"), Version: 1},
		} {
			if err := store.Write(ctx, []ledger.Change{put(b, 0, `{}`), stale}); !errors.Is(err, ledger.ErrChanged) {
				t.Errorf("%s: %v", name, err)
			}
			got := read(t, a, b)
			if len(got) != 1 || !strings.Contains(string(got[a].Body), "one") || got[a].Version != 1 {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
	t.Run("a hundred rows at once, listed in order by their beginning", func(t *testing.T) {
		var changes []ledger.Change
		for n := range 100 {
			sort := fmt.Sprintf("item#%03d", n)
			if n%10 == 0 {
				sort = fmt.Sprintf("other#%03d", n)
			}
			changes = append(changes, put(key("many", sort), 0, `{"filled":"`+strings.Repeat("x", 20_000)+`"}`))
		}
		slices.Reverse(changes)
		write(t, changes...)
		for beginning, want := range map[string]int{"": 100, "item#": 90, "item#05": 9, "nothing": 0} {
			rows, err := store.List(ctx, prefix+"many", beginning)
			if err != nil {
				t.Fatal(err)
			}
			sorted := slices.IsSortedFunc(rows, func(a, b ledger.Row) int { return strings.Compare(a.Sort, b.Sort) })
			if len(rows) != want || !sorted {
				t.Errorf("%q: %d rows, want %d, sorted: %v", beginning, len(rows), want, sorted)
			}
		}
	})
	t.Run("of many at once each is counted", func(t *testing.T) {
		k := key("count", "row")
		write(t, put(k, 0, `{}`))
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for done := 0; done < 5; {
					rows, err := store.Read(ctx, []ledger.Key{k})
					if err == nil {
						err = store.Write(ctx, []ledger.Change{put(k, rows[0].Version, `{}`)})
					}
					if err == nil {
						done++
					} else if !errors.Is(err, ledger.ErrChanged) {
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		if got := read(t, k)[k].Version; got != 21 {
			t.Errorf("version %d after 20 changes", got)
		}
	})
}
