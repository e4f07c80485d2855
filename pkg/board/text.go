package board

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// titles are what people call the kinds of entries.
var titles = map[road.Kind]string{road.Peering: "Peerings", road.Transit: "Pairs on a transit gateway", road.Attachment: "Attachments", road.DataAPI: "Data API",
	road.DataAPIEndpoint: "Endpoints for the Data API", road.Studio: "Studio", road.PrivateNotebooks: "Private notebooks", road.Share: "Shares"}

// Text implements [answer.Document].
func (b Board) Text(p *answer.Page) {
	b.Hub.text(p)
	p.Say("mode    ", "%s", b.Mode.words())
	count := fmt.Sprintf("%s; for %d of them, things that Drawbridge added may stand", fit.Count(len(b.Entries), "connection"), b.Standing)
	if len(b.Entries) == 0 {
		count = "no entries: nobody asked for anything yet"
	}
	p.Say("ledger  ", "%s", count)
	for n := 0; n < len(b.Entries); {
		kind, from := b.Entries[n].Kind, n
		for n < len(b.Entries) && b.Entries[n].Kind == kind {
			n++
		}
		b.section(p, kind, b.Entries[from:n])
	}
	b.attention(p)
	b.accounts(p)
	b.swept(p)
}

func (h Hub) text(p *answer.Page) {
	where := fmt.Sprintf("account %s, %s, table %s", h.Account, h.Region, h.Table)
	if h.Stack != "" {
		where += " of stack " + h.Stack
	}
	p.Say("hub     ", "%s", where)
}

func (m Mode) words() string {
	switch {
	case m.Mode == "":
		return "not known: it could not be read"
	case m.Why != "":
		return m.Mode + ": " + m.Why
	}
	return m.Mode
}

// section writes the entries of one kind. Where there is room, it says who asked and why it is so.
func (b Board) section(p *answer.Page, kind road.Kind, lines []Line) {
	p.Title(cmp.Or(titles[kind], string(kind)))
	head := []string{"id", "state", "path", "age", "from", "to"}
	if p.Wide() {
		head = append(head, "asked by", "approved by", "things", "reason")
	}
	var rows [][]string
	for _, l := range lines {
		from, to := l.ends()
		state := cmp.Or(l.State, "begun")
		row := []string{short(l.ID, p.Wide()), p.Paint(l.color(), state), l.whole(), answer.Age(cmp.Or(l.At, l.Since), b.At), from, to}
		if p.Wide() {
			row = append(row, answer.Called(l.Asked), answer.Called(l.ApprovedBy), fmt.Sprint(l.Items), l.Reason)
		}
		rows = append(rows, row)
	}
	p.Table("  ", head, rows)
}

// short is an id without what a table of 80 columns says elsewhere: of an ARN its resource.
func short(id string, whole bool) string {
	if parts := strings.SplitN(id, ":", 6); !whole && parts[0] == "arn" && len(parts) == 6 {
		return parts[5]
	}
	return id
}

func (l Line) color() string {
	switch {
	case l.Waits != "" || len(l.Contested) > 0 || l.State == "":
		return answer.Unsure
	case l.Fine():
		return answer.Good
	}
	return answer.Bad
}

// whole is how many paths are whole, of how many that were judged: "1/2". A path that nobody can judge to the end is not whole.
func (l Line) whole() string {
	if l.Paths.All == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", l.Paths.Whole, l.Paths.All)
}

// ends are the accounts of who reaches and of what is reached: of an entry's first and last side; of a database that lets accounts in, those of its paths.
func (l Line) ends() (from, to string) {
	switch {
	case len(l.Sides) == 0:
		return "", ""
	case l.Sides[0].Role == "producer":
		var callers []string
		for _, p := range l.Paths.Lines {
			callers = append(callers, p.Client.Account)
		}
		slices.Sort(callers)
		if callers = slices.Compact(callers); len(callers) > 0 {
			from = callers[0]
		}
		if more := len(callers) - 1; more > 0 {
			from += fmt.Sprintf(" and %d", more)
		}
		return from, l.Sides[0].Account
	case len(l.Sides) == 1:
		return l.Sides[0].Account, ""
	}
	return l.Sides[0].Account, l.Sides[len(l.Sides)-1].Account
}

