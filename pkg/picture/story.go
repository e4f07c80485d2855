package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// lines is how much of a connection's past the document has.
const lines = 12

// history is what the ledger has of an entry's past, the newest first, and how many lines are left out.
func history(l board.Line, items []ledger.Item) ([]Event, int) {
	asked := "asked for"
	if l.Origin == string(ledger.Adopted) {
		asked = "taken over, as its owner asked"
	}
	all := []Event{{At: l.Since, What: asked, Who: l.Asked}}
	if !l.At.IsZero() && l.State != "" {
		all = append(all, Event{At: l.At, What: "came to be " + l.State, Who: "Drawbridge"})
	}
	all = append(all, written(items)...)
	for _, i := range items {
		thing := fmt.Sprintf("%s %s of %s", i.Kind, i.Key, i.Resource)
		if i.Taken > 0 {
			all = append(all, Event{At: cmp.Or(i.SeenAt, i.At).UTC(), What: fmt.Sprintf("somebody took away %s, %d times by now", thing, i.Taken), Who: i.TakenBy.Who})
		} else if i.Seen.Who != "" {
			all = append(all, Event{At: i.SeenAt, What: "a hand was seen at " + i.Resource, Who: i.Seen.Who})
		}
	}
	for n := range all {
		all[n].At = all[n].At.UTC()
	}
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Or(b.At.Compare(a.At), strings.Compare(a.What, b.What)) })
	all = slices.Compact(all)
	if len(all) <= lines {
		return all, 0
	}
	first := all[len(all)-1] // how it began is always told
	return append(all[:lines-1:lines-1], first), len(all) - lines
}

// written is one event for all that one execution left in one account in one state.
func written(items []ledger.Item) []Event {
	type act struct{ by, account, state string }
	latest, kinds := map[act]time.Time{}, map[act]map[string]int{}
	var order []act
	for _, i := range items {
		a := act{i.By, i.Account, string(i.State)}
		if kinds[a] == nil {
			kinds[a] = map[string]int{}
			order = append(order, a)
		}
		kinds[a][string(i.Kind)]++
		if i.At.After(latest[a]) {
			latest[a] = i.At
		}
	}
	var out []Event
	for _, a := range order {
		var words []string
		for kind, n := range kinds[a] {
			words = append(words, fmt.Sprintf("%d × %s", n, kind))
		}
		slices.Sort(words)
		who := "Drawbridge"
		if a.by != "" {
			who = "execution " + a.by
		}
		out = append(out, Event{At: latest[a], What: fmt.Sprintf("in %s %s: %s", a.account, a.state, strings.Join(words, ", ")), Who: who})
	}
	return out
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
