package ledger

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// lease is the row of a lease.
type lease struct {
	Holder string    `json:"holder"`
	Since  time.Time `json:"since"`
	Again  bool      `json:"again,omitempty"` // somebody else came meanwhile
}

func leaseRow(name string) Key { return Key{"lease#" + name, "lease"} }

// Acquire gives holder the lease of that name, and reports whether it has it. A holder that has it already keeps it. If somebody else has it, that
// one is told to look again before it lets go, unless ended says that it came to its end without letting go: then the lease is holder's.
// ended is asked with the name of the one that holds it.
func (l Ledger) Acquire(ctx context.Context, name, holder string, ended func(context.Context, string) (bool, error)) (bool, error) {
	held := false
	err := retry(ctx, "lease "+name, func() error {
		now, version, err := l.lease(ctx, name)
		if err != nil {
			return err
		}
		switch {
		case version > 0 && now.Holder == holder:
			held = true
			return nil
		case version > 0:
			over, err := ended(ctx, now.Holder)
			if err != nil {
				return err
			}
			if held = over; over {
				break
			}
			if now.Again {
				return nil
			}
			now.Again = true
			return l.put(ctx, name, version, now)
		}
		held = true
		return l.put(ctx, name, version, lease{Holder: holder, Since: l.now()})
	})
	return held, err
}

// Yield gives the lease back, unless somebody came meanwhile: then holder keeps it, and has to look again. A lease that holder does
// not have is nothing to it.
func (l Ledger) Yield(ctx context.Context, name, holder string) (again bool, err error) {
	err = retry(ctx, "lease "+name, func() error {
		now, version, err := l.lease(ctx, name)
		again = false
		if err != nil || version == 0 || now.Holder != holder {
			return err
		}
		if again = now.Again; again {
			now.Again = false
			return l.put(ctx, name, version, now)
		}
		return l.Store.Write(ctx, []Change{{Key: leaseRow(name), Version: version}})
	})
	return again, err
}

// pause is how long it takes until a lease is asked for again.
const pause = time.Second

// While does f under the lease of that name, for what one call of a function does from beginning to end, such as to read a document, change it
// and read it back. by is the execution. While another execution is at it, While waits for the ledger's patience, then fails with [fault.NotYet],
// without f. Who began more than
// [Lifetime] ago has ended, as no function lives that long; and an execution does not wait for itself. A lease that cannot be given back ends so,
// too: what f did counts.
func (l Ledger) While(ctx context.Context, name, by string, f func() error) error {
	holder := by + " " + l.Now().UTC().Format(time.RFC3339Nano)
	ended := func(_ context.Context, other string) (bool, error) {
		at := strings.LastIndexByte(other, ' ')
		since, err := time.Parse(time.RFC3339Nano, other[at+1:])
		return err != nil || other[:max(at, 0)] == by || l.Now().Sub(since) >= Lifetime, nil
	}
	for patience := l.Patience; ; patience -= pause {
		held, err := l.Acquire(ctx, name, holder, ended)
		if err != nil {
			return err
		}
		if held {
			break
		}
		if patience < pause {
			return fault.New(fault.NotYet, "another execution is changing %s", name)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	done := f()
	// Who came meanwhile tries again by itself. A lease that stays would hold others up for as long as a function lives.
	for range tries {
		again, err := l.Yield(ctx, name, holder)
		if err == nil && !again {
			return done
		}
	}
	return done
}

func (l Ledger) lease(ctx context.Context, name string) (lease, int64, error) {
	var out lease
	rows, err := l.Store.Read(ctx, []Key{leaseRow(name)})
	if err != nil || len(rows) == 0 {
		return out, 0, err
	}
	return out, rows[0].Version, decode(rows[0], &out)
}

func (l Ledger) put(ctx context.Context, name string, version int64, to lease) error {
	body, err := encode(to)
	if err != nil {
		return err
	}
	return l.Store.Write(ctx, []Change{{Key: leaseRow(name), Version: version, Body: body}})
}
