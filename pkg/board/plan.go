package board

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Rows is what was read of a ledger. The zero value has nothing.
type Rows struct {
	entries []ledger.Connection
	items   []ledger.Item // sorted only by [Rows.Items]
	leases  map[string]ledger.Lease
	held    []hold.Kept
	braked  []brake.Waiting
	words   map[string][]ledger.Word
}

// Add takes one row, of whatever kind; rows that say nothing to a board are passed over.
func (r *Rows) Add(row ledger.Row) error {
	if c, ok, err := row.Connection(); ok || err != nil {
		r.entries = append(r.entries, c)
		return err
	}
	if w, ok, err := row.Word(); ok || err != nil {
		if r.words == nil {
			r.words = map[string][]ledger.Word{}
		}
		r.words[w.Thing] = append(r.words[w.Thing], w)
		return err
	}
	if i, ok, err := row.Item(); ok || err != nil {
		r.items = append(r.items, i)
		return err
	}
	if name, l, ok, err := row.Lease(); ok || err != nil {
		if r.leases == nil {
			r.leases = map[string]ledger.Lease{}
		}
		r.leases[name] = l
		return err
	}
	if k, ok, err := hold.Of(row); ok || err != nil {
		r.held = append(r.held, k)
		return err
	}
	w, ok, err := brake.Of(row)
	if ok {
		r.braked = append(r.braked, w)
	}
	return err
}

// rank is the place of a kind in a board; one that nobody knows is the last.
func rank(kind road.Kind) int {
	kinds := road.Kinds()
	if n := slices.Index(kinds, kind); n >= 0 {
		return n
	}
	return len(kinds)
}

// Of makes the board of what was read.
func Of(r Rows, at time.Time) Board {
	b := Board{Head: answer.HeadOf("Status"), At: at.UTC(), Entries: []Line{}, Held: r.heldAll(), Health: []Check{}}
	items := r.ByEntry()
	for _, c := range r.entries {
		l := r.line(c, items[c.ID])
		if standing(l.State) {
			b.Standing++
		}
		b.Entries = append(b.Entries, l)
	}
	slices.SortFunc(b.Entries, func(a, c Line) int {
		return cmp.Or(rank(a.Kind)-rank(c.Kind), cmp.Compare(a.Kind, c.Kind), strings.Compare(a.State, c.State), strings.Compare(a.ID, c.ID))
	})
	return b
}

// EntryOf makes the answer about one entry, and reports whether there is one.
func EntryOf(r Rows, id string, at time.Time) (Entry, bool) {
	c, ok := r.Entry(id)
	if !ok {
		return Entry{}, false
	}
	items := r.itemsOf(id)
	return Entry{Head: answer.HeadOf("Entry"), At: at.UTC(), Line: r.line(c, items), Items: items, Held: r.HeldBack(id), Told: c.Told}, true
}

// about reports whether what is held back is about an entry: its id is among the words that name the thing.
func about(thing, id string) bool { return slices.Contains(strings.Fields(thing), id) }

// standing reports whether something may stand in the members of an entry in a state.
func standing(state string) bool {
	return sweep.Standing(ledger.Connection{Status: ledger.Status(state)})
}

// words names an item: what it is, and where.
func words(i ledger.Item) string {
	return fmt.Sprintf("%s %s of %s in %s %s", i.Kind, i.Key, i.Resource, i.Account, i.Region)
}

// ByEntry returns the items of each entry, by its id: those that it needs, or needed last.
func (r Rows) ByEntry() map[string][]ledger.Item {
	out := map[string][]ledger.Item{}
	for _, i := range r.items {
		for _, id := range i.Needed {
			out[id] = append(out[id], i)
		}
		if i.For != "" && !i.NeededBy(i.For) {
			out[i.For] = append(out[i.For], i)
		}
	}
	for _, items := range out {
		order(items)
	}
	return out
}

func (r Rows) itemsOf(id string) []ledger.Item {
	out := []ledger.Item{}
	for _, i := range r.items {
		if i.NeededBy(id) || i.For == id {
			out = append(out, i)
		}
	}
	order(out)
	return out
}

func order(items []ledger.Item) {
	slices.SortFunc(items, func(a, b ledger.Item) int {
		return cmp.Or(strings.Compare(a.Place(), b.Place()), strings.Compare(a.Resource, b.Resource), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Key, b.Key))
	})
}

