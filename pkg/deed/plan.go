package deed

import (
	"slices"
	"strings"
)

// nobody is what an owner writes to name nobody: taking a tag off may be a slip, and the brake asks about it.
const nobody = "none"

// Without returns the value of a tag that names accounts without one of them, and whether it named that. value is as [tag.Clean] gives it.
func Without(value, account string) (string, bool) {
	ids := strings.Fields(value)
	left := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == account })
	switch {
	case len(left) == len(ids):
		return "", false
	case len(left) == 0:
		return nobody, true
	}
	return strings.Join(left, " "), true
}
