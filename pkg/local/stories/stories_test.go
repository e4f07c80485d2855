package stories

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// tale is one story: a world, what somebody does in it, and what is true then.
type tale struct {
	// name of the golden file in docs/stories.
	name string
	// title and about are what a reader sees first.
	title, about string
	// change makes the world differ from S1.
	change func(*scenario.Spec)
	// prepare changes the world after it was built.
	prepare func(context.Context, *testing.T, *scenario.World)
	// fault makes calls of Drawbridge fail.
	fault func(*scenario.World) local.Injector
	// acts are what people do, each after what the one before set in motion has
	// ended; none means that the consumer requests the peering.
	acts []act
	// unruly says that executions meet on one thing, in an order that is not the
	// same in every run: each kind of end counts once, and there is no golden text.
	unruly bool
	// struck are the acts, counted from one, whose AWS calls the fault sweep
	// strikes: see [TestFaults].
	struck []int
	// more is what a fault must not change either, a line each, beside what every story has.
	more func(context.Context, *testing.T, *scenario.World) string
	// owing says that an execution may owe something that only it knows of, such
	// as a start to a notebook that it stopped: it can only be redriven.
	owing bool
	// connected says whether every hop holds at the end.
	connected bool
	// then checks what an act led to, by the act's number, counted from one.
	then map[int]func(context.Context, *testing.T, *scenario.World)
	// also checks more.
	also func(context.Context, *testing.T, *scenario.World, []awscall.Call)
}

// act is something that somebody does.
type act struct {
	// says what it is, for the reader.
	says string
	do   func(context.Context, *testing.T, *scenario.World)
	// ends are the ends of the executions that it leads to, in any order: the
	// end state, or the error of the state that failed.
	ends []string
}

// request is the one call that begins most stories.
func request(ends ...string) act {
	return act{
		says: "The owner of alpha calls ec2 CreateVpcPeeringConnection.",
		do: func(ctx context.Context, t *testing.T, w *scenario.World) {
			if err := w.Request(ctx); err != nil {
				t.Fatal(err)
			}
		},
		ends: ends,
	}
}

// library returns every tale, in the order in which they get their accounts.
func library() []tale {
	return slices.Concat(tales, removals, rare, changes, followed, sweeps, studios, gateways, transits, privates, gatewayLives, sharedGateways, amendments, keptOut, privateFollows, gatewayChanges, swept, goneWarehouses, leftBehind, policyEvents, fresh, values, hubMembers, takebacks, modes, studioOwners, contests, quarantines, brakes, unreadable, covers, acls, rebuilds, contestedAccess, crowdedNetworks, sharedVPCs, kindTales, farReaching, narrowed, resolvers, diverted, privateParts, rebuiltShares, observed, deletedGroups, madeAgain, lives, releases, unfinished, prefixLists, asleep)
}

// allDataAPI returns every tale of the Data API, likewise.
func allDataAPI() []dataAPITale {
	return slices.Concat(dataAPITales, callers, sweptClusters, brakedDataAPI, contestedCallers, contestedClusters, rebuiltCallers, releasesDataAPI, modesDataAPI)
}

// met reports whether an execution left its thing to another one that was at it, or looked once more because somebody had come.
func met(e story.End) bool {
	return e.State == "Nothing" && saying(e, ", and it is looked at again before that one ends", " next, for whoever comes until then", lease.Came)
}

// late reports whether an execution found that its thing is gone, as one does that waited until another had taken it away.
func late(e story.End) bool {
	return e.State == "Nothing" && saying(e, "; Drawbridge has nothing of it", " does not exist in ", " is not attached to ", " is deleted")
}

func saying(e story.End, any ...string) bool {
	return slices.ContainsFunc(any, func(words string) bool { return bytes.Contains(e.Output, []byte(words)) })
}

// storiesPart is the variable that says which part of the stories a process plays; see [partIn]. The process that nobody gave a
// part plays the first and starts the others, and reads what the roles asked for in all of them.
const storiesPart = "DRAWBRIDGE_STORIES_PART"

