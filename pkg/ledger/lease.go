package ledger

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Lease says who is at a thing.
type Lease struct {
	Holder string    `json:"holder,omitempty"` // empty: nobody any more, and somebody came while it was held
	Since  time.Time `json:"since"`
	Event  string    `json:"event,omitempty"` // by which its holder came
	Again  bool      `json:"again,omitempty"` // somebody else came meanwhile
}

func leaseRow(name string) Key { return Key{"lease#" + name, "lease"} }

// kept is how long a lease that nobody asks for stays in the table: longer than an execution that failed may be redriven.
// https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
const kept = 15 * 24 * time.Hour

// Acquire gives want.Holder the lease of that name, and returns it as it is then: held by whom it names. A holder that has it already keeps
// it. If somebody else has it, that one is told to look again before it lets go, unless ended says of it that its holder came to its end
// without letting go: then the lease is want.Holder's. taken says that it was not before.
func (l Ledger) Acquire(ctx context.Context, name string, want Lease, ended func(context.Context, Lease) (bool, error)) (now Lease, taken bool, err error) {
	err = retry(ctx, "lease "+name, func() error {
		var version int64
		var err error
		taken = false
		if now, version, err = l.lease(ctx, name); err != nil {
			return err
		}
		switch {
		case version > 0 && now.Holder == want.Holder:
			return nil
		case version > 0 && now.Holder != "":
			over, err := ended(ctx, now)
			if err != nil {
				return err
			}
			if over {
				break
			}
			if now.Again {
				return nil
			}
			now.Again = true
			return l.put(ctx, name, version, now)
		}
		now, taken = Lease{Holder: want.Holder, Event: want.Event, Since: l.now()}, true
		return l.put(ctx, name, version, now)
	})
	return now, taken, err
}

// Yield gives the lease back, and reports whether somebody came while holder had it, so that somebody has to look again. That stays written
// until the next one acquires the lease: whoever yields once more, after an answer that was lost, is told the same. A lease that another has
// is nothing to holder.
func (l Ledger) Yield(ctx context.Context, name, holder string) (again bool, err error) {
	err = retry(ctx, "lease "+name, func() error {
		now, version, err := l.lease(ctx, name)
		again = false
		switch {
		case err != nil || version == 0 || now.Holder != holder && now.Holder != "":
			return err
		case now.Holder == "":
			again = true
			return nil
		case now.Again:
			again, now.Holder = true, ""
			return l.put(ctx, name, version, now)
		}
		return l.Store.Write(ctx, []Change{{Key: leaseRow(name), Version: version}})
	})
	return again, err
}

// Under returns the ledger for a step that works on what the lease of that name is about, for holder, who acquired it. What such a step
// writes of items, it writes only while it has the lease: one that lost it, since its execution had failed before it was redriven or was
// stopped while the step was at work, takes it again if it is free, and else fails with [fault.NotYet] before anything is done in a member.
// An empty name is no lease.
func (l Ledger) Under(name, holder string) Ledger {
	l.under, l.holder = name, holder
	return l
}

// Hold does what [Ledger.Under] says, for a step that writes no items.
func (l Ledger) Hold(ctx context.Context, name, holder string) error {
	return retry(ctx, "lease "+name, func() error {
		now, version, err := l.lease(ctx, name)
		if err != nil {
			return err
		}
		return l.held(ctx, name, holder, now, version)
	})
}

// held sees to it that holder has the lease that was read.
func (l Ledger) held(ctx context.Context, name, holder string, now Lease, version int64) error {
	switch {
	case version > 0 && now.Holder == holder:
		return nil
	case version > 0 && now.Holder != "":
		return fault.New(fault.NotYet, "execution %s is at %s, since this one failed or was stopped; it need not be redriven, unless that one fails", now.Holder, name)
	}
	return l.put(ctx, name, version, Lease{Holder: holder, Since: l.now()})
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
	ended := func(_ context.Context, other Lease) (bool, error) {
		at := strings.LastIndexByte(other.Holder, ' ')
		since, err := time.Parse(time.RFC3339Nano, other.Holder[at+1:])
		return err != nil || other.Holder[:max(at, 0)] == by || l.Now().Sub(since) >= Lifetime, nil
	}
	for patience := l.Patience; ; patience -= pause {
		now, _, err := l.Acquire(ctx, name, Lease{Holder: holder}, ended)
		if err != nil {
			return err
		}
		if now.Holder == holder {
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
		if l.drop(ctx, name, holder) == nil {
			break
		}
	}
	return done
}

// drop gives a lease back, whoever came.
func (l Ledger) drop(ctx context.Context, name, holder string) error {
	now, version, err := l.lease(ctx, name)
	if err != nil || version == 0 || now.Holder != holder {
		return err
	}
	return l.Store.Write(ctx, []Change{{Key: leaseRow(name), Version: version}})
}

func (l Ledger) lease(ctx context.Context, name string) (Lease, int64, error) {
	var out Lease
	rows, err := l.Store.Read(ctx, []Key{leaseRow(name)})
	if err != nil || len(rows) == 0 {
		return out, 0, err
	}
	return out, rows[0].Version, decode(rows[0], &out)
}

func (l Ledger) put(ctx context.Context, name string, version int64, to Lease) error {
	body, err := encode(to)
	if err != nil {
		return err
	}
	return l.Store.Write(ctx, []Change{{Key: leaseRow(name), Version: version, Body: body, Expires: l.Now().Add(kept).Unix()}})
}
