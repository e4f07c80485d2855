package ledger

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Turn says who came to a thing.
type Turn struct {
	Holder string    `json:"holder,omitempty"` // empty: nobody
	Since  time.Time `json:"since,omitzero"`
	Event  string    `json:"event,omitempty"` // by which it came
}

// Lease says who is at a thing, and what becomes of those who came meanwhile: one of them is next, or its holder has to see to it that
// somebody looks again.
type Lease struct {
	Turn
	Next  Turn `json:"next,omitzero"`
	Asked int  `json:"asked,omitempty"` // how often Next asked whether it is its turn
	Again bool `json:"again,omitempty"` // somebody came, and waits no more
	Rest  bool `json:"rest,omitempty"`  // the holder did not see all
}

// Again says why somebody has to look again; empty if nobody has to.
type Again string

// Why somebody has to: one who came waits no more, so that all counts as changed; or the holder did not come to all, and nobody came.
const (
	Came Again = "came"
	Rest Again = "rest"
)

// again is why somebody has to look again after the holder. Who is next looks anyway.
func (l Lease) again() Again {
	switch {
	case l.Next.Holder != "":
	case l.Again:
		return Came
	case l.Rest:
		return Rest
	}
	return ""
}

// By reports whether the one who is at it, or the one who is next, came by that event.
func (l Lease) By(event string) bool { return l.Event == event || l.Next.Event == event }

func leaseRow(name string) Key { return Key{"lease#" + name, "lease"} }

// kept is how long a lease that nobody asks for stays in the table: longer than an execution that failed may be redriven.
// https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
const kept = 15 * 24 * time.Hour

// Asks is how often the one who is next asks whether it is its turn.
const Asks = 6

// Acquire gives want.Holder the lease of that name if it may have it, and returns the lease as it is then. A holder that has it already
// keeps it. Of ended it learns whether somebody came to their end without letting go; they count no more.
//
//	somebody else is next                       → as it is: they look after want.Holder came
//	nobody is at it                             → want.Holder's
//	somebody is at it, and has to look again    → as it is
//	somebody is at it                           → want.Holder is next, and asks again later
//	somebody is at it, and want.Holder is next  → it asks again later; after [Asks], it waits no more, and the holder has to look again
//
// taken says that want.Holder had it not before, so what it knows of the thing may be old.
func (l Ledger) Acquire(ctx context.Context, name string, want Turn, ended func(context.Context, Turn) (bool, error)) (now Lease, taken bool, err error) {
	err = retry(ctx, "lease "+name, func() error {
		var version int64
		var err error
		if now, version, err = l.lease(ctx, name); err != nil || now.Holder == want.Holder {
			return err
		}
		want.Since = l.now()
		if another, err := counts(ctx, now.Next, want.Holder, ended); err != nil || another {
			return err
		}
		busy, err := counts(ctx, now.Turn, want.Holder, ended)
		switch {
		case err != nil || busy && now.Again:
			return err
		case !busy:
			now, taken = Lease{Turn: want}, true
		case now.Next.Holder != want.Holder:
			now.Next, now.Asked = want, 1
		case now.Asked < Asks:
			now.Asked++
		default:
			now = Lease{Turn: now.Turn, Again: true}
		}
		return l.put(ctx, name, version, now)
	})
	return now, taken && now.Holder == want.Holder, err
}

// counts reports whether a turn is somebody else's, who has not ended.
func counts(ctx context.Context, t Turn, who string, ended func(context.Context, Turn) (bool, error)) (bool, error) {
	if t.Holder == "" || t.Holder == who {
		return false, nil
	}
	over, err := ended(ctx, t)
	return !over, err
}

// Await waits until it is the turn of who, who is next to have the lease of that name, for patience at most. It reports whether who should
// acquire it now.
func (l Ledger) Await(ctx context.Context, name, who string, patience time.Duration) (bool, error) {
	for ; patience >= pause; patience -= pause {
		if err := rest(ctx); err != nil {
			return false, err
		}
		if now, _, err := l.lease(ctx, name); err != nil || now.Holder == "" || now.Next.Holder != who {
			return err == nil, err
		}
	}
	return false, nil
}

// Yield gives the lease back: to whoever is next, who looks again by itself, or to nobody. It says whether somebody else has to look
// again, and why. That stays written until the next one acquires the lease: whoever yields
// once more, after an answer that was lost, is told the same. A lease that another has is nothing to holder.
func (l Ledger) Yield(ctx context.Context, name, holder string) (again Again, err error) {
	err = retry(ctx, "lease "+name, func() error {
		now, version, err := l.lease(ctx, name)
		again = ""
		if err != nil || version == 0 || now.Holder != holder && now.Holder != "" {
			return err
		}
		again = now.again()
		switch {
		case now.Holder == "":
			return nil
		case now.Next.Holder == "" && again == "":
			return l.Store.Write(ctx, []Change{{Key: leaseRow(name), Version: version}})
		}
		now.Turn = Turn{}
		return l.put(ctx, name, version, now)
	})
	return again, err
}

