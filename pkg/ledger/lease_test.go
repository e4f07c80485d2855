package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

// One does it at a time; who began two minutes ago has ended, and an execution does not wait for itself.
func TestWhile(t *testing.T) {
	l, memory := ledgertest.New()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l.Now = func() time.Time { return now }
	try := func(by string) error { return l.While(t.Context(), "role a", by, func() error { return nil }) }
	failed := errors.New("failed")
	err := l.While(t.Context(), "role a", "first", func() error {
		if err := try("second"); fault.Of(err) != fault.NotYet {
			t.Errorf("meanwhile: %v", err)
		}
		if err := l.While(t.Context(), "role b", "second", func() error { return nil }); err != nil {
			t.Errorf("another name: %v", err)
		}
		return failed
	})
	if !errors.Is(err, failed) || len(memory.Rows()) > 0 {
		t.Fatalf("%v; left %v", err, memory.Rows())
	}
	// The function was killed: its lease is still there.
	acquire := func() error {
		_, _, err := l.Acquire(t.Context(), "role a", ledger.Turn{Holder: "first " + now.Format(time.RFC3339Nano)}, nil)
		return err
	}
	if err := acquire(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	if err := try("second"); fault.Of(err) != fault.NotYet {
		t.Errorf("a second later: %v", err)
	}
	if err := try("first"); err != nil {
		t.Errorf("the same execution, retried: %v", err)
	}
	if err := acquire(); err != nil {
		t.Fatal(err)
	}
	if now = now.Add(2 * time.Minute); try("second") != nil || len(memory.Rows()) > 0 {
		t.Errorf("two minutes later: left %v", memory.Rows())
	}
}

// world is what Step Functions says of the executions.
type world map[string]bool // by name, whether it is over

func (w world) ended(_ context.Context, t ledger.Turn) (bool, error) { return w[t.Holder], nil }

// table is a lease for which executions come, by their names.
type table struct {
	*testing.T
	ledger.Ledger
	world
}

func (b table) acquire(who string) (ledger.Lease, bool) {
	b.Helper()
	now, taken, err := b.Acquire(b.Context(), "pcx-1", ledger.Turn{Holder: who, Event: "event of " + who}, b.ended)
	if err != nil {
		b.Fatal(err)
	}
	return now, taken
}

func (b table) yield(who string) bool {
	b.Helper()
	again, err := b.Yield(b.Context(), "pcx-1", who)
	if err != nil {
		b.Fatal(err)
	}
	return again != ""
}

func TestALeaseIsHandedToWhoIsNext(t *testing.T) {
	l, memory := ledgertest.New()
	b := table{t, l, world{}}
	if now, taken := b.acquire("one"); !taken || now.Holder != "one" || now.Next.Holder != "" {
		t.Fatalf("one has it not: %+v", now)
	}
	if now, taken := b.acquire("two"); taken || now.Holder != "one" || now.Next.Holder != "two" || !now.By("event of one") || !now.By("event of two") {
		t.Fatalf("two is not next: %+v", now)
	}
	for range 2 {
		if now, taken := b.acquire("three"); taken || now.Holder != "one" || now.Next.Holder != "two" || now.Asked != 1 {
			t.Fatalf("three is not told that two is next: %+v", now)
		}
	}
	if now, taken := b.acquire("one"); taken || now.Holder != "one" || now.Next.Holder != "two" {
		t.Fatalf("one asks once more, and forgets who is next: %+v", now)
	}
	if b.yield("two") || b.yield("one") || b.yield("one") {
		t.Fatal("somebody is asked to look again, though two does")
	}
	if now, _ := b.acquire("three"); now.Holder != "" || now.Next.Holder != "two" {
		t.Fatalf("three takes the turn of two: %+v", now)
	}
	if now, taken := b.acquire("two"); !taken || now.Holder != "two" || now.Event != "event of two" || now.Next.Holder != "" {
		t.Fatalf("two has it not: %+v", now)
	}
	if b.yield("one") { // late
		t.Fatal("one took the lease of two")
	}
	if now, _ := b.acquire("three"); now.Next.Holder != "three" {
		t.Fatalf("three is not next: %+v", now)
	}
	b.world["two"] = true // it failed
	if now, _ := b.acquire("four"); now.Holder != "two" || now.Next.Holder != "three" {
		t.Fatalf("four does not leave it to three: %+v", now)
	}
	if now, taken := b.acquire("three"); !taken || now.Holder != "three" {
		t.Fatalf("who is over keeps the lease: %+v", now)
	}
	if b.yield("two") || b.yield("three") {
		t.Fatal("nobody came")
	}
	if rows := memory.Rows(); len(rows) != 0 {
		t.Fatalf("left: %v", rows)
	}
}

// Who waited and died is not next any more, whether somebody has the lease or not.
func TestWhoDiedIsNotNext(t *testing.T) {
	l, _ := ledgertest.New()
	b := table{t, l, world{}}
	b.acquire("one")
	b.acquire("two")
	b.world["two"] = true
	if now, _ := b.acquire("three"); now.Next.Holder != "three" || now.Asked != 1 {
		t.Fatalf("three is not next: %+v", now)
	}
	b.world["three"] = true
	if b.yield("one") {
		t.Fatal("nobody waits no more")
	}
	if now, taken := b.acquire("four"); !taken || now.Holder != "four" || now.Next.Holder != "" {
		t.Fatalf("four does not take the turn of three: %+v", now)
	}
}

// Who is next asks a few times. Then the holder has to look again, and no other waits for it.
func TestWhoIsNextWaitsNotForEver(t *testing.T) {
	l, memory := ledgertest.New()
	b := table{t, l, world{}}
	b.acquire("one")
	for n := range ledger.Asks {
		if now, _ := b.acquire("two"); now.Next.Holder != "two" || now.Asked != n+1 {
			t.Fatalf("two asks for the %d. time: %+v", n+1, now)
		}
	}
	for _, who := range []string{"two", "two", "three"} {
		if now, _ := b.acquire(who); now.Holder != "one" || now.Next.Holder != "" || !now.Again {
			t.Fatalf("%s waits: %+v", who, now)
		}
	}
	if !b.yield("one") || !b.yield("one") {
		t.Fatal("one was not told to look again, or not once more after the answer was lost")
	}
	if now, taken := b.acquire("three"); !taken || now.Again || b.yield("three") || len(memory.Rows()) != 0 {
		t.Fatalf("three looks again: %+v", now)
	}
}

// A step of an execution that is redriven takes a lease that is free; who is next stays so.
func TestWhoIsNextStaysSoBesideARedrive(t *testing.T) {
	l, _ := ledgertest.New()
	b := table{t, l, world{}}
	b.acquire("one")
	b.acquire("two")
	b.yield("one")
	if err := l.Hold(t.Context(), "pcx-1", "old"); err != nil {
		t.Fatal(err)
	}
	if now, _ := b.acquire("two"); now.Holder != "old" || now.Next.Holder != "two" {
		t.Fatalf("two is not next: %+v", now)
	}
	if again := b.yield("old"); again {
		t.Fatal("two looks, and another look is asked for")
	}
	if err := l.Hold(t.Context(), "pcx-1", "two"); err != nil {
		t.Fatal(err)
	}
	if now, taken := b.acquire("two"); taken || now.Holder != "two" || now.Next.Holder != "" {
		t.Fatalf("two waits for itself: %+v", now)
	}
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := ledgertest.New()
		b := table{t, l, world{}}
		b.acquire("one")
		b.acquire("two")
		await := func(patience time.Duration) (bool, time.Duration) {
			t.Helper()
			began := time.Now()
			turn, err := l.Await(t.Context(), "pcx-1", "two", patience)
			if err != nil {
				t.Fatal(err)
			}
			return turn, time.Since(began)
		}
		if turn, took := await(3 * time.Second); turn || took != 3*time.Second {
			t.Errorf("one is at it: %v after %s", turn, took)
		}
		if turn, took := await(0); turn || took != 0 {
			t.Errorf("without patience: %v after %s", turn, took)
		}
		go func() {
			time.Sleep(1500 * time.Millisecond)
			b.yield("one")
		}()
		if turn, took := await(time.Minute); !turn || took != 2*time.Second {
			t.Errorf("one is through after 1.5 s: %v after %s", turn, took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Await(ctx, "pcx-1", "two", time.Minute); !errors.Is(err, context.Canceled) {
			t.Errorf("the function's time is over: %v", err)
		}
	})
}

// A step of an execution that was redriven works if nobody else is at it, and then has the lease again.
func TestAStepWorksOnlyWithTheLease(t *testing.T) {
	ctx := t.Context()
	l, memory := ledgertest.New()
	w := world{}
	take := func(who string) {
		t.Helper()
		if now, _, err := l.Acquire(ctx, "pcx-1", ledger.Turn{Holder: who}, w.ended); err != nil || now.Holder != who {
			t.Fatalf("%s has it not: %+v, %v", who, now, err)
		}
	}
	record := func(who string) error {
		_, err := l.Under("pcx-1", who).Record(ctx, "pcx-1", route("rtb-1", "10.2.0.0/16", "pcx-1"))
		return err
	}
	take("one")
	if err := record("one"); err != nil {
		t.Fatal(err)
	}
	w["one"] = true
	take("two")
	before := memory.Rows()
	items, err := l.Items(ctx, "pcx-1")
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"Record":  record("one"),
		"Hold":    l.Hold(ctx, "pcx-1", "one"),
		"Forget":  l.Under("pcx-1", "one").Forget(ctx, "pcx-1", items),
		"Release": func() error { _, err := l.Under("pcx-1", "one").Release(ctx, "pcx-1", items); return err }(),
	} {
		if fault.Of(err) != fault.NotYet {
			t.Errorf("%s of who lost the lease: %v", what, err)
		}
	}
	if !slices.Equal(before, memory.Rows()) {
		t.Errorf("it wrote all the same: %v, then %v", before, memory.Rows())
	}
	if _, err := l.Under("", "one").Release(ctx, "pcx-1", nil); err != nil {
		t.Errorf("under no lease: %v", err)
	}
	if again, err := l.Yield(ctx, "pcx-1", "two"); again != "" || err != nil {
		t.Fatal(again, err)
	}
	if err := record("one"); err != nil {
		t.Fatalf("two is through, and one is redriven: %v", err)
	}
	if now, taken, err := l.Acquire(ctx, "pcx-1", ledger.Turn{Holder: "three"}, world{}.ended); err != nil || taken || now.Holder != "one" {
		t.Errorf("it works without the lease: %+v, %v", now, err)
	}
}

