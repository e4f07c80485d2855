package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	_ "embed"

	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// drawing is the style of the drawing, in the page and by itself: light, dark, and light on paper.
//
//go:embed drawing.css
var drawing string

// SVG is the drawing by itself, with its style and a legend. The same document gives the same bytes. It draws in light or dark, as whoever looks
// prefers.
func SVG(m Map) string {
	l := Lay(m)
	const legend = 40
	looks := slices.DeleteFunc(slices.Clone(Looks), func(look Look) bool {
		return !slices.ContainsFunc(l.Lines, func(line Line) bool { return line.Look == look }) &&
			!slices.ContainsFunc(m.Connections, func(c Connection) bool { return c.Look == look })
	})
	room := func(look Look) int { return 60 + smaller*len([]rune(look.Words()))/10 }
	width := margin
	for _, look := range looks {
		width += room(look)
	}
	width = max(width, l.Width)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title desc" class="drawing">`+"\n", width, l.Height+legend, width, l.Height+legend)
	fmt.Fprintf(&b, "<title id=\"title\">What connects</title>\n<desc id=\"desc\">%s</desc>\n<style>%s</style>\n", escape(m.Sentence()), drawing)
	fmt.Fprintf(&b, "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", width, l.Height+legend)
	d := drawer{b: &b, m: m, l: l}
	d.all()
	x := margin
	for _, look := range looks {
		y := l.Height + legend/2 - 4
		fmt.Fprintf(&b, `<g class="line %s"><path class="stroke" d="M%d %dh36"/>`, look, x, y)
		d.mark(look, x+18, y)
		fmt.Fprintf(&b, "<text class=\"sub\" x=\"%d\" y=\"%d\">%s</text></g>\n", x+42, y+4, look.Words())
		x += room(look)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// Sentence says in words what the picture has.
func (m Map) Sentence() string {
	counts := map[Look]int{}
	for _, c := range m.Connections {
		counts[c.Look]++
	}
	var words []string
	for _, look := range Looks {
		if n := counts[look]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, look.Words()))
		}
	}
	if len(m.Connections) == 0 {
		return "0 connections in 0 accounts: nobody asked for anything yet"
	}
	out := fmt.Sprintf("%s in %s", fit.Count(len(m.Connections), "connection"), fit.Count(len(m.Accounts), "account"))
	if len(words) > 0 {
		out += ": " + strings.Join(words, ", ")
	}
	return out
}

// drawer writes what a layout has, as elements of SVG.
type drawer struct {
	b *strings.Builder
	m Map
	l Layout
	// live gives what belongs to a connection a role, a name and a place in the order of Tab.
	live bool
}

// all writes boxes, lines, chips and marks, in this order: what is drawn later lies on top.
func (d *drawer) all() {
	for _, b := range d.l.Boxes {
		d.box(b)
	}
	named := map[int]bool{}
	for n := range d.l.Lines {
		d.line(&d.l.Lines[n], !named[d.l.Lines[n].Connection])
		named[d.l.Lines[n].Connection] = true
	}
	for _, c := range d.l.Chips {
		d.chip(c)
	}
}

func (d *drawer) box(b Box) {
	name, sub, attributes := "", "", ""
	switch b.Kind {
	case "organization":
		if name = "organization " + d.m.Organization; d.m.Organization == "" {
			name = "accounts"
		}
	case "unit":
		u := d.m.Units[b.Of]
		name, attributes = cmp.Or(u.Name, u.ID), fmt.Sprintf(` data-unit="%d"`, b.Of)
	case "account":
		a := d.m.Accounts[b.Of]
		name, sub, attributes = cmp.Or(a.Name, a.ID), a.ID, fmt.Sprintf(` data-account="%d"`, b.Of)
	case "network":
		n := d.m.Networks[b.Of]
		name, attributes = n.ID, fmt.Sprintf(` data-network="%d"`, b.Of)
		sub = strings.Join(append([]string{n.Region}, n.CIDRs...), " ")
	}
	room, small := (b.W-2*pad)*10/letter, (b.W-2*pad)*10/smaller
	fmt.Fprintf(d.b, `<g class="%s"%s><title>%s</title><rect x="%d" y="%d" width="%d" height="%d" rx="6"/>`, b.Kind, attributes, escape(strings.TrimSpace(name+" "+sub)), b.X, b.Y, b.W, b.H)
	fmt.Fprintf(d.b, `<text class="name" x="%d" y="%d">%s</text>`, b.X+pad, b.Y+19, escape(cut(name, room)))
	if sub != "" && sub != name {
		fmt.Fprintf(d.b, `<text class="sub" x="%d" y="%d">%s</text>`, b.X+pad, b.Y+35, escape(cut(sub, small)))
	}
	if b.More != "" {
		fmt.Fprintf(d.b, `<text class="sub" x="%d" y="%d">%s</text>`, b.X+pad, b.Y+b.H-9, escape(cut(b.More, small)))
	}
	d.b.WriteString("</g>\n")
}

