package fact

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// list are the rows of things that a machine works on one by one, by their numbers.
func list[T any](kind string, all []T) []ledger.Fact {
	var out []ledger.Fact
	for n, one := range all {
		out = append(out, ledger.Fact{Sort: of(kind, n+1), Body: one})
	}
	return out
}

// listed reads what [list] wrote.
func listed[T any](f ledger.Facts, kind string) (out []T, err error) {
	for n := 1; ; n++ {
		var one T
		if ok, err := f.FactOf(of(kind, n), &one); err != nil || !ok {
			return out, err
		}
		out = append(out, one)
	}
}

// items are the numbers of n things, in at most so many items of a Map.
func items(n, most int) []workflow.Rows {
	return workflow.Packed(numbered(n), slices.Repeat([]int{1}, n), 1, most)
}

// toldOf are what a state told of the things from, from+1 … that are so many. One of which nothing was told is of another execution's look, which ended before it came to it.
func toldOf[O any](f ledger.Facts, id, state string, from, many int) ([]O, error) {
	out := make([]O, many)
	for n := range out {
		if ok, err := f.FactOf(of(told+"#"+state, from+n), &out[n]); err != nil {
			return nil, err
		} else if !ok {
			return nil, workflow.Outdated(id, "")
		}
	}
	return out, nil
}

// anyTold is what a state told so far, of whatever.
func anyTold[O any](ctx context.Context, l ledger.Ledger, id, state string) ([]O, error) {
	f, err := l.Facts(ctx, id, told+"#"+state+"#")
	if err != nil {
		return nil, err
	}
	var out []O
	for _, sort := range f.Sorts() {
		var one O
		if _, err := f.FactOf(sort, &one); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// item says on what of which list of a connection a state works.
type item struct {
	id, kind, state string
	rows            workflow.Rows
}

// each does a step for the things of an item, one after the other, and writes down what it told of each. done says whether that is the end of it: then the thing
// is not worked on again, when the item is tried again or was to wait. One that fails keeps nobody from being served, and one that is there no more is served by the look that took it away.
func each[T any, O said](ctx context.Context, l ledger.Ledger, i item, done func(O) bool, step func(T) (O, error)) ([]O, error) {
	out, errs := make([]O, 0, len(i.rows)), make([]error, 0, len(i.rows))
	for _, n := range i.rows {
		o, ok, err := oneOf(ctx, l, i, n, done, step)
		if fault.Of(err) == fault.Held { // its text is read by who keeps the execution, and the others are held as well
			return out, err
		}
		if errs = append(errs, err); ok {
			out = append(out, o)
		}
	}
	if len(errs) == 1 {
		return out, errs[0]
	}
	return out, fault.Join(errs...)
}

// oneOf does the step of [each] for one thing. It reports whether the thing is there, and the step did not fail.
func oneOf[T any, O said](ctx context.Context, l ledger.Ledger, i item, n int, done func(O) bool, step func(T) (O, error)) (out O, ok bool, err error) {
	at := of(told+"#"+i.state, n)
	f, err := l.FactsAt(ctx, i.id, of(i.kind, n), at)
	if err != nil {
		return out, false, err
	}
	var one T
	if there, err := f.FactOf(of(i.kind, n), &one); err != nil || !there {
		return out, false, err
	}
	if before, err := f.FactOf(at, &out); err != nil || before {
		return out, err == nil, err
	}
	if out, err = step(one); err != nil || !done(out) {
		return out, err == nil, err
	}
	return out, true, keepTold(ctx, l, f.Under(at), at, &out)
}

// keepTold writes what was told in place of what an earlier attempt told, with as much as an output may say.
func keepTold[O any](ctx context.Context, l ledger.Ledger, before ledger.Facts, at string, out *O) error {
	workflow.Shorten(out)
	return l.Renew(ctx, before, []ledger.Fact{{Sort: at, Body: *out}})
}

// always says that a thing is done with, whatever was told of it.
func always[O any](O) bool { return true }

// all is what was told, counted.
func all[O said](out []O, err error) (workflow.Told, error) {
	told := make([]workflow.Told, len(out))
	for n, o := range out {
		told[n] = counted(o)
	}
	return sum(told), err
}