// Keep is [Ledger.Yield] for a holder that fails: whoever is next has the lease then, and else it stays the holder's until somebody comes, as that of an
// execution stays that fails, or is stopped, at any other state. So whoever holds a lease and has ended is the last that worked on the thing. It reports
// whether somebody came who waits no more: then somebody else has to look again, and the holder has it still.
func (l Ledger) Keep(ctx context.Context, name, holder string) (again bool, err error) {
	err = retry(ctx, "lease "+name, func() error {
		now, version, err := l.lease(ctx, name)
		again = false
		switch {
		case err != nil || version == 0 || now.Holder != holder:
			return err
		case now.Next.Holder != "":
			now.Turn = Turn{}
		case now.Again:
			again, now.Again = true, false
		default:
			return nil
		}
		return l.put(ctx, name, version, now)
	})
	return again, err
}

// Holder returns who has the lease of that name; nobody, if it is free.
func (l Ledger) Holder(ctx context.Context, name string) (string, error) {
	now, _, err := l.lease(ctx, name)
	return now.Holder, err
}

// Under returns the ledger for a step that works on what the lease of that name is about, for holder, who acquired it. What such a step
// writes of items, it writes only while it has the lease: one that lost it, since its execution had failed before it was redriven or was
// stopped while the step was at work, takes it again if it is free, and else fails with [fault.NotYet] before anything is done in a member.
// An empty name is no lease.
func (l Ledger) Under(name, holder string) Ledger {
	l.under, l.holder = name, holder
	return l
}

// LookAgain notes that the holder of the lease of that name did not see all, so that a look is asked for when it gives the lease back. Who is next
// looks anyway. A lease that another has is nothing to holder.
func (l Ledger) LookAgain(ctx context.Context, name, holder string) error {
	return retry(ctx, "lease "+name, func() error {
		now, version, err := l.lease(ctx, name)
		if err != nil || version == 0 || now.Holder != holder || now.again() != "" || now.Next.Holder != "" {
			return err
		}
		now.Rest = true
		return l.put(ctx, name, version, now)
	})
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

// held sees to it that holder has the lease that was read. Who is next, and what was to be looked at again, stays so.
func (l Ledger) held(ctx context.Context, name, holder string, now Lease, version int64) error {
	switch {
	case version > 0 && now.Holder == holder:
		return nil
	case version > 0 && now.Holder != "":
		return fault.New(fault.NotYet, "execution %s is at %s, since this one failed or was stopped; it need not be redriven, unless that one fails", now.Holder, name)
	}
	now.Turn = Turn{Holder: holder, Since: l.now()}
	if now.Next.Holder == holder {
		now.Next, now.Asked = Turn{}, 0
	}
	return l.put(ctx, name, version, now)
}

// pause is how long it takes until a lease is asked for again.
const pause = time.Second

// rest waits for a pause.
func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

// While does f under the lease of that name, for what one call of a function does from beginning to end, such as to read a document, change it
// and read it back. by is the execution. While another execution is at it, While waits for the ledger's patience, then fails with [fault.NotYet],
// without f. Who began more than
// [Lifetime] ago has ended, as no function lives that long; and an execution does not wait for itself. A lease that cannot be given back ends so,
// too: what f did counts.
func (l Ledger) While(ctx context.Context, name, by string, f func() error) error {
	holder := by + " " + l.Now().UTC().Format(time.RFC3339Nano)
	for patience := l.Patience; ; patience -= pause {
		ours, err := l.seize(ctx, name, by, holder)
		if err != nil {
			return err
		}
		if ours {
			break
		}
		if patience < pause {
			return fault.New(fault.NotYet, "another execution is changing %s", name)
		}
		if err := rest(ctx); err != nil {
			return err
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

// seize takes the lease of that name for a call of by, unless a call of another execution has it and may still be at work.
func (l Ledger) seize(ctx context.Context, name, by, holder string) (ours bool, err error) {
	err = retry(ctx, "lease "+name, func() error {
		now, version, err := l.lease(ctx, name)
		if err != nil {
			return err
		}
		at := strings.LastIndexByte(now.Holder, ' ')
		began, unclear := time.Parse(time.RFC3339Nano, now.Holder[at+1:])
		ours = unclear != nil || now.Holder[:max(at, 0)] == by || l.Now().Sub(began) >= Lifetime
		if !ours || now.Holder == holder {
			return nil
		}
		return l.put(ctx, name, version, Lease{Turn: Turn{Holder: holder, Since: l.now()}})
	})
	return ours, err
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
