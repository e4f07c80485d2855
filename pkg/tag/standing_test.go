package tag

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestStanding(t *testing.T) {
	then := time.Date(2026, 3, 1, 13, 0, 0, 0, time.FixedZone("", 3600))
	want := "[{drawbridge:status Connected} {drawbridge:reason because} {drawbridge:since 2026-03-01T12:00:00Z}]"
	if got := fmt.Sprint(Standing("Connected", "because", then)); got != want {
		t.Error(got)
	}
	if got, want := fmt.Sprint(StandingInStudio("Connected", "because", then)), strings.ReplaceAll(want, "drawbridge:", "drawbridge:studio-"); got != want {
		t.Error(got)
	}
	if got := Standing("Failed", strings.Repeat("a (b) ", 100), then)[1].Value; len(got) > 256 {
		t.Errorf("a value of %d characters", len(got))
	}
	for _, p := range append(Standing("", "", then), StandingInStudio("", "", then)...) {
		if !slices.Contains(Answers, p.Key) {
			t.Errorf("%s is not among the answers", p.Key)
		}
	}
}
