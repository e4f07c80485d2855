package workflow

import (
	"encoding/json"
	"reflect"
	"testing"
)

// However many rows there are, a Map has no more items than fit an execution's history, each row is in one of them, and few rows are one each.
func TestRowsArePackedIntoItems(t *testing.T) {
	for _, c := range []struct{ rows, weight, items int }{{0, 1, SideItems}, {1, 1, SideItems}, {2, 1, SideItems}, {SideItems, 1, SideItems}, {SideItems + 1, 1, SideItems}, {1000, 1, SideItems},
		{200, BatchSize, BatchItems}, {201, BatchSize, BatchItems}, {3000, 1, BatchItems}, {500, 33, BatchItems}, {700, BatchSize, BatchItems}} {
		rows, weights := many(c.rows, func(n int) int { return n + 1 }), many(c.rows, func(int) int { return c.weight })
		one := 1
		if c.items == BatchItems {
			one = BatchSize
		}
		packed := Packed(rows, weights, one, c.items)
		if len(packed) > c.items || c.rows <= c.items && len(packed) != c.rows {
			t.Errorf("%+v: %d items", c, len(packed))
		}
		all := []int{}
		for _, some := range packed {
			all = append(all, some...)
		}
		if !reflect.DeepEqual(all, rows) {
			t.Errorf("%+v: %v", c, packed)
		}
		text, err := json.Marshal(packed)
		var again []Rows
		if err == nil {
			err = json.Unmarshal(text, &again)
		}
		if err != nil || !reflect.DeepEqual(again, packed) {
			t.Errorf("%+v: %s, %v", c, text, err)
		}
	}
	if text, _ := json.Marshal([]Rows{{1}, {2, 3, 4, 7}}); string(text) != `[1,"2-4,7"]` {
		t.Errorf("%s", text)
	}
}
