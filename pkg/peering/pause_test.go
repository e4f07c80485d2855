package peering_test

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// What is waited for is looked at often in the first minute, and seldom after it.
func TestLooksBecomeFewer(t *testing.T) {
	looked, waited := workflow.Looked{}, 0
	for n := range 20 {
		w := world{status: "provisioning"}
		out, err := w.inspect(t, create, "111111111111", looked)
		if err != nil || out.Answer != workflow.AnswerWait {
			t.Fatalf("%s, %v", out.Answer, err)
		}
		if want := map[bool]int{true: workflow.ShortPause, false: workflow.LongPause}[waited < 60]; out.Pause != want {
			t.Errorf("look %d, after %d s: %d s, want %d", n, waited, out.Pause, want)
		}
		looked, waited = out.Looked, waited+out.Pause
	}
	w := world{status: "active"}
	if out, err := w.inspect(t, create, "111111111111", workflow.Looked{}); err != nil || out.Pause != 0 || out.Looked.Waited != 0 {
		t.Errorf("%s pauses for %d s, %v", out.Answer, out.Pause, err)
	}
}
