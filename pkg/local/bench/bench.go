// Package bench measures what one connection costs: AWS calls, state
// transitions, invocations, cold starts, and the time from the event to
// Connected beside the time that the same AWS calls take when one warm process
// makes them back to back.
//
// Both are measured in one run, against the same emulation, in worlds that are
// built alike, so their ratio means something where the milliseconds do not.
package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// Options of a measurement.
type Options struct {
	// Root is the root of the repository.
	Root string
	// Rounds is how often the warm case is measured; the result has the median.
	Rounds int
	// WaitScale shortens the waits of the machine.
	WaitScale float64
}

// Sample is one connection.
type Sample struct {
	story.Counts
	// Calls are all AWS calls, Members and Hub those without AssumeRole and polls, in member accounts and in the hub.
	Calls, Members, Hub int
	// Wall is the time from the call that began it to Connected.
	Wall time.Duration

	execution string
}

// Result of a measurement.
type Result struct {
	// Cold is the first connection after the start, Warm the median one of those
	// after it.
	Cold, Warm Sample
	// Bare is the median time that the calls of a warm connection take back to
	// back, BareCalls how many those are: all but AssumeRole.
	Bare      time.Duration
	BareCalls int
}

// Ratio is how much longer a warm connection takes than its bare calls.
func (r Result) Ratio() float64 { return float64(r.Warm.Wall) / float64(r.Bare) }

// recorder keeps the exchanges of Drawbridge in their order.
type recorder struct {
	mu        sync.Mutex
	exchanges []exchange
}

type exchange struct {
	awscall.Call
	local.Exchange
}

func (r *recorder) observe(c awscall.Call, e local.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exchanges = append(r.exchanges, exchange{c, e})
}

// of returns what was recorded of one execution, without the calls that open
// accounts: a warm process has its sessions.
func (r *recorder) of(execution string) []exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []exchange
	for _, e := range r.exchanges {
		if e.Execution == execution && e.Action != "AssumeRole" {
			out = append(out, e)
		}
	}
	r.exchanges = nil
	return out
}

// Run measures; it takes a few seconds for each round.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Rounds < 1 {
		return Result{}, errors.New("measuring no round measures nothing")
	}
	var r recorder
	engineOptions := local.Options{Root: o.Root, WaitScale: o.WaitScale, Observe: r.observe}
	for i := range o.Rounds {
		bare := spec(i, "3", "4")
		engineOptions.Outside = append(engineOptions.Outside, bare.Consumer.Account, bare.Producer.Account)
	}
	engine, err := local.Start(ctx, engineOptions)
	if err != nil {
		return Result{}, err
	}
	defer engine.Close()

	var out Result
	if out.Cold, _, err = connect(ctx, engine, spec(9999, "1", "2")); err != nil {
		return out, fmt.Errorf("connecting cold: %w", err)
	}
	var warm []Sample
	var bare []time.Duration
	for i := range o.Rounds {
		sample, world, err := connect(ctx, engine, spec(i, "1", "2"))
		if err != nil {
			return out, fmt.Errorf("connecting: %w", err)
		}
		warm = append(warm, sample)
		took, n, err := replay(ctx, engine, r.of(sample.execution), world, spec(i, "3", "4"))
		if err != nil {
			return out, fmt.Errorf("making the bare calls: %w", err)
		}
		bare = append(bare, took)
		out.BareCalls = n
	}
	slices.SortFunc(warm, func(a, b Sample) int { return int(a.Wall - b.Wall) })
	slices.Sort(bare)
	out.Warm, out.Bare = warm[len(warm)/2], bare[len(bare)/2]
	return out, nil
}

// spec is S1 in accounts of its own.
func spec(n int, consumer, producer string) scenario.Spec {
	s := scenario.S1()
	s.Consumer.Account = fmt.Sprintf("%s1111111%04d", consumer, n)
	s.Producer.Account = fmt.Sprintf("%s1111111%04d", producer, n)
	return s
}

// connect plays S1 once.
func connect(ctx context.Context, engine *local.Engine, s scenario.Spec) (Sample, *scenario.World, error) {
	world, err := s.Build(ctx, engine.Config)
	if err != nil {
		return Sample{}, nil, err
	}
	if _, err := engine.Settle(ctx, 0); err != nil {
		return Sample{}, nil, err
	}
	engine.Story().Begin()
	began := time.Now()
	if err := world.Request(ctx); err != nil {
		return Sample{}, nil, err
	}
	limit, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("it has not ended after a minute"))
	defer cancel()
	end, err := engine.Story().First(limit, func(e story.End) bool { return e.Machine == "drawbridge-peering" })
	wall := time.Since(began)
	if err != nil {
		return Sample{}, nil, err
	}
	if end.Status != "SUCCEEDED" || end.State != "Connected" {
		return Sample{}, nil, fmt.Errorf("it ended with %s in %s: %s", end.Status, end.State, end.Cause)
	}
	if _, err := engine.Settle(ctx, 0); err != nil {
		return Sample{}, nil, err
	}
	calls := engine.Story().Calls()
	hub, members := calls[:0:0], calls[:0:0]
	for _, c := range calls {
		if c.Account == local.HubAccount {
			hub = append(hub, c)
		} else {
			members = append(members, c)
		}
	}
	return Sample{Counts: engine.Story().Counts(), Calls: len(calls), Members: story.Work(members), Hub: story.Work(hub), Wall: wall, execution: end.Execution}, world, nil
}
