package picture

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	past "github.com/drawbridge-cloud/drawbridge/pkg/history"
)

// lines is how much of a connection's past the document has.
const lines = 12

// history is the newest of an entry's past, as drawbridge history tells it, the newest first, and how many lines are left out. How it began is always told.
func history(of []past.Event) ([]Event, int) {
	all := make([]Event, 0, len(of))
	for _, e := range slices.Backward(of) {
		what := e.Line()
		if e.Execution != "" {
			what += " (" + e.Execution + ")"
		}
		all = append(all, Event{At: e.At, What: what, Who: e.By(true)})
	}
	if len(all) <= lines {
		return all, 0
	}
	return append(all[:lines-1:lines-1], all[len(all)-1]), len(all) - lines
}

// commands are what somebody may type about a connection.
func (c *collector) commands(l board.Line, of Connection) []Command {
	out := []Command{}
	if len(l.Command) > 0 {
		out = append(out, Command{For: "approve it, as account " + l.By, Text: answer.Shell(l.Command, 0, "")})
	}
	for _, p := range of.Paths {
		if p.Look != Holds || len(of.Paths) == 1 {
			from, to := c.called[p.Client], c.called[p.Database]
			if client, ok := c.ref(from); ok {
				database, _ := c.ref(End{Name: fmt.Sprintf("%s:%d", to.Name, p.Port), Account: to.Account, Network: to.Network})
				text := answer.Shell([]string{"drawbridge", "why", client, database}, 0, "")
				out = append(out, Command{For: fmt.Sprintf("judge %s → %s now, and name what mends it", from.Name, to.Name), Text: text})
			}
		}
		if len(out) == 3 {
			break
		}
	}
	return append(out, Command{For: "all that was added for it", Text: answer.Shell([]string{"drawbridge", "status", l.ID}, 0, "")})
}

// ref names an end as drawbridge why takes it; not those that are marked by their subnet or group.
func (c *collector) ref(e End) (string, bool) {
	kind, name, ok := strings.Cut(e.Name, " ")
	switch {
	case !ok:
		name = e.Name
	case kind == "function":
		name = "function/" + name
	default:
		return "", false
	}
	return strings.TrimSuffix(e.Account+"/"+c.all[e.Network].Region, "/") + "/" + name, true
}
