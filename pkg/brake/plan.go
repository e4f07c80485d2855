package brake

import "slices"

// ask returns what becomes of the brake when a removal asks that would pass now, and whether it passes. What passed before the window
// is not in s any more. own is the row of the removal, nil if it has none.
//
//	id was let through by a person            passes
//	id passed within the window               passes: a step that is done again is no second removal
//	the brake is on                           waits
//	fewer passed within the window than limit passes, and counts
//	else                                      waits, and the brake is on
func ask(s state, own *waiting, now passed, limit Limit) (state, bool) {
	if own != nil && own.Let {
		return s, true
	}
	switch {
	case slices.ContainsFunc(s.Passed, func(p passed) bool { return p.ID == now.ID }):
		return s, true
	case s.On || len(s.Passed) >= limit.of(s.Managed):
		s.On = true
		return s, false
	}
	s.Passed = append(slices.Clone(s.Passed), now)
	return s, true
}

// room returns how many removals that did not ask yet pass now. What passed before the window is not in s any more.
func room(s state, limit Limit) int {
	if s.On {
		return 0
	}
	return max(0, limit.of(s.Managed)-len(s.Passed))
}