func TestStories(t *testing.T) {
	own, given := partIn(t, storiesPart)
	wait := func() {}
	if !given && allAsked() {
		own.of = min(runtime.NumCPU(), 4)
		t.Setenv(keptVariable, kept)
		wait = inProcesses(t, "TestStories", storiesPart, 1, own.of, func(_ int, l string) { fmt.Println(l) }, fmt.Sprintf("-update=%v", *update))
	}
	played := 0
	tell := func(i int, name string, play func(t *testing.T)) {
		if own.has(i) {
			t.Run(name, func(t *testing.T) {
				played++
				play(t)
			})
		}
	}
	all := library()
	for i, s := range all {
		tell(i, s.name, func(t *testing.T) { play(t, i+1, s) })
	}
	for i, s := range allDataAPI() {
		tell(i, s.name, func(t *testing.T) { playDataAPI(t, i+1, s) })
	}
	wait()
	if !given && allAsked() {
		if played == 0 {
			t.Error("no story was played")
		}
		t.Run("every right is used", everyRightIsUsed)
		t.Run("authorizations are kept", authorizationsAreKept)
	}
}

// allAsked reports whether all stories are asked for.
func allAsked() bool {
	run, skip := flag.Lookup("test.run").Value.String(), flag.Lookup("test.skip").Value.String()
	return !strings.Contains(run, "/") && !strings.Contains(skip, "/")
}

func play(t *testing.T, n int, s tale) {
	ctx := timeout(t)
	unbraked(ctx, t)
	spec := scenario.S1()
	canonical := cast(&spec, n)
	if s.change != nil {
		s.change(&spec)
	}
	world, err := spec.Build(ctx, engine.Config)
	if err != nil {
		t.Fatal(err)
	}
	if s.prepare != nil {
		s.prepare(ctx, t, world)
	}
	if _, err := engine.Settle(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if s.fault != nil {
		fault := s.fault(world)
		injector.Store(&fault)
	}
	t.Cleanup(func() { injector.Store(nil) })

	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n\n%s\n", s.title, strings.TrimSpace(s.about))
	var mail mailbox
	if isPlayed(s.name) {
		mail = subscribe(ctx, t, s.name, world.Consumer.Account, world.Producer.Account, takesPart("3", world), takesPart("4", world))
	}
	var calls []awscall.Call
	for number, a := range s.acts {
		mail.read(ctx, t) // of the act before
		engine.Cool()     // what a process remembers must not depend on what was before
		engine.Story().Begin()
		a.do(ctx, t, world)
		var got []string
		for _, e := range until(ctx, t, len(a.ends)) {
			if s.unruly && (met(e) || late(e) && !slices.Contains(a.ends, "Nothing")) {
				continue // executions met about one thing, as they do or do not
			}
			if e.Status == "SUCCEEDED" {
				got = append(got, e.State)
			} else {
				got = append(got, e.Error)
			}
		}
		slices.Sort(got)
		if s.unruly {
			got = slices.Compact(got)
		}
		if then := s.then[number+1]; then != nil {
			then(ctx, t, world)
		}
		hasOneEnd(ctx, t, world, s.name, number+1, mail.read(ctx, t))
		slices.Sort(a.ends)
		if !slices.Equal(got, a.ends) {
			t.Errorf("%s The executions ended with %q, want %q:\n%s", a.says, got, a.ends, story.Golden(engine.Story().Facts(), world.Names()))
		}
		counts := engine.Story().Counts()
		calls = append(calls, engine.Story().Calls()...)
		fmt.Fprintf(&text, "\n%s\n\n```text\n%s```\n", a.says, story.Golden(engine.Story().Facts(), world.Names()))
		fmt.Fprintf(&text, "\n%d state transitions, %d invocations.\n", counts.Transitions, counts.Invocations)
	}
	if world.Connection != "" {
		verdict, err := world.Verdict(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if scenario.Holds(verdict) != s.connected {
			t.Errorf("connected is %v, want %v: %+v", !s.connected, s.connected, verdict)
		}
		if last := s.acts[len(s.acts)-1]; s.connected || slices.Contains(last.ends, "Connected") {
			fmt.Fprintf(&text, "\nRead back from the accounts:\n\n%s", story.Table(verdict, world.Names()))
		}
	}
	if s.also != nil {
		s.also(ctx, t, world, calls)
	}
	if s.unruly {
		return
	}
	compare(t, s.name, canonical.Replace(text.String()))
}
