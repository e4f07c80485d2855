package picture

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
)

// colors are the looks' colours on a terminal.
var colors = map[Look]string{Holds: answer.Good, Broken: answer.Bad, Waits: answer.Unsure, Unknown: answer.Unsure}

// Text implements [answer.Document]: the boxes of the drawing as a tree, in the drawing's order, then the connections, each with its paths.
func (m Map) Text(p *answer.Page) {
	p.Say("", "%s", m.Sentence())
	for _, u := range m.Unread {
		p.Say("? ", "%s", clean(u))
	}
	root := grow(m)
	title := "accounts"
	if m.Organization != "" {
		title = "organization " + m.Organization
	}
	p.Title(clean(title))
	m.tree(p, root, "")
	if len(m.Connections) == 0 {
		return
	}
	p.Title("Connections")
	for _, c := range m.Connections {
		m.connection(p, c)
	}
}

// tree writes what is in a box.
func (m Map) tree(p *answer.Page, t *tree, lead string) {
	type row struct {
		words string
		below *tree
	}
	var rows []row
	for _, c := range t.children {
		rows = append(rows, row{m.box(c.box), c})
	}
	for _, column := range t.chips {
		for _, c := range column {
			rows = append(rows, row{m.chip(c), nil})
		}
	}
	if t.box.More != "" {
		rows = append(rows, row{t.box.More, nil})
	}
	for n, r := range rows {
		here, below := "├─ ", "│  "
		if n == len(rows)-1 {
			here, below = "└─ ", "   "
		}
		p.Say(lead+here, "%s", clean(r.words))
		if r.below != nil {
			m.tree(p, r.below, lead+below)
		}
	}
}

func (m Map) box(b Box) string {
	switch b.Kind {
	case "unit":
		return "unit " + cmp.Or(m.Units[b.Of].Name, m.Units[b.Of].ID)
	case "account":
		a := m.Accounts[b.Of]
		return strings.TrimSpace("account " + a.ID + " " + a.Name)
	}
	n := m.Networks[b.Of]
	return strings.Join(append([]string{n.ID, n.Region}, n.CIDRs...), " ")
}

func (m Map) chip(c Chip) string {
	if c.Kind == "entry" {
		e := m.Connections[c.Of]
		return fmt.Sprintf("%s %s %s", e.Look.Mark(), e.Kind, cmp.Or(e.State, "begun"))
	}
	return c.Kind + " " + m.Ends[c.Of].Name
}

func (m Map) connection(p *answer.Page, c Connection) {
	mark := p.Paint(colors[c.Look], c.Look.Mark())
	p.Say(mark+" ", "%s", clean(fmt.Sprintf("%s %s: %s", c.Kind, c.ID, cmp.Or(c.State, "begun"))))
	for _, one := range c.Paths {
		p.Say("    ", "%s", clean(m.way(one)))
	}
	if rest := c.All - len(c.Paths); rest > 0 {
		p.Say("    ", "and %d more paths", rest)
	}
	if len(c.Paths) == 0 && len(c.Sides) > 1 {
		var sides []string
		for _, s := range c.Sides {
			sides = append(sides, m.Networks[s].Account+" "+m.Networks[s].ID)
		}
		p.Say("    ", "%s", clean(strings.Join(sides, " ── ")))
	}
	if c.Waits != "" {
		p.Say("    ! ", "%s", clean(c.Waits))
	}
	for _, one := range c.Contested {
		p.Say("    ✗ ", "somebody took away %s", clean(one))
	}
}

// way is one path: the line breaks where the path does.
func (m Map) way(one Path) string {
	from, to := m.Ends[one.Client].Name, fmt.Sprintf("%s:%d", m.Ends[one.Database].Name, one.Port)
	switch mark := one.Look.Mark(); {
	case one.Hop == "":
		return fmt.Sprintf("%s ──%s──▶ %s", from, mark, to)
	case broken(one.Hop) <= 300:
		return fmt.Sprintf("%s ─%s %s┄┄┄▶ %s", from, mark, one.Hop, to)
	case broken(one.Hop) >= 700:
		return fmt.Sprintf("%s ────%s %s┄▶ %s", from, mark, one.Hop, to)
	default:
		return fmt.Sprintf("%s ──%s %s┄┄▶ %s", from, mark, one.Hop, to)
	}
}

// clean leaves out what would move a terminal's cursor, or turn text around.
func clean(s string) string { return cut(s, 1<<20) }
