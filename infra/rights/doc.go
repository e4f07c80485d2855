package rights

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Table is the table of all lines, in Markdown: what docs/rights.md shows between its marks.
func Table() string {
	var b strings.Builder
	b.WriteString("| thing | state: calls | whose | which opt-in allows it | enforced by |\n|---|---|---|---|---|\n")
	for _, l := range Lines {
		var calls, by []string
		for _, state := range slices.Sorted(maps.Keys(l.Writes)) {
			var short []string
			for _, action := range l.Writes[state] {
				_, call, _ := strings.Cut(action, ":")
				short = append(short, call)
			}
			calls = append(calls, state+": "+strings.Join(short, ", "))
		}
		for _, c := range l.Enforced() {
			by = append(by, "`"+c.Key+"`")
		}
		enforced := "IAM: " + strings.Join(by, ", ")
		if len(by) == 0 {
			var tried []string
			for _, of := range l.Tried {
				if story, told := strings.CutPrefix(of, "story "); told {
					tried = append(tried, "story `"+story+"`")
				} else {
					tried = append(tried, "`"+of+"`")
				}
			}
			enforced = l.Code + "; tried without it by " + strings.Join(tried, ", ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", l.On, strings.Join(calls, "<br>"), l.Whose, l.OptIn, enforced)
	}
	return b.String()
}
