package deed

import (
	"cmp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// PolicyTest is the answer of drawbridge policy test.
type PolicyTest struct {
	answer.Head
	File     string   `json:"file"`
	Valid    bool     `json:"valid" jsonschema:"whether Drawbridge can read it"`
	Problems []string `json:"problems,omitempty" jsonschema:"file:line:column: what is wrong; remedy: what to do"`
	Bytes    int      `json:"bytes"`
	// Against the policy in force, by ids.
	Compared bool     `json:"compared" jsonschema:"whether the policy in force could be read, to compare with"`
	Added    []string `json:"added,omitempty"`
	Gone     []string `json:"gone,omitempty"`
	Changed  []string `json:"changed,omitempty"`
	// Decided are the entries that were decided by a policy that is gone or changed.
	Decided []Decided `json:"decided,omitempty" jsonschema:"what stands by a policy that is gone or changed: each is decided anew by the sweep that a new policy starts"`
}

// Decided is an entry of the ledger with the policy that decided it.
type Decided struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Policy string `json:"policy"`
}

// TestPolicy tests a text as what is put in force would be tested, and compares it with the one that is, if old is one; entries are those of the ledger.
func TestPolicy(file, text string, old *policy.Set, entries []ledger.Connection) PolicyTest {
	out := PolicyTest{Head: answer.HeadOf("PolicyTest"), File: file, Bytes: len(text)}
	set, err := policy.Parse(file, []byte(text))
	if err != nil {
		out.Problems = strings.Split(err.Error(), "\n")
		return out
	}
	out.Valid = true
	if old == nil {
		return out
	}
	out.Compared = true
	out.Added, out.Gone, out.Changed = policy.Diff(old, set)
	for _, c := range entries {
		if slices.Contains(out.Gone, c.Policy) || slices.Contains(out.Changed, c.Policy) {
			out.Decided = append(out.Decided, Decided{ID: c.ID, State: string(c.Status), Policy: c.Policy})
		}
	}
	slices.SortFunc(out.Decided, func(a, b Decided) int {
		return cmp.Or(strings.Compare(a.Policy, b.Policy), strings.Compare(a.ID, b.ID))
	})
	return out
}

// Text implements [answer.Document].
func (d PolicyTest) Text(p *answer.Page) {
	if !d.Valid {
		p.Title(d.File + " cannot be read")
		for _, problem := range d.Problems {
			p.Say("  "+p.Paint(answer.Bad, "✗")+" ", "%s", problem)
		}
		return
	}
	p.Title(d.File + " can be read")
	p.Say("  ", "%d bytes of %d", d.Bytes, policy.MaxSize)
	if !d.Compared {
		p.Say("  ", "The policy in force was not read, so nothing is compared.")
		return
	}
	if len(d.Added)+len(d.Gone)+len(d.Changed) == 0 {
		p.Say("  ", "It says what the policy in force says.")
		return
	}
	for _, part := range []struct {
		what string
		ids  []string
	}{{"new", d.Added}, {"gone", d.Gone}, {"changed", d.Changed}} {
		if len(part.ids) > 0 {
			p.Say("  ", "%s: %s", part.what, strings.Join(part.ids, ", "))
		}
	}
	if len(d.Decided) == 0 {
		p.Say("  ", "Nothing in the ledger was decided by what is gone or changed.")
		return
	}
	p.Title("Decided anew, if it is put in force")
	var rows [][]string
	for _, c := range d.Decided {
		rows = append(rows, []string{c.ID, cmp.Or(c.State, "begun"), c.Policy})
	}
	p.Table("  ", []string{"id", "state", "policy"}, rows)
}

// ApplyPolicy is the deed of an operator who puts a policy in force, as it was tested.
func ApplyPolicy(hub event.Place, t PolicyTest, text string) Deed {
	d := Deed{Title: "Put " + t.File + " in force"}
	if !t.Valid {
		d.Says = append([]string{"It cannot be read, and would stop every execution:"}, t.Problems...)
		return d
	}
	if t.Compared && len(t.Added)+len(t.Gone)+len(t.Changed) == 0 {
		d.Says, d.Already = []string{"It says what the policy in force says."}, true
		return d
	}
	d.Says = []string{"It counts for every execution that starts from now on, and a sweep follows: what it does not allow any more is taken away, as far as the brake lets it. Commit the same text, or the next deployment that changes the policy takes it back."}
	for _, part := range []struct {
		what string
		ids  []string
	}{{"New", t.Added}, {"Gone", t.Gone}, {"Changed", t.Changed}} {
		if len(part.ids) > 0 {
			d.Says = append(d.Says, part.what+": "+strings.Join(part.ids, ", ")+".")
		}
	}
	for _, c := range t.Decided {
		d.Says = append(d.Says, c.ID+", "+cmp.Or(c.State, "begun")+", was decided by "+c.Policy+".")
	}
	d.Calls = []Call{Put(hub, PolicyParameter, text, t.File)}
	return d
}
