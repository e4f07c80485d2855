package workflow

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Rows are numbers of the ledger's rows, from 1, ascending, that one invocation works on: an item of a Map. In JSON it is the number, or of several a text such
// as "3-10,12", which does not grow with them.
type Rows []int

// MarshalJSON implements [json.Marshaler].
func (r Rows) MarshalJSON() ([]byte, error) {
	if len(r) == 1 {
		return json.Marshal(r[0])
	}
	var runs []string
	for from := 0; from < len(r); {
		to := from
		for to+1 < len(r) && r[to+1] == r[to]+1 {
			to++
		}
		if runs = append(runs, strconv.Itoa(r[from])); to > from {
			runs[len(runs)-1] += "-" + strconv.Itoa(r[to])
		}
		from = to + 1
	}
	return json.Marshal(strings.Join(runs, ","))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Rows) UnmarshalJSON(text []byte) error {
	var one int
	if json.Unmarshal(text, &one) == nil {
		*r = Rows{one}
		return nil
	}
	var runs string
	if err := json.Unmarshal(text, &runs); err != nil {
		return err
	}
	*r = nil
	for run := range strings.SplitSeq(runs, ",") {
		first, last, several := strings.Cut(run, "-")
		if !several {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, wrong := strconv.Atoi(last)
		if err := cmp.Or(err, wrong); err != nil {
			return fmt.Errorf("reading the numbers of rows %q: %w", runs, err)
		}
		for n := from; n <= to; n++ {
			*r = append(*r, n)
		}
	}
	return nil
}

// How many items a Map over sides, and one over batches of notebooks, has at most: an execution shall have 5,000 events, also if each item is tried again as often as
// it may be. Where there are more rows, one invocation works on several.
const (
	SideItems  = 5
	BatchItems = 12
)

// Packed puts rows into items, at most items of them, in their order; weights says how much each row is, from the first. Few rows have an item each. Of more, an item
// is as heavy as one row may be, or as little more as is needed.
func Packed(rows []int, weights []int, one, items int) []Rows {
	if len(rows) <= items {
		return filled(rows, weights, 0)
	}
	all := 0
	for _, n := range rows {
		all += weights[n-1]
	}
	more := sort.Search(max(0, all-one), func(more int) bool { return len(filled(rows, weights, one+more)) <= items })
	return filled(rows, weights, one+more)
}

// filled puts rows into items with so much room each. A row that is heavier has an item of its own.
func filled(rows []int, weights []int, room int) []Rows {
	out := []Rows{}
	size := 0
	for _, n := range rows {
		if w := weights[n-1]; len(out) == 0 || size+w > room {
			out, size = append(out, nil), 0
		}
		last := len(out) - 1
		out[last], size = append(out[last], n), size+weights[n-1]
	}
	return slices.Clip(out)
}
