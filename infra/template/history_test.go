package template

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// maxEvents is how many events the history of an execution holds; one with more fails.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html#service-limits-state-machine-executions
const maxEvents = 25_000

// quiet is how many events an execution takes at most, with as much of everything as there may be, where AWS is not waited for and nothing is tried again:
// once through the machine, and for a connection from which something goes before more comes, twice.
const quiet = 5000

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
	MaxConcurrency      int
	ItemsPath           string
	Choices             []struct{ Next string }
	Retry               []struct {
		IntervalSeconds, BackoffRate, MaxDelaySeconds float64
		MaxAttempts                                   int
	}
	Catch         []struct{ Next string }
	ItemProcessor *struct {
		timed
		ProcessorConfig struct{ Mode string }
	}
}

// most is how many items a Map has at most: as many as what it is about is packed into, however much there is.
var most = map[string]int{
	"$.sides":     workflow.SideItems,
	"$.notebooks": workflow.BatchItems,
	"$.roles":     workflow.ReaderItems,
	"$.domains":   workflow.ReaderItems,
	"$.wants":     workflow.EndpointItems,
	"$.leaving":   max(workflow.ReaderItems, workflow.EndpointItems), // of Studio, and of private notebooks
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
	"sweep TallySweep":           {500, "one page of 20 accounts after the other, of 10,000"},
	"rebuild TallyRebuild":       {500, "the same"},
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

// cost is what passing something takes: events in the history, seconds, and how many of the events' tasks could be tried
// again, each after a delay that others at its side share.
type cost struct{ events, seconds, tasks, delays float64 }

func (c cost) plus(d cost) cost {
	return cost{c.events + d.events, c.seconds + d.seconds, c.tasks + d.tasks, c.delays + d.delays}
}

// pass is the cost of one state: entered and exited; a Task is scheduled, started and succeeds; a Map starts, succeeds, and
// each of its iterations starts and succeeds.
func (s timedState) pass(t *testing.T) cost {
	switch {
	case s.Type == "Task":
		return cost{events: 5, tasks: 1, delays: 1}
	case s.Type == "Wait":
		return cost{events: 2, seconds: s.Seconds}
	case s.Type == "Map" && s.ItemProcessor.ProcessorConfig.Mode == "DISTRIBUTED":
		return cost{events: 6} // and MapRunStarted, MapRunSucceeded: its children have histories of their own
	case s.Type == "Map":
		n, ok := most[s.ItemsPath]
		if !ok {
			t.Fatalf("how many %s there are is not known", s.ItemsPath)
		}
		one, batches := s.ItemProcessor.longest(t), math.Ceil(float64(n)/float64(s.atOnce()))
		return cost{events: 4 + float64(n)*(2+one.events), seconds: batches * one.seconds, tasks: float64(n) * one.tasks, delays: batches * one.delays}
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
		if so = so.plus(s.pass(t)); len(s.next()) == 0 && so.events > best.events {
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
			// Transient errors are retried after 2, 4, 8 … seconds: each try is a failure, scheduled and started anew.
			for tries, delay := 0.0, 0.0; tries <= 6; tries++ {
				found((c.events+3*tries*c.tasks)/(c.seconds+delay*c.delays), what)
				delay += min(60, math.Pow(2, tries+1))
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
		found(inner*float64(min(s.atOnce(), most[s.ItemsPath])), id+": "+what)
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
		once := m.longest(t)
		total := once.events + m.retries(t, m.TimeoutSeconds)
		for of, back := range seldom {
			machine, id, _ := strings.Cut(of, " ")
			if machine != name {
				continue
			}
			if _, ok := m.States[id]; !ok {
				t.Errorf("%s: there is no state %s", name, id)
			}
			used[of] = true
			total += float64(back.times) * m.back(t, id).events
		}
		all := once.events
		switch name {
		case "peering", "transit":
			all += m.back(t, "LookAgain").events
		case "sweep":
			all += accounts / 20 * m.loop(t, "ListAccounts", "TallySweep").events
		case "rebuild":
			all += accounts / 20 * m.loop(t, "ListAccounts", "TallyRebuild").events
		}
		t.Logf("%-18s %6.0f events where nothing is waited for", name, all)
		if all > quiet {
			t.Errorf("%s makes %.0f events where nothing is waited for, want at most %d", name, all, quiet)
		}
		rate, loop := m.rate(t, name)
		total += rate * m.TimeoutSeconds
		t.Logf("%-18s %6.0f events: %5.0f once, %.2f a second (%s)", name, total, once.events, rate, loop)
		if total >= maxEvents {
			t.Errorf("%s may make %.0f events in %v s, and a history holds %d: %.2f a second in %s", name, total, m.TimeoutSeconds, maxEvents, rate, loop)
		}
	}
	for of := range seldom {
		if !used[of] {
			t.Errorf("%s is not a state any more", of)
		}
	}
}

// retries is how many events tasks that are tried again make at most, each state entered once: a task 14 times, the first time
// after 2 seconds. The items of a Map are tried again no more often than the time allows for those that it works on at once,
// and two Maps share that time.
func (m timed) retries(t *testing.T, seconds float64) float64 {
	var counted, busy float64
	for _, s := range m.States {
		switch {
		case s.Type == "Task":
			counted += 3 * 14
		case s.ItemProcessor != nil && s.ItemProcessor.ProcessorConfig.Mode != "DISTRIBUTED":
			n := most[s.ItemsPath]
			all, possible := float64(n)*s.ItemProcessor.retries(t, seconds), seconds*3/2*float64(min(s.atOnce(), n))
			if all <= possible {
				counted += all
			} else {
				busy = max(busy, possible)
			}
		}
	}
	return counted + busy
}

// back is the longest way from the start to a state and back to the start.
func (m timed) back(t *testing.T, to string) cost { return m.loop(t, m.StartAt, to) }

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
			if so.events > best.events {
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
