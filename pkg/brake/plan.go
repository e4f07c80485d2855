package brake

import (
	"slices"
	"time"
)

// ask returns what becomes of the brake when id asks, and whether it passes. own is the row of id, nil if it has none.
//
//	id was let through by a person            passes
//	id passed within the window               passes: a step that is done again is no second removal
//	the brake is on                           waits
//	fewer passed within the window than limit passes, and counts
//	else                                      waits, and the brake is on
func ask(s state, own *waiting, id string, limit Limit, now time.Time) (state, bool) {
	if own != nil && own.Let {
		return s, true
	}
	s.Passed = slices.DeleteFunc(slices.Clone(s.Passed), func(p passed) bool { return now.Sub(p.At) >= Window })
	switch {
	case slices.ContainsFunc(s.Passed, func(p passed) bool { return p.ID == id }):
		return s, true
	case s.On || len(s.Passed) >= limit.of(s.Managed):
		s.On = true
		return s, false
	}
	s.Passed = append(s.Passed, passed{ID: id, At: now})
	return s, true
}
