package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Of makes the history of a connection, of what was read of the ledger and of executions that were about it.
func Of(r board.Rows, id string, executions []Execution, looked Looked, at time.Time) History {
	h := History{Head: answer.HeadOf("History"), ID: id, At: at.UTC(), Events: []Event{}}
	c, managed := r.Entry(id)
	h.Managed = managed
	words := r.Words(id)
	h.Events = append(h.Events, past(c, r.Items(id), words)...)
	if l, ok := r.Lease(id); ok {
		h.Events = append(h.Events, Event{At: l.Since.UTC(), Hand: Drawbridge, What: "working", Detail: "is at it now, by " + cmp.Or(l.Event, "no event"), Execution: l.Holder, Source: "ledger"})
	}
	for _, held := range r.HeldBack(id) {
		h.Events = append(h.Events, Event{At: held.Since.UTC(), Hand: Drawbridge, What: "held", Detail: held.End + ": " + held.Reason, Things: held.Changes, Source: "ledger"})
	}
	for _, e := range executions {
		h.Events = append(h.Events, ran(e))
		for n, state := range h.Events { // what the execution said of its end is not said twice
			if state.What == "state" && e.Result == string(c.Status) && e.Reason == c.Reason {
				h.Events[n].Detail = strings.Join(append([]string{"stands as " + e.Result}, named(c)...), ", ")
			}
		}
	}
	slices.SortStableFunc(h.Events, compare)
	_, approver := board.Approver(c, words)
	h.NotRecorded = unrecorded(c, managed, approver, looked)
	return h
}

// past is what the ledger itself has of a connection's past: how it began, what owners said, what was added and by whom it was undone, how it stands. Of
// what has no entry, which the zero value of c is, only what was said and what is left.
func past(c ledger.Connection, items []ledger.Item, words []ledger.Word) []Event {
	var out []Event
	if c.ID != "" {
		out = append(out, begun(c)...)
	}
	for _, w := range words {
		out = append(out, said(w))
	}
	out = append(append(out, written(items)...), hands(items)...)
	if c.ID != "" {
		out = append(out, now(c)...)
	}
	slices.SortStableFunc(out, compare)
	return out
}

// Pasts returns what the ledger has of the past of all its entries, by their ids, the oldest first: as [Of] tells it of one.
func Pasts(r board.Rows) map[string][]Event {
	items, out := r.ByEntry(), map[string][]Event{}
	for _, c := range r.Entries() {
		out[c.ID] = past(c, items[c.ID], r.Words(c.ID))
	}
	return out
}

// compare puts the oldest first, and what has no time last.
func compare(a, b Event) int {
	if a.At.IsZero() != b.At.IsZero() {
		return map[bool]int{true: 1, false: -1}[a.At.IsZero()]
	}
	return a.At.Compare(b.At)
}

// begun is how an entry came to be.
func begun(c ledger.Connection) []Event {
	side := func(e Event) Event {
		if len(c.Sides) > 0 {
			e.Account, e.Region = c.Sides[0].Account, c.Sides[0].Region
		}
		return e
	}
	var out []Event
	if c.Asked != "" {
		out = append(out, side(Event{At: c.Since.UTC(), Hand: Owner, Who: c.Asked, What: "asked", Detail: "asked for it", Source: "ledger"}))
	}
	return append(out, Event{At: c.Since.UTC(), Hand: Drawbridge, What: "began", Detail: "began to manage it: " + string(c.Origin), Source: "ledger"})
}

// said is what an owner said.
func said(w ledger.Word) Event {
	detail := w.Said + "=" + w.Value
	switch {
	case !strings.Contains(w.Said, ":"): // a call
		detail = "accepted it by hand"
	case w.Value == "":
		detail = "took the tag " + w.Said + " away"
	}
	return Event{At: w.At.UTC(), Hand: Owner, Who: w.By.Who, Tool: w.By.Tool, What: "said", Detail: detail, Account: w.Account, Region: w.Region, Source: "ledger"}
}

// deeds are what the states of items say that Drawbridge did.
var deeds = map[ledger.State][2]string{
	ledger.Intended: {"intended", "is about to add, or was and failed"}, ledger.Wanted: {"wanted", "would need, but another way serves"},
	ledger.Leaving: {"taking-back", "is taking back"}, ledger.Contested: {"contested", "left to who took it away"},
}

