package contest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

var (
	noon  = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	ci    = ledger.Hand{Who: "arn:aws:sts::111111111111:assumed-role/ci/run-1", Tool: event.Terraform}
	ci2   = ledger.Hand{Who: "arn:aws:sts::111111111111:assumed-role/ci/run-2", Tool: event.Terraform}
	alice = ledger.Hand{Who: "arn:aws:iam::111111111111:user/alice", Tool: event.Console}
)

func TestJudge(t *testing.T) {
	nobody := ledger.Hand{}
	for name, c := range map[string]struct {
		state  ledger.State
		taken  int
		before ledger.Hand
		facts  contest.Facts
		want   contest.Verdict
		then   ledger.State
		count  int
	}{
		"there":                                     {ledger.Confirmed, 0, nobody, contest.Facts{Found: true}, contest.Keep, ledger.Confirmed, 0},
		"contested, and its owner put it there":     {ledger.Contested, 2, ci, contest.Facts{Found: true}, contest.Keep, ledger.Contested, 2},
		"leaving":                                   {ledger.Leaving, 0, nobody, contest.Facts{}, contest.Keep, ledger.Leaving, 0},
		"not made yet":                              {ledger.Intended, 0, nobody, contest.Facts{By: ci}, contest.PutBack, ledger.Intended, 0},
		"its loss is counted already":               {ledger.Intended, 1, ci, contest.Facts{By: ci}, contest.PutBack, ledger.Intended, 1},
		"only wanted":                               {ledger.Wanted, 0, nobody, contest.Facts{}, contest.PutBack, ledger.Wanted, 0},
		"contested":                                 {ledger.Contested, 2, ci, contest.Facts{By: alice}, contest.Leave, ledger.Contested, 2},
		"the first time":                            {ledger.Confirmed, 0, nobody, contest.Facts{By: ci}, contest.PutBack, ledger.Intended, 1},
		"the first time, nobody knows by whom":      {ledger.Confirmed, 0, nobody, contest.Facts{}, contest.PutBack, ledger.Intended, 1},
		"the first time, but the policy leaves":     {ledger.Confirmed, 0, nobody, contest.Facts{By: ci, Leave: true}, contest.Leave, ledger.Contested, 1},
		"again by the same":                         {ledger.Confirmed, 1, ci, contest.Facts{By: ci}, contest.Leave, ledger.Contested, 2},
		"again by another session of the same role": {ledger.Confirmed, 1, ci, contest.Facts{By: ci2}, contest.Leave, ledger.Contested, 2},
		"again by another":                          {ledger.Confirmed, 1, ci, contest.Facts{By: alice}, contest.PutBack, ledger.Intended, 2},
		"again, nobody knows by whom":               {ledger.Confirmed, 1, ci, contest.Facts{}, contest.Leave, ledger.Contested, 2},
		"again, nobody knew who was first":          {ledger.Confirmed, 1, nobody, contest.Facts{By: alice}, contest.Leave, ledger.Contested, 2},
		"a third time by a third":                   {ledger.Confirmed, 2, ci, contest.Facts{By: alice}, contest.Leave, ledger.Contested, 3},
		"a moment after it was made":                {ledger.Confirmed, 0, nobody, contest.Facts{Fresh: true}, contest.PutBack, ledger.Confirmed, 0},
		"a moment after it was made, a hand seen":   {ledger.Confirmed, 0, nobody, contest.Facts{Fresh: true, By: ci}, contest.PutBack, ledger.Intended, 1},
		"a moment after it was put back":            {ledger.Confirmed, 1, ci, contest.Facts{Fresh: true}, contest.Leave, ledger.Confirmed, 1},
		"a moment after, and the same hand seen":    {ledger.Confirmed, 1, ci, contest.Facts{Fresh: true, By: ci}, contest.Leave, ledger.Contested, 2},
	} {
		c.facts.At = noon
		then, verdict := contest.Judge(ledger.Item{State: c.state, Taken: c.taken, TakenBy: c.before}, c.facts)
		if verdict != c.want || then.State != c.then || then.Taken != c.count {
			t.Errorf("%s: %s, %s, taken %d times; want %s, %s, %d", name, verdict, then.State, then.Taken, c.want, c.then, c.count)
		}
		if then.Taken > c.taken && then.TakenBy != c.facts.By {
			t.Errorf("%s: taken by %+v", name, then.TakenBy)
		}
	}
}

