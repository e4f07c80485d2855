package netproof

import (
	"testing"
	"time"
)

func TestHowLongAStepTookIsShort(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 ms", 999*time.Millisecond + 900*time.Microsecond: "999 ms", time.Second: "1.0 s", 1895 * time.Millisecond: "1.9 s", 12 * time.Second: "12.0 s"} {
		if got := took(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
