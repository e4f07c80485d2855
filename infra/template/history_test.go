package template

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// quiet is how many events an execution takes at most, with as much of everything as there may be: where AWS is not waited for and nothing is tried again, and
// where each wait and each retry happens that an hour has room for.
const quiet = 5000

// maxEvents is how many events the history of an execution holds; one with more fails. It holds all retries also if none has a delay.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html#service-limits-state-machine-executions
const maxEvents = 25_000

// accounts is how many accounts a sweep, or a rebuild, visits within those.
const accounts = 1000

// timed is what a history depends on.
type timed struct {
	TimeoutSeconds float64
	StartAt        string
	States         map[string]timedState
}

type timedState struct {
	Type, Next, Default string
	Seconds             float64
	SecondsPath         string
	MaxConcurrency      int
	Choices             []struct{ Next string }
	Retry               []retrier
	Catch               []struct{ Next string }
	ItemProcessor       *struct {
		timed
		ProcessorConfig struct{ Mode string }
	}
}

// retrier is how often a Task is tried again, and when.
type retrier struct {
	IntervalSeconds, BackoffRate, MaxDelaySeconds float64
	MaxAttempts                                   int
}

// most is how many items a Map has at most, by the first state of what it does with each: as many as what it is about is packed into, however much there is.
var most = map[string]int{
	"AddRoutes":            workflow.SideItems,
	"OpenFirewall":         workflow.SideItems,
	"CloseFirewall":        workflow.SideItems,
	"InjectRoutes":         workflow.BatchItems,
	"WithdrawRoutes":       workflow.BatchItems,
	"AttachRoutes":         notebook.Together,
	"AdmitExecutionRole":   workflow.ReaderItems,
	"IdentifyUsers":        workflow.ReaderItems,
	"ReleaseExecutionRole": workflow.ReaderItems,
	"PlaceEndpoints":       workflow.EndpointItems,
	"RemoveEndpoints":      workflow.EndpointItems,
}

// inline is how many iterations of an inline Map run at once if it does not say.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
const inline = 40

// seldom are the states from which a machine goes back without a Wait: how often an execution does so at most, and why no
// more often.
var seldom = map[string]struct {
	times int
	why   string
}{
	"peering AcceptPeering":      {10, "an accepted peering is provisioning or active; EC2 needs moments at most to show it"},
	"peering AllowDnsResolution": {1, "caught after its own retries, which wait"},
	"peering OpenBothSides":      {2, "caught after its own retries, which wait; by then the peering or the group that cannot be named is gone, and the next look knows"},
	"peering VerifyConnection":   {1, "the peering is over, so the next look answers disconnect"},
	"peering LookAgain":          {1, "the next look knows that this execution has trimmed"},
	"transit OpenBothSides":      {2, "the same; of the gateway's attachments"},
	"transit VerifyConnection":   {1, "the connection is over, so the next look answers disconnect"},
	"transit LookAgain":          {1, "the next look knows that this execution has trimmed"},
	"sweep TallySweep":           {accounts / 20, "one page of 20 accounts after the other"},
	"rebuild TallyRebuild":       {accounts / 20, "the same"},
}

func (s timedState) next() []string {
	out := []string{s.Next, s.Default}
	for _, c := range s.Choices {
		out = append(out, c.Next)
	}
	for _, c := range s.Catch {
		out = append(out, c.Next)
	}
	return slices.DeleteFunc(out, func(n string) bool { return n == "" })
}

// again is what it takes to try a task once more: it fails, and is scheduled and started anew.
const again = 3

// delays are how long one waits for each of the retries of a task, the shortest first, as two errors may take turns. With full jitter it is half of what is written, on
// average; of tasks that are at work at once, each has its part of that.
func (s timedState) delays(atOnce float64) []float64 {
	var out []float64
	for _, r := range s.Retry {
		for n := range r.MaxAttempts {
			delay := r.IntervalSeconds * math.Pow(r.BackoffRate, float64(n))
			if r.MaxDelaySeconds > 0 {
				delay = min(delay, r.MaxDelaySeconds)
			}
			out = append(out, delay/2/atOnce)
		}
	}
	slices.Sort(out)
	return out
}