// However executions come, wait, die, are redriven and end, whatever answers are lost and calls refused: never do two work with the lease
// that are both alive, and what is news when somebody comes is seen by a look that begins after that.
func TestNobodyIsForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &crowd{T: t, world: world{}, looks: map[string]int{}, dead: map[string]int{}, waits: map[string]bool{}}
		var memory *ledgertest.Memory
		c.Ledger, memory = ledgertest.New()
		memory.Fault = func(string) ledgertest.Fault {
			return rapid.SampledFrom([]ledgertest.Fault{ledgertest.None, ledgertest.None, ledgertest.None, ledgertest.Refused, ledgertest.Lost}).Draw(t, "fault")
		}
		t.Repeat(map[string]func(*rapid.T){
			"news": func(*rapid.T) { c.news++; c.come() },
			"a look that was asked for": func(*rapid.T) {
				if c.asked > 0 {
					c.asked--
					c.come()
				}
			},
			"who waits asks": func(*rapid.T) {
				for _, name := range slices.Collect(maps.Keys(c.waits)) {
					c.ask(name)
				}
			},
			"the end": func(*rapid.T) { c.end() },
			"a death": func(*rapid.T) {
				for name, read := range c.looks {
					c.die(name, read)
				}
			},
			"a death of who waits": func(*rapid.T) {
				for name := range c.waits {
					c.die(name, -1)
				}
			},
			"a redrive": func(*rapid.T) { c.redrive() },
			"": func(t *rapid.T) {
				if len(c.looks) > 1 || len(c.waits) > 1 {
					t.Fatalf("at work at once: %v; next: %v", c.looks, c.waits)
				}
				if len(c.looks)+len(c.waits) == 0 && c.asked == 0 && c.seen < c.news {
					t.Fatalf("news %d is seen by nobody: the last that was is %d", c.news, c.seen)
				}
			},
		})
	})
}

