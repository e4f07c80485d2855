package bench

import (
	"os"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

const root = "../../.."

// engineNeeded skips a test with -short, and on a machine that is not set up; on CI that is a failure.
func engineNeeded(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it plays on the local engine")
	}
	if err := (local.Options{Root: root}).Check(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// TestRun measures once: the bare calls must connect by themselves, or the
// comparison says nothing.
func TestRun(t *testing.T) {
	engineNeeded(t)
	r, err := Run(t.Context(), Options{Root: root, Rounds: 1, WaitScale: 0.001})
	if err != nil {
		t.Fatal(err)
	}
	if r.Cold.ColdStarts == 0 || r.Warm.ColdStarts != 0 {
		t.Errorf("%d and %d cold starts, want some and none", r.Cold.ColdStarts, r.Warm.ColdStarts)
	}
	if w := r.Warm; w.Members == 0 || w.Members > 39 || w.Hub == 0 || w.Hub > 100 || w.Transitions == 0 || w.Transitions > 24 {
		t.Errorf("a warm connection takes %d calls in members, %d in the hub and %d transitions", w.Members, w.Hub, w.Transitions)
	}
	if r.BareCalls < r.Warm.Members+r.Warm.Hub || r.Bare <= 0 {
		t.Errorf("%d bare calls in %v", r.BareCalls, r.Bare)
	}
}

// TestASweepGrowsWithItsAccounts counts calls, not time.
func TestASweepGrowsWithItsAccounts(t *testing.T) {
	engineNeeded(t)
	var samples []SweepSample
	if err := Sweeps(t.Context(), Options{Root: root, WaitScale: 0.001}, []int{1, 3, 5}, func(s SweepSample) { samples = append(samples, s) }); err != nil {
		t.Fatal(err)
	}
	if len(samples) != 3 {
		t.Fatalf("%d samples", len(samples))
	}
	one, three, five := samples[0], samples[1], samples[2]
	t.Logf("%d, %d and %d calls, %d, %d and %d transitions; of two accounts:", one.Total, three.Total, five.Total, one.Transitions, three.Transitions, five.Transitions)
	for call, n := range five.Calls {
		if more := n - three.Calls[call]; more != 0 {
			t.Logf("%s %d", call, more)
		}
	}
	if one.Total == 0 || three.Total-one.Total != five.Total-three.Total {
		t.Errorf("%d, %d, %d calls for 1, 3, 5 accounts: two more do not always cost the same\n%v\n%v\n%v", one.Total, three.Total, five.Total, one.Calls, three.Calls, five.Calls)
	}
	if most := 18; (five.Total-three.Total)/2 > most {
		t.Errorf("an account in which nothing is costs %d calls, want at most %d: %v", (five.Total-three.Total)/2, most, one.Calls)
	}
	if five.Invocations-three.Invocations != 2 {
		t.Errorf("%d and %d invocations for 3 and 5 accounts", three.Invocations, five.Invocations)
	}
}

func TestNoRoundsIsAnError(t *testing.T) {
	if _, err := Run(t.Context(), Options{}); err == nil {
		t.Error("nothing was measured, and nothing said")
	}
}
