package policy

import (
	"bytes"
	"slices"
)

// Diff says, by their ids, which policies of one text are new in another, which are gone, and which say something else; comments and blanks say
// nothing. Each in the order of its text.
func Diff(old, now *Set) (added, gone, changed []string) {
	for _, id := range now.IDs() {
		switch {
		case !slices.Contains(old.IDs(), id):
			added = append(added, id)
		case !bytes.Equal(old.find(id).policy.MarshalCedar(), now.find(id).policy.MarshalCedar()):
			changed = append(changed, id)
		}
	}
	for _, id := range old.IDs() {
		if !slices.Contains(now.IDs(), id) {
			gone = append(gone, id)
		}
	}
	return added, gone, changed
}
