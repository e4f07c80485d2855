package workflow

// How many seconds a machine waits before it looks again at what AWS says nothing about: what passes by itself does so within the first minute, mostly. What takes
// longer is looked at seldom, as each look is nine events, and an execution shall have 5,000.
const (
	ShortPause  = 5
	LongPause   = 30
	ShortPauses = 12 // a minute
)

// Pause is how many seconds an execution waits that has waited so often.
func Pause(waits int) int {
	if waits < ShortPauses {
		return ShortPause
	}
	return LongPause
}