// cost is what passing something takes: events in the history, seconds that are waited, and the delays of all retries that there may be.
type cost struct {
	events, seconds float64
	delays          []float64
}

func (c cost) plus(d cost) cost {
	return cost{c.events + d.events, c.seconds + d.seconds, append(slices.Clone(c.delays), d.delays...)}
}

// most is how many events there are if all is tried again as often as it may be.
func (c cost) most() float64 { return c.events + again*float64(len(c.delays)) }

// times is the cost of passing something so often.
func (c cost) times(n int) cost {
	return cost{c.events * float64(n), c.seconds * float64(n), slices.Repeat(c.delays, n)}
}

// within is how many events there are at most where the retries have so much time, and what is left of it is spent in a loop that makes events all the time.
func (c cost) within(seconds, rate float64) float64 {
	all := c.events
	for _, delay := range slices.Sorted(slices.Values(c.delays)) {
		if delay > seconds || again < rate*delay {
			break
		}
		all, seconds = all+again, seconds-delay
	}
	return all + rate*seconds
}

// pass is the cost of one state: entered and exited; a Task is scheduled, started and succeeds; a Map starts, succeeds, and
// each of its iterations starts and succeeds.
func (s timedState) pass(t *testing.T) cost {
	switch {
	case s.Type == "Task":
		return cost{events: 5, delays: s.delays(1)}
	case s.Type == "Wait" && s.SecondsPath != "":
		return cost{events: 2, seconds: workflow.LongPause}
	case s.Type == "Wait":
		return cost{events: 2, seconds: s.Seconds}
	case s.Type == "Map" && s.ItemProcessor.ProcessorConfig.Mode == "DISTRIBUTED":
		return cost{events: 6} // and MapRunStarted, MapRunSucceeded: its children have histories of their own
	case s.Type == "Map":
		n, ok := most[s.ItemProcessor.StartAt]
		if !ok {
			t.Fatalf("how many items %s has is not known", s.ItemProcessor.StartAt)
		}
		one, side := s.ItemProcessor.longest(t), float64(min(n, s.atOnce()))
		out := cost{events: 4 + float64(n)*(2+one.events), seconds: one.seconds * math.Ceil(float64(n)/side)}
		for _, delay := range one.delays {
			out.delays = append(out.delays, slices.Repeat([]float64{delay / side}, n)...)
		}
		return out
	}
	return cost{events: 2}
}

func (s timedState) atOnce() int {
	if s.MaxConcurrency == 0 {
		return inline
	}
	return s.MaxConcurrency
}

// longest is the way to an end of a machine, without a loop, that makes most events.
func (m timed) longest(t *testing.T) cost {
	var best cost
	seen := map[string]bool{}
	var walk func(id string, so cost)
	walk = func(id string, so cost) {
		s, ok := m.States[id]
		if !ok {
			t.Fatalf("no state %s", id)
		}
		if seen[id] {
			return
		}
		if so = so.plus(s.pass(t)); len(s.next()) == 0 && so.most() > best.most() {
			best = so
		}
		seen[id] = true
		for _, n := range s.next() {
			walk(n, so)
		}
		seen[id] = false
	}
	walk(m.StartAt, cost{})
	return best
}

