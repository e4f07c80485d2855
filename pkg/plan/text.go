package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// Text implements [answer.Document].
func (p Plan) Text(page *answer.Page) {
	head(page, p.Hub, p.Mode)
	page.Say("plan    ", "%s", p.About)
	for _, l := range p.Looks {
		page.Say("        ", "%s", answer.Clauses(l.words()))
	}
	for _, f := range p.Found {
		if f.Unmanaged > 0 {
			page.Say("found   ", "%d %s, %d of them not managed and left alone: %s", f.Seen, f.Kind, f.Unmanaged, strings.Join(f.Names, ", "))
		}
	}
	all := slices.Clone(p.Changes)
	slices.SortStableFunc(all, func(a, b Change) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region))
	})
	for n := 0; n < len(all); {
		at, from := all[n], n
		for n < len(all) && all[n].Account == at.Account && all[n].Region == at.Region {
			n++
		}
		page.Title(strings.TrimSpace(at.Account + " " + at.Region))
		var rows [][]string
		for _, c := range all[from:n] {
			rows = append(rows, c.row(page))
		}
		columns := []string{" ", "thing", "change"}
		if page.Wide() {
			columns = append(columns, "call")
		}
		page.Table("  ", columns, rows)
	}
	page.Gap()
	for _, u := range p.Unplanned {
		page.Say("? ", "not planned: %s", u)
	}
	page.Say("", "%s", p.Counts.words(p.more()))
}

// more says why a plan may not be all, "" if it is: where a look waits, nobody knows what it finds then.
func (p Plan) more() string {
	switch {
	case slices.ContainsFunc(p.Looks, func(l Look) bool { return l.Waits }):
		return "A look waits: what it finds then is not planned."
	case len(p.Unplanned) > 0:
		return "What is not planned may add to it."
	}
	return ""
}

func head(page *answer.Page, hub board.Hub, mode board.Mode) {
	page.Say("hub     ", "account %s, %s, table %s", hub.Account, hub.Region, hub.Table)
	switch mode.Mode {
	case "full":
		page.Say("mode    ", "full")
	case "":
		page.Say("mode    ", "not known: it could not be read")
	default:
		page.Say("mode    ", "%s: what is planned here is done in the mode full", mode.Mode)
	}
}

func (l Look) words() string {
	words := fmt.Sprintf("%s %s: %s", strings.TrimPrefix(l.Machine, "drawbridge-"), l.ID, l.Ends)
	switch {
	case l.Fails != "":
		words = fmt.Sprintf("%s %s: fails at %s, %s", strings.TrimPrefix(l.Machine, "drawbridge-"), l.ID, l.Ends, l.Fails)
	case l.Waits:
		words += ", where it waits"
	}
	if l.Reason != "" {
		words += ": " + l.Reason
	}
	return words
}

// colors are those of signs.
var colors = map[string]string{"+": answer.Good, "~": answer.Unsure, "-": answer.Bad}

func (c Change) row(page *answer.Page) []string {
	thing := c.Thing
	if parts := strings.SplitN(thing, ":", 6); parts[0] == "arn" && len(parts) == 6 {
		thing = parts[5]
	}
	row := []string{page.Paint(colors[c.Sign], c.Sign), thing, c.What}
	if page.Wide() {
		row = append(row, c.Call)
	}
	return row
}

// words say the counts; as a bound, if there may be more.
func (n Counts) words(more string) string {
	least := ""
	if more != "" {
		least, more = "At least ", " "+more
	}
	if n.Adds+n.Changes+n.Takes == 0 {
		return fmt.Sprintf("Nothing would change. %s%d state transitions.%s", least, n.States, more)
	}
	cost := "no monthly cost of its own"
	if n.Monthly != 0 {
		cost = fmt.Sprintf("%+.2f USD a month at the list price of US East, without traffic", n.Monthly)
	}
	return fmt.Sprintf("%s%d to add, %d to change, %d to take away: %d AWS calls that change something, %d state transitions, %s.%s", least, n.Adds, n.Changes, n.Takes, n.Calls, n.States, cost, more)
}

// Text implements [answer.Document].
func (c Comparison) Text(page *answer.Page) {
	head(page, c.Hub, c.Mode)
	page.Say("plan    ", "if %s were the policy", c.File)
	as := "under the policy in force"
	if len(c.InForce) > 0 {
		as = "they stand"
		page.Say("against ", "what stands by the ledger: this version cannot read the policy in force")
		for n, problem := range c.InForce {
			if n == named {
				page.Say("        ", "and %d more", len(c.InForce)-n)
				break
			}
			page.Say("        ", "%s", problem)
		}
	}
	for _, e := range c.Connections {
		page.Title(fmt.Sprintf("%s %s", e.ID, e.Effect))
		if len(e.Between) > 0 {
			page.Say("  between ", "%s", strings.Join(e.Between, " and "))
		}
		words := e.Now + " now, " + e.Then + " then"
		if e.Paths[0] != e.Paths[1] {
			words += fmt.Sprintf("; %s now, %d then", fit.Count(e.Paths[0], "path"), e.Paths[1])
		}
		if e.Reason != "" {
			words += ": " + e.Reason
		}
		page.Say("  ends    ", "%s", words)
		for _, t := range e.Tells {
			page.Say("  tells   ", "%s", t)
		}
		var rows [][]string
		for _, t := range e.Loses {
			rows = append(rows, []string{page.Paint(answer.Bad, "-"), t})
		}
		for _, t := range e.Gains {
			rows = append(rows, []string{page.Paint(answer.Good, "+"), t})
		}
		page.Table("  ", []string{" ", "thing"}, rows)
	}
	page.Gap()
	for _, u := range c.Unplanned {
		page.Say("? ", "not planned: %s", u)
	}
	if c.Empty() {
		page.Say("", "Nothing would become otherwise: %d are as %s.", c.Same, as)
		return
	}
	n := c.Counts
	page.Say("", "%d appear, %d go, %d widen, %d narrow, %d differ; %d are as %s.", n.Appear, n.Go, n.Widen, n.Narrow, n.Differ, c.Same, as)
	if n.Go > c.Room {
		page.Say("", "%d of those that go may go at once; the brake holds back %d until a person decides (docs/runbook.md#braked).", c.Room, n.Go-c.Room)
	}
}