// written are the items, those that one execution brought to one state in one place together.
func written(items []ledger.Item) []Event {
	var out []Event
	at := map[string]int{}
	for _, i := range items {
		deed, ok := deeds[i.State]
		if !ok {
			if deed = [2]string{"added", "added"}; i.Before != "" {
				deed = [2]string{"changed", "changed"}
			}
		}
		key := strings.Join([]string{deed[0], i.By, i.Place(), string(i.Kind)}, " ")
		n, known := at[key]
		if !known {
			n = len(out)
			at[key] = n
			out = append(out, Event{Hand: Drawbridge, What: deed[0], Detail: deed[1] + " " + string(i.Kind), Account: i.Account, Region: i.Region, Execution: i.By, Source: "ledger"})
		}
		e := &out[n]
		if i.At.After(e.At) {
			e.At = i.At.UTC()
		}
		thing := strings.TrimSpace(i.Resource + " " + i.Key)
		if i.Before != "" {
			thing += ", which was " + i.Before
		}
		e.Things = append(e.Things, thing)
	}
	return out
}

// hands are what others did to items.
func hands(items []ledger.Item) []Event {
	var out []Event
	for _, i := range items {
		thing := strings.TrimSpace(string(i.Kind) + " " + i.Resource + " " + i.Key)
		event := Event{Hand: Foreign, Account: i.Account, Region: i.Region, Things: []string{thing}, Source: "ledger"}
		if i.Taken > 0 {
			e := event
			e.What, e.Who, e.Tool, e.Detail = "taken", i.TakenBy.Who, i.TakenBy.Tool, fmt.Sprintf("took it away, %s so far", times(i.Taken))
			if i.Seen == i.TakenBy {
				e.At = i.SeenAt.UTC()
			}
			out = append(out, e)
		}
		if i.Seen.Who != "" && (i.Taken == 0 || i.Seen != i.TakenBy) {
			e := event
			e.What, e.Who, e.Tool, e.At, e.Detail = "touched", i.Seen.Who, i.Seen.Tool, i.SeenAt.UTC(), "was the last at it"
			out = append(out, e)
		}
	}
	return out
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// now is how an entry stands.
func now(c ledger.Connection) []Event {
	var out []Event
	for _, account := range sorted(c.Untagged) {
		u := c.Untagged[account]
		out = append(out, Event{Hand: Foreign, Who: u.By.Who, Tool: u.By.Tool, What: "untagged", Detail: "took the status tags away, " + times(u.Times) + " so far", Account: account, Source: "ledger"})
	}
	if c.Status == "" {
		return out
	}
	detail := string(c.Status)
	for _, more := range []string{c.Reason, policy(c)} {
		if more != "" {
			detail += ": " + more
		}
	}
	return append(out, Event{At: c.At.UTC(), Hand: Drawbridge, What: "state", Detail: detail, Source: "ledger"})
}

// named is the policy that decided about an entry, if one did.
func named(c ledger.Connection) []string {
	if p := policy(c); p != "" {
		return []string{"by " + p}
	}
	return nil
}

func policy(c ledger.Connection) string {
	if c.Policy == "" {
		return ""
	}
	return "policy " + c.Policy
}

func sorted(m map[string]ledger.Untagged) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// ran is an execution, when it ended; one that runs, when it began.
func ran(e Execution) Event {
	detail := cmp.Or(e.Event, "no event that can be read") + ": " + cmp.Or(e.Result, e.Status)
	if e.Reason != "" {
		detail += ": " + e.Reason
	}
	at := e.Ended
	if at.IsZero() {
		at = e.Began
	}
	return Event{At: at.UTC(), Hand: Drawbridge, What: "execution", Detail: detail, Execution: e.Name, Source: "execution", reason: e.Reason}
}

// unrecorded says what nobody wrote down, or what was not read.
func unrecorded(c ledger.Connection, managed, approver bool, looked Looked) []string {
	out := []string{"The ledger has the last state of each thing, not those before it, nor things that were taken back. CloudTrail has each call: those of the roles drawbridge-member-… are Drawbridge's, with the execution as the session's name."}
	if !managed {
		out = append(out, "The ledger has no entry of it. What it had is forgotten when a connection ends or is let go of.")
	}
	if managed && len(c.Approval.Covered) > 0 && !approver {
		out = append(out, "Who approved it is not recorded: it was before the ledger kept that, or by accepting an attachment by hand.")
	}
	switch {
	case looked.Err != nil:
		out = append(out, fmt.Sprintf("Executions were not read: %v", looked.Err))
	case looked.More:
		out = append(out, fmt.Sprintf("Of %s the newest %d executions were looked through; --executions looks at more.", looked.Machine, looked.Count))
	case looked.Machine != "":
		out = append(out, fmt.Sprintf("Looked through: %s of %s, all that Step Functions has. It keeps each for 90 days.", fit.Count(looked.Count, "execution"), looked.Machine))
	}
	return out
}