// rate is how many events a second the busiest loop of a machine makes, those within its Maps included, and the delays and
// events of tasks that are tried again. A loop without a Wait must be known as seldom.
func (m timed) rate(t *testing.T, name string) (busiest float64, loop string) {
	var way []string
	found := func(r float64, what string) {
		if r > busiest {
			busiest, loop = r, what
		}
	}
	var walk func(id string)
	walk = func(id string) {
		if at := slices.Index(way, id); at >= 0 {
			var c cost
			for _, in := range way[at:] {
				if seldom[name+" "+in].times > 0 {
					return
				}
				c = c.plus(m.States[in].pass(t))
			}
			what := strings.Join(append(slices.Clone(way[at:]), id), " → ")
			if c.seconds == 0 {
				t.Errorf("%s: the loop %s waits nowhere", name, what)
				return
			}
			events, seconds := c.events, c.seconds
			found(events/seconds, what)
			for _, delay := range slices.Sorted(slices.Values(c.delays)) {
				events, seconds = events+again, seconds+delay
				found(events/seconds, what)
			}
			return
		}
		way = append(way, id)
		for _, n := range m.States[id].next() {
			walk(n)
		}
		way = way[:len(way)-1]
	}
	walk(m.StartAt)
	for id, s := range m.States {
		if s.ItemProcessor == nil || s.ItemProcessor.ProcessorConfig.Mode == "DISTRIBUTED" {
			continue
		}
		inner, what := s.ItemProcessor.rate(t, name+" "+id)
		found(inner*float64(min(s.atOnce(), most[s.ItemProcessor.StartAt])), id+": "+what)
	}
	return busiest, loop
}

// No execution fills its history before its time is up, whatever keeps it busy.
func TestNoHistoryIsFilledWithinTheTimeout(t *testing.T) {
	files, err := filepath.Glob("*.asl.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d machines (%v), want at least 10", len(files), err)
	}
	used := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".asl.json")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m timed
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		if m.TimeoutSeconds <= 0 || m.TimeoutSeconds > 3600 {
			t.Errorf("%s may take %v s", name, m.TimeoutSeconds)
		}
		all, total := m.longest(t), m.longest(t)
		for of, back := range seldom {
			machine, id, _ := strings.Cut(of, " ")
			if machine != name {
				continue
			}
			if _, ok := m.States[id]; !ok {
				t.Errorf("%s: there is no state %s", name, id)
			}
			used[of] = true
			switch id {
			case "TallySweep", "TallyRebuild":
				page := m.loop(t, "ListAccounts", id)
				most := total.plus(page.times(10 * back.times)) // which may be more than an hour
				all, total = all.plus(page.times(back.times)), total.plus(page.times(back.times))
				if rate, _ := m.rate(t, name); most.within(m.TimeoutSeconds, rate) >= maxEvents {
					t.Errorf("%s may make %.0f events for %d accounts, and a history holds %d", name, most.within(m.TimeoutSeconds, rate), 10*accounts, maxEvents)
				}
			case "LookAgain": // more comes after something went
				all, total = all.plus(m.loop(t, m.StartAt, id)), total.plus(m.loop(t, m.StartAt, id))
			default:
				total = total.plus(m.loop(t, m.StartAt, id).times(back.times))
			}
		}
		for id, s := range m.States {
			if s.SecondsPath != "" { // the pauses are short at first
				total = total.plus(m.loop(t, m.StartAt, id).times(workflow.ShortPauses))
			}
		}
		rate, loop := m.rate(t, name)
		events := total.within(m.TimeoutSeconds, rate)
		t.Logf("%-18s %6.0f events, %6.0f with all waits and retries: %.2f a second (%s)", name, all.events, events, rate, loop)
		if max(all.events, events) > quiet {
			t.Errorf("%s may make %.0f events in %v s, %.0f where nothing is waited for; want at most %d", name, events, m.TimeoutSeconds, all.events, quiet)
		}
		if most := total.most() + rate*m.TimeoutSeconds; most >= maxEvents {
			t.Errorf("%s may make %.0f events, if it need not wait for retries, and a history holds %d", name, most, maxEvents)
		}
	}
	for of := range seldom {
		if !used[of] {
			t.Errorf("%s is not a state any more", of)
		}
	}
}

// loop is the longest way from a state to another and back.
func (m timed) loop(t *testing.T, from, to string) cost {
	var best cost
	seen := map[string]bool{}
	var walk func(id string, so cost)
	walk = func(id string, so cost) {
		if seen[id] {
			return
		}
		s := m.States[id]
		so = so.plus(s.pass(t))
		if id == to {
			if so.most() > best.most() {
				best = so
			}
			return
		}
		seen[id] = true
		for _, n := range s.next() {
			walk(n, so)
		}
		seen[id] = false
	}
	walk(from, cost{})
	return best
}