// letter is how wide a letter of a name is at most, as a rule, and smaller one of what stands below it, in tenths of a pixel.
const letter, smaller = 72, 62

func (d *drawer) chip(c Chip) {
	name, attributes, class := "", "", c.Kind
	if c.Kind == "entry" {
		e := d.m.Connections[c.Of]
		name, attributes, class = e.Kind+" "+cmp.Or(e.State, "begun"), d.opens(c.Of, true, ""), "entry line "+string(e.Look)
	} else {
		e := d.m.Ends[c.Of]
		name, attributes = e.Name, fmt.Sprintf(` data-end="%d"`, c.Of)
	}
	fmt.Fprintf(d.b, `<g class="chip %s"%s><title>%s</title><rect x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, class, attributes, escape(c.Kind+" "+name), c.X, c.Y, c.W, c.H,
		map[bool]int{true: c.H / 2, false: 4}[c.Kind == "client"])
	fmt.Fprintf(d.b, `<text x="%d" y="%d">%s</text>`, c.X+14, c.Y+17, escape(cut(name, (c.W-40)*10/letter)))
	switch c.Kind {
	case "entry":
		d.mark(d.m.Connections[c.Of].Look, c.X+c.W-14, c.Y+c.H/2)
	case "database": // a drum
		x, y := c.X+c.W-22, c.Y+7
		fmt.Fprintf(d.b, `<path class="sign" d="M%d %dv8a6 2.5 0 0 0 12 0v-8a6 2.5 0 0 0 -12 0a6 2.5 0 0 0 12 0"/>`, x, y+2)
	}
	d.b.WriteString("</g>\n")
}

// opens are the attributes of what opens a connection's details.
func (d *drawer) opens(n int, first bool, hop string) string {
	out := fmt.Sprintf(` data-c="%d"`, n)
	if d.live && first {
		c := d.m.Connections[n]
		words := fmt.Sprintf("%s %s, %s", c.Kind, cmp.Or(c.State, "begun"), c.Look.Words())
		if hop != "" { // what is to be seen is to be heard
			words += " at " + hop
		}
		out += fmt.Sprintf(` tabindex="0" role="button" aria-label="%s"`, escape(words+": "+c.ID))
	}
	return out
}

func (d *drawer) line(l *Line, first bool) {
	curve := func(class string, c [4]Point) {
		fmt.Fprintf(d.b, `<path class="%s" d="M%d %dC%d %d %d %d %d %d"/>`, class, c[0].X, c[0].Y, c[1].X, c[1].Y, c[2].X, c[2].Y, c[3].X, c[3].Y)
	}
	fmt.Fprintf(d.b, `<g class="line %s"%s><title>%s</title>`, l.Look, d.opens(l.Connection, first, l.Hop), escape(d.m.called(l.Connection, l.Path)))
	if d.live {
		curve("hit", l.Curve)
	}
	if l.Break == 1000 {
		curve("stroke", l.Curve)
	} else {
		upto, beyond := l.Split()
		curve("stroke", upto)
		curve("beyond", beyond)
	}
	if l.Mark.W > 0 {
		d.mark(l.Look, l.Sign.X, l.Sign.Y)
		if l.Hop != "" {
			fmt.Fprintf(d.b, `<text class="hop" x="%d" y="%d">%s</text>`, l.Mark.X+l.Mark.W/2, l.Sign.Y+markSize/2+hopHeight-4, escape(l.Hop))
		}
	}
	d.b.WriteString("</g>\n")
}

func (d *drawer) mark(look Look, x, y int) {
	fmt.Fprintf(d.b, `<circle class="mark" cx="%d" cy="%d" r="8"/><text class="sign" x="%d" y="%d">%s</text>`, x, y, x, y+4, look.Mark())
}

// called is a path, or a connection, in words.
func (m Map) called(connection, path int) string {
	c := m.Connections[connection]
	if path < 0 {
		return fmt.Sprintf("%s %s: %s", c.Kind, c.ID, cmp.Or(c.State, "begun"))
	}
	p := c.Paths[path]
	out := fmt.Sprintf("%s → %s:%d: %s", m.Ends[p.Client].Name, m.Ends[p.Database].Name, p.Port, p.Look.Words())
	if p.Hop != "" {
		out += " at " + p.Hop
	}
	return out + ", over " + c.ID
}

// cut shortens text to a number of letters, wide ones counted twice.
func cut(s string, room int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	if text.RuneWidthWithoutEscSequences(s) <= room {
		return s
	}
	wide := 0
	for n, r := range s {
		if wide += text.RuneWidthWithoutEscSequences(string(r)); wide > room-1 {
			return s[:n] + "…"
		}
	}
	return s
}

// escape makes other people's text harmless in an element and in an attribute, of HTML and of SVG. What XML cannot have is left out.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(s)
}