// crowd are executions that come to one thing.
type crowd struct {
	*rapid.T
	ledger.Ledger
	world
	news, seen int            // what happened to the thing, and what of it somebody looked at to the end
	looks      map[string]int // by execution at work: which news it read
	dead       map[string]int // by execution that failed in the middle of its work: which news it had read
	waits      map[string]bool
	asked      int // looks that are asked for and have not begun
	came       int
}

func (c *crowd) come() {
	c.came++
	c.ask(fmt.Sprintf("execution %d", c.came))
}

// ask lets an execution ask for its turn.
func (c *crowd) ask(name string) {
	var now ledger.Lease
	insist(c.T, func() (err error) {
		now, _, err = c.Acquire(context.Background(), "pcx-1", ledger.Turn{Holder: name}, c.ended)
		return err
	})
	delete(c.waits, name)
	_, alive := c.looks[now.Holder]
	switch {
	case now.Holder == name:
		if len(c.looks) > 0 {
			c.Fatalf("%s works beside %v", name, c.looks)
		}
		c.looks[name] = c.news
	case now.Next.Holder == name:
		if !alive {
			c.Fatalf("%s waits for %q, which is over", name, now.Holder)
		}
		c.waits[name] = true
	case now.Next.Holder != "":
		if !c.waits[now.Next.Holder] {
			c.Fatalf("%s is told that %s is next, which is over", name, now.Next.Holder)
		}
	case !alive || !now.Again:
		c.Fatalf("%s is told that %q is at it and looks again: %+v", name, now.Holder, now)
	}
}

func (c *crowd) end() {
	for name, read := range c.looks {
		var again ledger.Again
		insist(c.T, func() (err error) {
			again, err = c.Yield(context.Background(), "pcx-1", name)
			return err
		})
		if again != "" {
			c.asked++
		}
		c.seen = max(c.seen, read)
		delete(c.looks, name)
		c.world[name] = true
	}
}

// die ends an execution without its last step: people are told that it failed, and the sweep looks.
func (c *crowd) die(name string, read int) {
	delete(c.looks, name)
	delete(c.waits, name)
	c.world[name] = true
	c.asked++
	if read >= 0 {
		c.dead[name] = read
	}
}

// redrive lets executions that failed go on with what they had read.
func (c *crowd) redrive() {
	for name, read := range c.dead {
		c.world[name] = false
		var refused bool
		insist(c.T, func() error {
			err := c.Hold(context.Background(), "pcx-1", name)
			if refused = fault.Of(err) == fault.NotYet; refused {
				return nil
			}
			return err
		})
		if refused {
			c.world[name] = true
			continue
		}
		if len(c.looks) > 0 {
			c.Fatalf("%s works beside %v", name, c.looks)
		}
		c.looks[name] = read
		delete(c.dead, name)
	}
}
