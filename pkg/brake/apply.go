package brake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// Open returns the brake of the hub, with its limit from the environment: BRAKE_CONNECTIONS and BRAKE_PERCENT. A limit that is no number is
// zero, so that everything waits for a person.
func Open(hub aws.Config) Brake {
	number := func(name string) int {
		n, err := strconv.Atoi(os.Getenv(name))
		if err != nil || n < 0 {
			slog.Error("reading the brake's limit", "variable", name, "value", os.Getenv(name))
			return 0
		}
		return n
	}
	return Brake{Ledger: ledger.Open(hub), Limit: Limit{Connections: number("BRAKE_CONNECTIONS"), Percent: number("BRAKE_PERCENT")}}
}

// tries is how often a decision is attempted anew, where others decide at the same time.
const tries = 16

// Ask returns nil if a connection may be taken away for a cause, and otherwise the error with which the machine ends as
// [mode.Braked]. The cause is a sentence's end: "the policy does not allow it any more".
func (b Brake) Ask(ctx context.Context, id, cause string) error {
	passes := false
	err := b.change(ctx, id, func(s state, own *waiting) (state, *waiting) {
		now := b.Ledger.Now().UTC()
		next, ok := ask(s.within(now), own, passed{ID: id, At: now}, b.Limit)
		if passes = ok; !ok && own == nil {
			own = &waiting{Cause: cause, At: now}
		}
		return next, own
	})
	if err != nil {
		return fmt.Errorf("asking whether %s may be taken away: %w", id, err)
	}
	if !passes {
		return mode.Hold(mode.Braked, "more was taken away within a day than the limit says, and a person decides about the rest", "take away "+id+": "+cause)
	}
	return nil
}

// Managed writes how many connections there are, which a percentage is of.
func (b Brake) Managed(ctx context.Context, n int) error {
	err := b.change(ctx, "", func(s state, _ *waiting) (state, *waiting) {
		s.Managed = n
		return s, nil
	})
	if err != nil {
		return fmt.Errorf("writing how many connections are managed: %w", err)
	}
	return nil
}

// Tell reports whether people have to be told that the brake is on, and writes that they were: whoever gets true tells them. It is true
// once, until a person decided.
func (b Brake) Tell(ctx context.Context) (bool, error) {
	first := false
	err := b.change(ctx, "", func(s state, _ *waiting) (state, *waiting) {
		first = s.On && !s.Told
		s.Told = s.Told || s.On
		return s, nil
	})
	return first, err
}

// Waiting returns what waits for a person, by id.
func (b Brake) Waiting(ctx context.Context) ([]Waiting, error) {
	rows, err := b.Ledger.Store.List(ctx, part, waits)
	if err != nil {
		return nil, err
	}
	var out []Waiting
	for _, r := range rows {
		w, waits, err := Of(r)
		if err != nil {
			return nil, err
		}
		if waits {
			out = append(out, w)
		}
	}
	return out, nil
}

// Release takes the brake off, as a person decided: what waits is let through, or dismissed. What is let through passes for a day; what is
// dismissed asks again when somebody looks at it.
func (b Brake) Release(ctx context.Context, letThrough bool) error {
	rows, err := b.Ledger.Store.List(ctx, part, waits)
	if err != nil {
		return err
	}
	now := b.Ledger.Now().UTC()
	for some := range slices.Chunk(rows, 50) {
		var changes []ledger.Change
		for _, r := range some {
			c := ledger.Change{Key: r.Key, Version: r.Version}
			if letThrough {
				var w waiting
				if err := decode(r, &w); err != nil {
					return err
				}
				if w.Let {
					continue
				}
				w.Let, w.At = true, now
				if c.Body, err = json.Marshal(w); err != nil {
					return err
				}
				c.Expires = now.Add(letLive).Unix()
			}
			changes = append(changes, c)
		}
		if len(changes) == 0 {
			continue
		}
		if err := b.Ledger.Store.Write(ctx, changes); err != nil {
			if errors.Is(err, ledger.ErrChanged) {
				return fault.New(fault.Transient, "taking the brake off: somebody asked meanwhile")
			}
			return err
		}
	}
	return b.change(ctx, "", func(s state, _ *waiting) (state, *waiting) {
		s.On, s.Told, s.Passed = false, false, nil
		return s, nil
	})
}

// change changes the brake's row, and that of id, in one conditional write. A row that is nil is not written.
func (b Brake) change(ctx context.Context, id string, f func(state, *waiting) (state, *waiting)) error {
	first := ledger.Key{Part: part, Sort: head}
	keys := []ledger.Key{first}
	if id != "" {
		keys = append(keys, ledger.Key{Part: part, Sort: waits + id})
	}
	for range tries {
		rows, err := b.Ledger.Store.Read(ctx, keys)
		if err != nil {
			return err
		}
		var s state
		var own *waiting
		bodies, versions := map[ledger.Key]string{}, map[ledger.Key]int64{}
		for _, r := range rows {
			bodies[r.Key], versions[r.Key] = "", r.Version
			into := any(&s)
			if r.Key != first {
				own = &waiting{}
				into = own
			}
			if err := decode(r, into); err != nil {
				return err
			}
			bodies[r.Key] = compact(into)
		}
		if own != nil && own.Let && b.Ledger.Now().Sub(own.At) >= letLive {
			own = nil // the table drops it when it gets to it
		}
		next, line := f(s, own)
		var changes []ledger.Change
		if body := compact(next); body != bodies[first] {
			changes = append(changes, ledger.Change{Key: first, Version: versions[first], Body: json.RawMessage(body)})
		}
		if line != nil && compact(line) != bodies[keys[len(keys)-1]] {
			changes = append(changes, ledger.Change{Key: keys[len(keys)-1], Version: versions[keys[len(keys)-1]], Body: json.RawMessage(compact(line))})
		}
		if len(changes) == 0 {
			return nil
		}
		if err := b.Ledger.Store.Write(ctx, changes); !errors.Is(err, ledger.ErrChanged) {
			return err
		}
	}
	return fault.New(fault.Transient, "writing the brake's row: it kept changing under %d attempts", tries)
}

func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // of plain texts, numbers and times
	}
	return string(text)
}