// attention says what needs somebody, and what they do.
func (b Board) attention(p *answer.Page) {
	titled := false
	title := func() {
		if !titled {
			p.Title("Needs somebody")
		}
		titled = true
	}
	for _, l := range b.Entries {
		if l.Waits == "" && !l.Broken() {
			continue
		}
		title()
		l.attention(p)
	}
	planned := false
	for _, h := range b.Held {
		title()
		h.text(p)
		planned = planned || h.End == string(mode.Planned) || h.End == string(mode.Kept)
	}
	if planned {
		p.Say("  ", "What exactly, call by call: drawbridge plan for all, drawbridge plan ID for one.")
	}
}

func (l Line) attention(p *answer.Page) {
	if l.Waits != "" && !l.braked {
		p.Say("  ", "%s: %s", l.ID, l.Waits)
	}
	if len(l.Command) > 0 {
		p.Say("    ", "in account %s:", l.By)
		p.Command("      ", l.Command)
	}
	if len(l.Contested) == 0 && l.Waits == "" && l.Broken() {
		says := l.State
		if l.Paths.All > 0 {
			says += fmt.Sprintf(", %d of %s whole", l.Paths.Whole, fit.Count(l.Paths.All, "path"))
		}
		p.Say("  ", "%s: %s; what is in the way: drawbridge status %s", l.ID, says, l.ID)
	}
	for _, c := range l.Contested {
		p.Say("  ", "%s: somebody took away %s; it is left to them (docs/runbook.md#contested)", l.ID, c)
	}
}

func (h Held) text(p *answer.Page) {
	p.Say("  ", "%s: %s: %s", h.Thing, h.End, h.Reason)
	for n, c := range h.Changes {
		if n == 5 && len(h.Changes) > 6 {
			p.Say("    ", "and %d more changes", len(h.Changes)-n)
			break
		}
		p.Say("    ~ ", "%s", c)
	}
	p.Say("    ", "what to do: docs/runbook.md#%s", strings.ToLower(h.End))
}

// accounts says what is not well with accounts: what all of them rest on, and those that the last sweep could not read.
func (b Board) accounts(p *answer.Page) {
	if b.Sweep == nil && len(b.Health) == 0 {
		return
	}
	p.Title("Accounts")
	well := true
	for _, c := range b.Health {
		well = well && c.Answer == "yes"
		words := c.Title
		if c.Answer != "yes" {
			words += ": " + c.Detail
		}
		p.Say("  "+p.Mark(c.Answer)+" ", "%s", words)
	}
	if s := b.Sweep; s != nil {
		ago := answer.Age(s.At, b.At)
		missed(p, fmt.Sprintf("The sweep of %s ago read %d of %d accounts wholly", ago, s.Accounts-s.NotSwept, s.Accounts), s.NotSwept, s.Missed)
		missed(p, fmt.Sprintf("All events of %d of %d accounts reached the hub then", s.Accounts-s.NotHeard-s.NotSwept, s.Accounts-s.NotSwept), s.NotHeard, s.Deaf)
		well = well && s.NotSwept+s.NotHeard == 0
	}
	if !well {
		p.Say("    ", "what mends it: drawbridge doctor --account ACCOUNT=PROFILE")
	}
}

// missed says something about accounts, and of which of them it is not true: the first ones of so many.
func missed(p *answer.Page, words string, many int, first []workflow.Missed) {
	mark := "yes"
	if many > 0 {
		mark = "no"
	}
	p.Say("  "+p.Mark(mark)+" ", "%s", words)
	for _, m := range first {
		p.Say("    ", "%s: %s", strings.Join(append([]string{m.Account}, m.Regions...), " "), m.Why)
	}
	if more := many - len(first); more > 0 {
		p.Say("    ", "and %d more", more)
	}
}