// A record that comes late tells whose hand it was that a look found at work.
func TestNoted(t *testing.T) {
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	for name, c := range map[string]struct {
		item  ledger.Item
		at    time.Time
		taken int
		by    ledger.Hand
		seen  bool
	}{
		"nothing was missed":                   {ledger.Item{State: ledger.Confirmed, At: at(0)}, at(9), 0, ledger.Hand{}, true},
		"missed and put back, later":           {ledger.Item{State: ledger.Confirmed, At: at(0), Missed: at(12)}, at(9), 1, ci, true},
		"missed before the hand was seen":      {ledger.Item{State: ledger.Confirmed, At: at(0), Missed: at(5)}, at(9), 0, ledger.Hand{}, true},
		"seen before the item was made":        {ledger.Item{State: ledger.Confirmed, At: at(10), Missed: at(12)}, at(9), 0, ledger.Hand{}, true},
		"counted, nobody knew by whom":         {ledger.Item{State: ledger.Intended, At: at(12), Taken: 1}, at(9), 1, ci, true},
		"counted, and put back, by whom?":      {ledger.Item{State: ledger.Confirmed, At: at(12), Taken: 1}, at(9), 1, ci, true},
		"counted, and it is known by whom":     {ledger.Item{State: ledger.Contested, At: at(12), Taken: 2, TakenBy: alice}, at(9), 2, alice, true},
		"put back long ago, the next hand":     {ledger.Item{State: ledger.Confirmed, At: at(0), Taken: 1}, at(9), 1, ledger.Hand{}, true},
		"an older record than the one that is": {ledger.Item{State: ledger.Confirmed, At: at(0), SeenAt: at(10)}, at(9), 0, ledger.Hand{}, false},
	} {
		got := contest.Noted(c.item, contest.Sight{By: ci, At: c.at})
		if got.Taken != c.taken || got.TakenBy != c.by || (got.Seen == ci) != c.seen {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestNarrow(t *testing.T) {
	items := []ledger.Item{{Kind: ledger.Route, Key: "10.1.0.0/16"}, {Kind: ledger.Route, Key: "10.2.0.0/16"}, {Kind: ledger.Rule, Key: "ingress tcp 3306 10.1.0.0/16"}, {Kind: ledger.Rule, Key: "egress tcp 3306 10.2.0.0/16"}}
	for name, c := range map[string]struct {
		keys []string
		want int
	}{"nothing named": {nil, 4}, "a destination": {[]string{"10.2.0.0/16"}, 2}, "a direction": {[]string{"ingress"}, 1}, "somebody else's": {[]string{"0.0.0.0/0"}, 0}} {
		if got := contest.Narrow(items, c.keys); len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// world has one route, and takes the steps that a function takes.
type world struct {
	contest.Contest
	t     testing.TB
	now   time.Time
	there bool
	adds  int
}

var wanted = ledger.Item{Account: "111111111111", Region: "us-east-1", Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16", Left: "pcx-1"}

func newWorld(t testing.TB) *world {
	w := &world{t: t, now: noon}
	l, _ := ledgertest.New()
	l.Now = func() time.Time { return w.now }
	w.Contest = contest.Contest{Ledger: l}
	if _, err := l.Begin(context.Background(), ledger.Connection{ID: "pcx-1", Sides: []ledger.Side{{Account: "111111111111", Region: "us-east-1", ID: "vpc-1"}, {Account: "222222222222", Region: "us-east-1", ID: "vpc-2"}}}); err != nil {
		t.Fatal(err)
	}
	w.look()
	return w
}

// look is what a step that adds does.
func (w *world) look() {
	ctx := context.Background()
	var missing []ledger.Item
	if !w.there {
		missing = []ledger.Item{wanted}
	}
	add, _, err := w.Missing(ctx, "pcx-1", "run", missing)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.there {
		add = []ledger.Item{wanted}
	}
	recorded, err := w.Ledger.Record(ctx, "pcx-1", add...)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(recorded) > 0 && !w.there {
		w.there = true
		w.adds++
	}
	if _, err := w.Ledger.Confirm(ctx, recorded...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) record(by ledger.Hand, at time.Time) []string {
	items, err := w.Note(context.Background(), "111111111111", "us-east-1", "rtb-1", []string{"10.2.0.0/16"}, contest.Sight{By: by, At: at})
	if err != nil {
		w.t.Fatal(err)
	}
	return items[0].Needed
}

func (w *world) entry() ledger.Item {
	items, err := w.Ledger.Of(context.Background(), "111111111111", "us-east-1", "rtb-1")
	if err != nil || len(items) != 1 {
		w.t.Fatal(items, err)
	}
	return items[0]
}

// Ten applies of a configuration that owns the whole table, fast or slow, whether the look comes before the record or after it: one is put
// back, and whose hand it was is known.
func TestTenAppliesAreOneAdd(t *testing.T) {
	for _, gap := range []time.Duration{10 * time.Second, 10 * time.Minute} {
		for name, first := range map[string]bool{"the record first": true, "a look first": false} {
			t.Run(fmt.Sprint(name, gap), func(t *testing.T) {
				w := newWorld(t)
				for range 10 {
					w.now = w.now.Add(gap)
					at := w.now
					w.there = false
					w.now = w.now.Add(3 * time.Second)
					if !first {
						w.look()
					}
					w.now = w.now.Add(3 * time.Second)
					if ids := w.record(ci, at); !slices.Equal(ids, []string{"pcx-1"}) {
						t.Fatalf("%v are looked at", ids)
					}
					w.look()
				}
				if w.adds != 2 { // the first, and one more
					t.Errorf("added %d times", w.adds)
				}
				if got := w.entry(); got.State != ledger.Contested || !contest.Same(got.TakenBy, ci) {
					t.Errorf("%+v", got)
				}
			})
		}
	}
}

func TestAnAnswerThatWasOldIsNoHand(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.there = false // says the answer
		w.now = w.now.Add(time.Second)
		w.look()
	}
	if got := w.entry(); got.State != ledger.Confirmed {
		t.Errorf("%+v", got)
	}
}

// Whoever takes it away, however often, and whatever of that is recorded, late or not at all: it is put back twice at most, by the same hand
// once, and its owner ends it by asking anew, in their own account.
func TestNothingFlaps(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 12).Draw(r, "times") {
			by := rapid.SampledFrom([]ledger.Hand{ci, ci2, alice}).Draw(r, "hand")
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 600).Draw(r, "seconds")) * time.Second)
			at := w.now
			w.there = false
			for range rapid.IntRange(0, 2).Draw(r, "looks before") {
				w.now = w.now.Add(time.Duration(rapid.IntRange(0, 300).Draw(r, "wait")) * time.Second)
				w.look()
			}
			for range rapid.IntRange(0, 3).Draw(r, "deliveries") {
				w.record(by, at)
				w.look()
			}
			w.look()
		}
		if w.adds > 1+1+contest.Most { // the first, and one that was not counted
			r.Fatalf("added %d times", w.adds)
		}
		ctx := context.Background()
		if got, err := w.Settle(ctx, "222222222222", []string{"pcx-1"}); err != nil || len(got) > 0 {
			r.Fatalf("the other side settled %v, %v", got, err)
		}
		ids, err := w.About(ctx, "111111111111", "us-east-1", "vpc-1")
		if err != nil || len(ids) != 1 {
			r.Fatal(ids, err)
		}
		if _, err := w.Settle(ctx, "111111111111", ids); err != nil {
			r.Fatal(err)
		}
		w.now = w.now.Add(time.Hour)
		w.look()
		if got := w.entry(); !w.there || got.State != ledger.Confirmed {
			r.Fatalf("asked for anew, and it is there: %v, %+v", w.there, got)
		}
	})
}

