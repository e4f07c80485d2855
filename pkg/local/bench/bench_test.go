package bench

import (
	"os"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// TestRun measures once: the bare calls must connect by themselves, or the
// comparison says nothing.
func TestRun(t *testing.T) {
	const root = "../../.."
	if err := (local.Options{Root: root}).Check(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	r, err := Run(t.Context(), Options{Root: root, Rounds: 1, WaitScale: 0.001})
	if err != nil {
		t.Fatal(err)
	}
	if r.Cold.ColdStarts == 0 || r.Warm.ColdStarts != 0 {
		t.Errorf("%d and %d cold starts, want some and none", r.Cold.ColdStarts, r.Warm.ColdStarts)
	}
	if r.Warm.Work == 0 || r.Warm.Work > 40 || r.Warm.Transitions == 0 || r.Warm.Transitions > 25 {
		t.Errorf("a warm connection takes %d calls and %d transitions", r.Warm.Work, r.Warm.Transitions)
	}
	if r.BareCalls < r.Warm.Work || r.Bare <= 0 {
		t.Errorf("%d bare calls in %v", r.BareCalls, r.Bare)
	}
}

func TestNoRoundsIsAnError(t *testing.T) {
	if _, err := Run(t.Context(), Options{}); err == nil {
		t.Error("nothing was measured, and nothing said")
	}
}
