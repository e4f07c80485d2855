package picture

import "github.com/drawbridge-cloud/drawbridge/pkg/fit"

// Rect is a place in the drawing, in pixels at full size.
type Rect struct{ X, Y, W, H int }

// Inside reports whether r lies in o.
func (r Rect) Inside(o Rect) bool {
	return r.X >= o.X && r.Y >= o.Y && r.X+r.W <= o.X+o.W && r.Y+r.H <= o.Y+o.H
}

// Meets reports whether two places have something in common.
func (r Rect) Meets(o Rect) bool {
	return r.X < o.X+o.W && o.X < r.X+r.W && r.Y < o.Y+o.H && o.Y < r.Y+r.H
}

// Box is something with others in it.
type Box struct {
	Rect
	Kind   string // organization, unit, account or network
	Of     int    // its place in the document's list; of the organization 0
	Parent int    // the box that it is in; -1: none
	More   string // what is in it and not drawn, in words
}

// Chip is a client, a database, or a connection with one side.
type Chip struct {
	Rect
	Kind string // client, database or entry
	Of   int    // its place in the document's list of ends, or of connections
	Box  int    // the network that it is in
}

// Layout says where everything is. Boxes stand before those in them.
type Layout struct {
	Width, Height int
	Boxes         []Box
	Chips         []Chip
	Lines         []Line
}

// The measures of the drawing, in pixels.
const (
	margin   = 16  // around all
	pad      = 12  // between a box and what is in it
	between  = 14  // between networks, accounts of different rows, chips and their columns
	aside    = 132 // between accounts beside each other: lines and their marks go there
	apart    = 64  // between units beside each other
	header   = 44  // of an account and of a network: two lines of text
	title    = 30  // of a unit
	chipW    = 176
	chipH    = 26
	narrow   = 900 // no row of accounts is narrower than this before it is broken
	empty    = 120 // width of a box that has nothing in it
	foot     = 20  // of a unit with accounts that are not drawn
	columns  = 2   // of chips: clients, databases
	chipStep = chipH + 8
)

// tree is a box, or a chip, before it has a place.
type tree struct {
	box      Box
	chips    [columns][]Chip
	children []*tree
	gap      int // between children beside each other
	top      int // height of its header
	rows     bool
	w, h     int
	at       [][2]int // of children, from its corner
}

// Lay places a document: boxes in boxes, in the document's order, in rows that are about as wide as all is high; then lines, with their marks. It depends on
// nothing but the document.
func Lay(m Map) Layout {
	root := grow(m)
	root.measure()
	l := Layout{Width: root.w + 2*margin, Height: root.h + 2*margin}
	root.place(&l, margin, margin, -1)
	l.draw(m)
	return l
}

// grow makes the tree of a document: the organization, its units in one another, their accounts, their networks, their chips.
func grow(m Map) *tree {
	root := &tree{box: Box{Kind: "organization"}, gap: apart, top: title, rows: true}
	units, accounts := map[string]*tree{"": root}, map[string]*tree{}
	for n, u := range m.Units {
		t := &tree{box: Box{Kind: "unit", Of: n, More: quiet(u.Quiet)}, gap: aside, top: title, rows: true}
		units[u.ID] = t
	}
	for n, a := range m.Accounts {
		t := &tree{box: Box{Kind: "account", Of: n}, gap: between, top: header}
		accounts[a.ID] = t
		up := units[a.Unit]
		if up == nil {
			up = root
		}
		up.children, up.gap = append(up.children, t), aside
	}
	for _, u := range m.Units { // after their accounts
		up := units[u.Parent]
		if up == nil {
			up = root
		}
		up.children = append(up.children, units[u.ID])
	}
	networks := make([]*tree, len(m.Networks))
	for n, one := range m.Networks {
		networks[n] = &tree{box: Box{Kind: "network", Of: n}, top: header}
		if up := accounts[one.Account]; up != nil {
			up.children = append(up.children, networks[n])
		}
	}
	for n, e := range m.Ends {
		column := 0
		if e.Role == "database" {
			column = 1
		}
		t := networks[e.Network]
		t.chips[column] = append(t.chips[column], Chip{Kind: e.Role, Of: n})
	}
	for n, c := range m.Connections {
		if len(c.Sides) == 1 && len(c.Paths) == 0 {
			t := networks[c.Sides[0]]
			t.chips[0] = append(t.chips[0], Chip{Kind: "entry", Of: n})
		}
	}
	return root
}

// measure gives a tree and all in it their sizes, and its children their places.
func (t *tree) measure() {
	if len(t.children) == 0 {
		wide, high := 0, 0
		for _, c := range t.chips {
			if len(c) > 0 {
				wide += chipW + between
				high = max(high, len(c)*chipStep-chipStep+chipH)
			}
		}
		t.w, t.h = max(wide-between, chipW)+2*pad, t.top+high+pad
		if wide == 0 {
			t.h = t.top + pad/2
		}
		return
	}
	area, widest := 0, empty
	for _, c := range t.children {
		c.measure()
		area += (c.w + t.gap) * (c.h + between)
		widest = max(widest, c.w)
	}
	limit := widest
	if t.rows {
		limit = max(limit, narrow, root(area)*4/3)
	}
	x, y, high := 0, 0, 0
	t.at = make([][2]int, len(t.children))
	for n, c := range t.children {
		if x > 0 && x+c.w > limit || x > 0 && !t.rows {
			x, y, high = 0, y+high+between, 0
		}
		t.at[n] = [2]int{pad + x, t.top + y}
		t.w = max(t.w, x+c.w+2*pad)
		x, high = x+c.w+t.gap, max(high, c.h)
	}
	t.h = t.top + y + high + pad
	if t.box.More != "" {
		t.h += foot
	}
}

// place puts a tree with its corner at x, y into a layout.
func (t *tree) place(l *Layout, x, y, parent int) {
	t.box.Rect, t.box.Parent = Rect{x, y, t.w, t.h}, parent
	me := len(l.Boxes)
	l.Boxes = append(l.Boxes, t.box)
	for n, c := range t.children {
		c.place(l, x+t.at[n][0], y+t.at[n][1], me)
	}
	left := x + pad
	for _, column := range t.chips {
		for n, c := range column {
			c.Rect, c.Box = Rect{left, y + t.top + n*chipStep, chipW, chipH}, me
			l.Chips = append(l.Chips, c)
		}
		if len(column) > 0 {
			left += chipW + between
		}
	}
}

// root is the whole square root.
func root(n int) int {
	r := 0
	for bit := 1 << 20; bit > 0; bit >>= 1 {
		if (r+bit)*(r+bit) <= n {
			r += bit
		}
	}
	return r
}

// quiet says how many accounts of a unit are not drawn.
func quiet(n int) string {
	if n == 0 {
		return ""
	}
	return "and " + fit.Count(n, "account") + " without connections"
}