func TestThePolicyLeaves(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Ledger.Change(context.Background(), "pcx-1", func(c *ledger.Connection) { c.Leave = []string{"111111111111"} }); err != nil {
		t.Fatal(err)
	}
	w.there, w.now = false, w.now.Add(time.Hour)
	w.look()
	if got := w.entry(); w.adds != 1 || got.State != ledger.Contested {
		t.Errorf("added %d times, %+v", w.adds, got)
	}
	// What is contested is nobody's to take back: it goes from the ledger with the need.
	ctx := context.Background()
	if leaving, err := w.Ledger.Release(ctx, "pcx-1", []ledger.Item{w.entry()}); err != nil || len(leaving) > 0 {
		t.Errorf("%+v, %v", leaving, err)
	}
	if items, err := w.Ledger.Of(ctx, "111111111111", "us-east-1", "rtb-1"); err != nil || len(items) > 0 {
		t.Errorf("%+v, %v", items, err)
	}
}

// Both were told; one side asks anew, and the other hears nothing again. What nobody was told is told.
func TestWhoWasToldIsNotToldAgain(t *testing.T) {
	const left, right = "111111111111", "222222222222"
	ctx := context.Background()
	for name, c := range map[string]struct {
		told, want string
		status     bool
	}{
		"told":                     {contest.Digest(theTwo()), contest.Digest(theTwo()[1:]), false},
		"told of something before": {contest.Digest(theTwo()[:1]), "", false},
		"not told yet":             {"", "", false},
		"told, and the status":     {contest.Digest(theTwo()[1:]), contest.Digest(theTwo()[1:]), true},
	} {
		l, _ := ledgertest.New()
		if _, err := l.Begin(ctx, ledger.Connection{ID: "pcx-1", Kind: "peering"}); err != nil {
			t.Fatal(err)
		}
		for _, i := range theTwo() {
			if c.status && i.Account == left {
				continue
			}
			recorded, err := l.Record(ctx, "pcx-1", i)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.MarkAll(ctx, recorded, func(now *ledger.Item) { now.State, now.Taken, now.TakenBy = ledger.Contested, 2, i.TakenBy }); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Change(ctx, "pcx-1", func(e *ledger.Connection) {
			if e.Contest = c.told; c.status {
				e.Untagged = map[string]ledger.Untagged{left: {Times: 1, By: ci}}
			}
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := (contest.Contest{Ledger: l}).Settle(ctx, left, []string{"pcx-1"}); err != nil {
			t.Fatal(err)
		}
		if entry, _, err := l.Connection(ctx, "pcx-1"); err != nil || entry.Contest != c.want {
			t.Errorf("%s: the entry says that people were told %q, want %q; %v", name, entry.Contest, c.want, err)
		}
		if _, err := (contest.Contest{Ledger: l}).Settle(ctx, right, []string{"pcx-1"}); err != nil {
			t.Fatal(err)
		}
		if entry, _, err := l.Connection(ctx, "pcx-1"); err != nil || entry.Contest != "" {
			t.Errorf("%s: nothing is contested, and the entry says %q, %v", name, entry.Contest, err)
		}
	}
}

// theTwo are contested items of two accounts.
func theTwo() []ledger.Item {
	return []ledger.Item{
		{Account: "111111111111", Region: "us-east-1", Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16", State: ledger.Contested, Taken: 2, TakenBy: ci},
		{Account: "222222222222", Region: "us-east-1", Resource: "rtb-2", Kind: ledger.Route, Key: "10.1.0.0/16", State: ledger.Contested, Taken: 2, TakenBy: alice},
	}
}

// A host route is needed by its subnet; the connections that it is for are named by what it leads to, and what is contested of it is theirs.
func TestAHostRouteIsForConnections(t *testing.T) {
	const left, right, region = "111111111111", "222222222222", "us-east-1"
	ctx := context.Background()
	l, _ := ledgertest.New()
	c := contest.Contest{Ledger: l}
	side := func(account, id, cidr string) ledger.Side {
		return ledger.Side{Account: account, Region: region, ID: id, CIDRs: []string{cidr}}
	}
	for id, sides := range map[string][]ledger.Side{
		"pcx-1": {side(left, "vpc-1", "10.1.0.0/16"), side(right, "vpc-2", "10.2.0.0/16")},
		"pcx-3": {side(left, "vpc-1", "10.1.0.0/16"), side(right, "vpc-3", "10.3.0.0/16")},
		"pcx-4": {side(right, "vpc-4", "10.1.0.0/16"), side(left, "vpc-5", "10.2.0.0/16")},
	} {
		if _, err := l.Begin(ctx, ledger.Connection{ID: id, Kind: "peering", Sides: sides}); err != nil {
			t.Fatal(err)
		}
	}
	line := ledger.Item{Account: left, Region: region, Resource: "setup", Kind: ledger.HostRoute, Key: "10.1.0.0/24 10.2.0.0/16"}
	recorded, err := l.Record(ctx, "subnet-1", line)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := l.MarkAll(ctx, recorded, func(i *ledger.Item) { i.State, i.Taken = ledger.Contested, 2 })
	if err != nil {
		t.Fatal(err)
	}
	connections, err := l.Connections(ctx, left, region)
	if err != nil || len(connections) != 3 {
		t.Fatal(connections, err)
	}
	for range 2 {
		if err := c.Name(ctx, "subnet-1", lines, connections); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]int{"pcx-1": 1, "pcx-3": 0, "pcx-4": 0} {
		entry, _, err := l.Connection(ctx, id)
		if err != nil || len(entry.Subnets) != want {
			t.Errorf("%s: %+v, %v", id, entry, err)
		}
		if got, err := c.Contested(ctx, entry); err != nil || len(got) != want {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
	if settled, err := c.Settle(ctx, right, []string{"pcx-1"}); err != nil || len(settled) > 0 {
		t.Errorf("the other side settles %v, %v", settled, err)
	}
	if settled, err := c.Settle(ctx, left, []string{"pcx-1", "pcx-3"}); err != nil || !slices.Equal(settled, []string{"pcx-1"}) {
		t.Errorf("%v, %v", settled, err)
	}
	if items, err := l.Of(ctx, left, region, "setup"); err != nil || items[0].State != ledger.Intended || items[0].Taken != 0 {
		t.Errorf("%+v, %v", items, err)
	}
	for _, key := range []string{"10.1.0.0/24", "10.9.0.0/24 10.2.0.0/16", "nonsense 10.2.0.0/16"} {
		line.Key = key
		if contest.Serves(line, ledger.Connection{Sides: connections[0].Sides}) {
			t.Errorf("%s serves", key)
		}
	}
}

// What somebody made just as the ledger has it is theirs, unless Drawbridge made it after them.
func TestTheirs(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	route := ledger.Item{Kind: ledger.Route, Key: "10.2.0.0/16", Left: "pcx-1", State: ledger.Confirmed, At: noon}
	rule := ledger.Item{Kind: ledger.Rule, Key: "ingress tcp 3306 10.1.0.0/16", Left: "sgr-1", State: ledger.Confirmed, At: noon}
	with := func(i ledger.Item, f func(*ledger.Item)) ledger.Item { f(&i); return i }
	for name, c := range map[string]struct {
		item  ledger.Item
		claim contest.Claim
		at    time.Time
		want  bool
	}{
		"made again":               {route, contest.Claim{Key: "10.2.0.0/16", Left: "pcx-1"}, noon.Add(time.Hour), true},
		"in the same second":       {route, contest.Claim{Key: "10.2.0.0/16", Left: "pcx-1"}, noon, true},
		"before Drawbridge's call": {route, contest.Claim{Key: "10.2.0.0/16", Left: "pcx-1"}, noon.Add(-time.Second), false},
		"elsewhere":                {route, contest.Claim{Key: "10.2.0.0/16", Left: "pcx-2"}, noon.Add(time.Hour), false},
		"another destination":      {route, contest.Claim{Key: "10.3.0.0/16", Left: "pcx-1"}, noon.Add(time.Hour), false},
		"while it was put back, and their call was first": {with(route, func(i *ledger.Item) { i.Made, i.At = noon, noon.Add(2*time.Minute) }),
			contest.Claim{Key: "10.2.0.0/16", Left: "pcx-1"}, noon.Add(time.Minute), true},
		"and Drawbridge put it back after":  {with(route, func(i *ledger.Item) { i.Made = noon.Add(2 * time.Minute) }), contest.Claim{Key: "10.2.0.0/16", Left: "pcx-1"}, noon.Add(time.Minute), false},
		"contested":                         {with(route, func(i *ledger.Item) { i.State = ledger.Contested }), contest.Claim{Key: "10.2.0.0/16", Left: "pcx-1"}, noon.Add(time.Hour), false},
		"on its way out":                    {with(route, func(i *ledger.Item) { i.State = ledger.Leaving }), contest.Claim{Key: "10.2.0.0/16", Left: "pcx-1"}, noon.Add(time.Hour), false},
		"a rule under an id of its own":     {rule, contest.Claim{Key: rule.Key, Left: "sgr-2"}, noon.Add(time.Hour), true},
		"a rule of before":                  {rule, contest.Claim{Key: rule.Key, Left: "sgr-2"}, noon.Add(-time.Hour), false},
		"a rule that Drawbridge found":      {rule, contest.Claim{Key: rule.Key, Left: "sgr-1"}, noon.Add(-time.Second), true},
		"a rule that admits something else": {rule, contest.Claim{Key: "ingress tcp 5432 10.1.0.0/16", Left: "sgr-2"}, noon.Add(time.Hour), false},
	} {
		if got := contest.Theirs(c.item, c.claim, contest.Sight{At: c.at}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