func (b Board) swept(p *answer.Page) {
	p.Title("Found, and not given to Drawbridge")
	if b.Sweep == nil {
		p.Say("  ", "No sweep of all accounts has ended lately, so nobody knows: drawbridge sweep starts one.")
		return
	}
	var rows [][]string
	for _, f := range b.Sweep.Found {
		if f.Unmanaged > 0 {
			rows = append(rows, []string{f.Kind, fmt.Sprint(f.Unmanaged), fmt.Sprint(f.Seen), strings.Join(f.Names, " ")})
		}
	}
	p.Table("  ", []string{"kind", "found", "of", "the first of them"}, rows)
	nothing := ""
	if len(rows) == 0 {
		nothing = "nothing, "
	}
	p.Say("  ", "%sas the sweep of %s ago counted.", nothing, answer.Age(b.Sweep.At, b.At))
}

// Text implements [answer.Document].
func (e Entry) Text(p *answer.Page) {
	e.Hub.text(p)
	l := e.Line
	p.Title(l.ID)
	say := func(label, words string) {
		if words != "" {
			p.Say(fmt.Sprintf("  %-10s", label), "%s", words)
		}
	}
	say("kind", string(l.Kind))
	say("state", p.Paint(l.color(), cmp.Or(l.State, "begun"))+ago(l, e))
	say("reason", answer.Clauses(l.Reason))
	for _, s := range l.Sides {
		say(s.Role, sideWords(s))
	}
	say("asked by", l.Asked)
	say("origin", l.Origin+", "+l.Since.UTC().Format("2006-01-02 15:04 MST"))
	say("policy", l.Policy)
	say("kept out", strings.Join(l.Keeps(), "; "))
	var approved []string
	if l.ApprovedBy != "" {
		approved = append(approved, fmt.Sprintf("by %s, %s", l.ApprovedBy, l.ApprovedAt.UTC().Format("2006-01-02 15:04 MST")))
	}
	if l.Approved > 0 {
		approved = append(approved, fmt.Sprintf("%d lines of what the owner was asked", l.Approved))
	}
	say("approved", strings.Join(approved, ": "))
	if !l.Until.IsZero() {
		say("until", l.Until.UTC().Format("2006-01-02 15:04 MST"))
	}
	if l.Working != nil {
		say("working", fmt.Sprintf("execution %s, for %s, by %s", l.Working.Holder, answer.Age(l.Working.Since, e.At), cmp.Or(l.Working.Event, "no event")))
	}
	for n := 0; n < len(e.Items); {
		account, region := e.Items[n].Account, e.Items[n].Region
		var rows [][]string
		for ; n < len(e.Items) && e.Items[n].Account == account && e.Items[n].Region == region; n++ {
			i := e.Items[n]
			rows = append(rows, []string{string(i.Kind), i.Resource, i.Key, p.Paint(itemColor(i), string(i.State)), cmp.Or(i.Before, "nothing")})
		}
		p.Title("Added or changed for it in " + account + " " + region)
		p.Table("  ", []string{"kind", "resource", "key", "state", "before"}, rows)
	}
	if l.Waits != "" || len(l.Contested) > 0 || len(e.Held) > 0 {
		p.Title("Needs somebody")
		l.attention(p)
		for _, h := range e.Held {
			h.text(p)
		}
	}
}

func ago(l Line, e Entry) string {
	if l.At.IsZero() {
		return ""
	}
	return ", for " + answer.Age(l.At, e.At)
}

func itemColor(i ledger.Item) string {
	switch i.State {
	case ledger.Confirmed:
		return answer.Good
	case ledger.Contested:
		return answer.Bad
	}
	return answer.Unsure
}

func sideWords(s ledger.Side) string {
	out := s.Account + " " + s.Region + " " + s.ID
	if len(s.CIDRs) > 0 {
		out += " " + strings.Join(s.CIDRs, ", ")
	}
	if len(s.Participants) > 0 {
		out += ", shared with " + strings.Join(s.Participants, ", ")
	}
	return out
}