func (r Rows) line(c ledger.Connection, items []ledger.Item) Line {
	l := Line{ID: c.ID, Kind: c.Kind, State: string(c.Status), Reason: c.Reason, Sides: append([]ledger.Side{}, c.Sides...), Asked: c.Asked, Origin: string(c.Origin),
		Policy: c.Policy, Approved: len(c.Approval.Covered), Since: c.Since, At: c.At, Until: c.Until, Paths: c.Paths, Overruled: c.Overruled}
	if w, ok := Approver(c, r.Words(c.ID)); ok {
		l.ApprovedBy, l.ApprovedAt = w.By.Who, w.At
	}
	for _, i := range items {
		l.Items++
		if i.State == ledger.Contested {
			l.Contested = append(l.Contested, words(i))
		}
	}
	if lease, ok := r.leases[c.ID]; ok && lease.Holder != "" {
		l.Working = &lease
	}
	if n := slices.IndexFunc(r.braked, func(w brake.Waiting) bool { return w.ID == c.ID }); n >= 0 {
		l.braked, l.Waits = true, "a person decides whether it is taken away: "+r.braked[n].Cause
		return l
	}
	switch workflow.Result(c.Status) {
	case workflow.AwaitingApproval:
		l.Waits = "its owner has to approve it"
	case workflow.PendingApproval:
		l.Waits = "what came later has to be approved by its owner"
	default:
		return l
	}
	l.By, l.Command = answering(c)
	l.Shown = c.Approval.Shown
	return l
}

// approves reports whether the value of an answer's tag says yes; people write it in any case, with blanks.
func approves(value string) bool { return cover.Yes(strings.ToLower(strings.TrimSpace(value))) }

// answered are the kinds of things that carry the answer to a question; the other kinds of entries ask nobody.
var answered = map[road.Kind]tag.Kind{road.Peering: tag.Peering, road.Attachment: tag.Attachment,
	road.Transit: "", road.DataAPI: "", road.DataAPIEndpoint: "", road.Studio: "", road.PrivateNotebooks: "", road.Share: ""}

// answering is the command by which the owner who is asked approves what the last question showed, and their account.
func answering(c ledger.Connection) (account string, command []string) {
	kind := answered[c.Kind]
	if kind == "" {
		return "", nil
	}
	n := slices.IndexFunc(c.Sides, func(s ledger.Side) bool { return s.Role == "accepter" })
	if n < 0 {
		return "", nil
	}
	asked, shown := c.Sides[n], c.Approval.Shown
	if len(shown) == 0 {
		shown = c.Approval.First
	}
	call := deed.Tag(deed.Thing{Kind: kind, ID: c.ID, Account: asked.Account, Region: asked.Region}, tag.Approval, cover.Answer(c.Approval, shown))
	return call.Account, call.Command
}

func (r Rows) heldAll() []Held {
	out := []Held{}
	for _, k := range r.held {
		out = append(out, Held{Thing: k.Thing, Machine: k.Machine, End: string(k.End), Reason: k.Reason, Changes: k.Changes, Since: k.Since})
	}
	for _, w := range r.braked {
		if !slices.ContainsFunc(out, func(h Held) bool { return h.End == string(mode.Braked) && about(h.Thing, w.ID) }) {
			out = append(out, Held{Thing: w.ID, End: string(mode.Braked), Reason: w.Cause, Since: w.At})
		}
	}
	slices.SortFunc(out, func(a, b Held) int {
		return cmp.Or(strings.Compare(a.End, b.End), strings.Compare(a.Machine, b.Machine), strings.Compare(a.Thing, b.Thing))
	})
	return out
}

// Counts returns how many entries there are of each kind and state, "Connected 3", by kind.
func (b Board) Counts() [][2]string {
	var out [][2]string
	for n := 0; n < len(b.Entries); {
		kind := b.Entries[n].Kind
		var words []string
		for n < len(b.Entries) && b.Entries[n].Kind == kind {
			state, from := b.Entries[n].State, n
			for n < len(b.Entries) && b.Entries[n].Kind == kind && b.Entries[n].State == state {
				n++
			}
			words = append(words, fmt.Sprintf("%d %s", n-from, cmp.Or(state, "begun")))
		}
		out = append(out, [2]string{string(kind), strings.Join(words, ", ")})
	}
	return out
}

// Keeps are the sentences about owners who keep nothing out, sorted.
func (l Line) Keeps() []string {
	var out []string
	for _, account := range slices.Sorted(maps.Keys(l.Overruled)) {
		out = append(out, fmt.Sprintf("nothing of account %s, as policy %s forbids it", account, l.Overruled[account]))
	}
	return out
}
