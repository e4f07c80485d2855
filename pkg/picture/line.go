package picture

import "strings"

// Point is a place in the drawing.
type Point struct{ X, Y int }

// Line is how a path, or a connection without paths, is drawn: a cubic curve that never leaves the drawing.
type Line struct {
	Connection int
	Path       int // its place in the connection's paths; -1: the connection itself
	Look       Look
	Curve      [4]Point
	// Break is where a path ends, in thousandths of its curve; 1000: it does not. Behind it the line goes on faintly.
	Break int
	// Mark is the room of the look's character and, of a path that ends, of the hop's name below it. Where there was no room it has no size.
	Mark Rect
	Sign Point // the middle of the character, on the line; the name moves beside it where the drawing ends
	Hop  string
}

// The measures of marks.
const (
	markSize  = 18
	hopHeight = 15 // of the hop's name below a mark
	hopLetter = 6  // width of one letter
)

// hops are where on its way a packet meets a hop, in thousandths.
var hops = []struct {
	name string
	at   int
}{{"name resolution", 100}, {"host route", 140}, {"client group", 180}, {"client ACL", 240}, {"gateway route back", 620}, {"gateway route", 440}, {"route there", 320}, {"route back", 720},
	{"carrier", 500}, {"database ACL", 800}, {"ACL back", 760}, {"database group", 860}}

// broken is where a hop is on the way.
func broken(hop string) int {
	for _, h := range hops {
		if strings.HasPrefix(hop, h.name) {
			return h.at
		}
	}
	return 500
}

// At is a point of a curve, in thousandths of its way.
func (l Line) At(t int) Point {
	at := func(a, b int) int { return a + (b-a)*t/1000 }
	mid := func(p, q Point) Point { return Point{at(p.X, q.X), at(p.Y, q.Y)} }
	a, b, c := mid(l.Curve[0], l.Curve[1]), mid(l.Curve[1], l.Curve[2]), mid(l.Curve[2], l.Curve[3])
	return mid(mid(a, b), mid(b, c))
}

// Split returns the two curves that a curve is, before its break and behind.
func (l Line) Split() (upto, beyond [4]Point) {
	at := func(a, b int) int { return a + (b-a)*l.Break/1000 }
	mid := func(p, q Point) Point { return Point{at(p.X, q.X), at(p.Y, q.Y)} }
	c := l.Curve
	ab, bc, cd := mid(c[0], c[1]), mid(c[1], c[2]), mid(c[2], c[3])
	abc, bcd := mid(ab, bc), mid(bc, cd)
	here := mid(abc, bcd)
	return [4]Point{c[0], ab, abc, here}, [4]Point{here, bcd, cd, c[3]}
}

// draw adds the lines of all connections, those that hold first, so that what is broken lies on top.
func (l *Layout) draw(m Map) {
	ends, networks := make([]Rect, len(m.Ends)), make([]Rect, len(m.Networks))
	for _, b := range l.Boxes {
		if b.Kind == "network" {
			networks[b.Of] = Rect{b.X, b.Y, b.W, header} // a line without paths ends at the name
		}
	}
	taken := grid{}
	for _, c := range l.Chips {
		if c.Kind != "entry" {
			ends[c.Of] = c.Rect
		}
		taken.add(c.Rect)
	}
	for _, look := range []Look{Ended, Holds, Begun, Unknown, Waits, Broken} {
		for n, c := range m.Connections {
			for k, p := range c.Paths {
				if shown := worse(c.Look, p.Look); shown == look {
					l.Lines = append(l.Lines, l.line(n, k, shown, ends[p.Client], ends[p.Database], p.Hop))
				}
			}
			if len(c.Paths) == 0 && c.Look == look && len(c.Sides) > 1 {
				for _, s := range c.Sides[1:] {
					l.Lines = append(l.Lines, l.line(n, -1, look, networks[c.Sides[0]], networks[s], ""))
				}
			}
		}
	}
	for n := len(l.Lines) - 1; n >= 0; n-- { // what is broken has the first choice
		l.Lines[n].mark(&taken, Rect{0, 0, l.Width, l.Height})
	}
}

// worse is how a path is drawn: as it is; one that holds as its connection, where that waits for somebody.
func worse(connection, path Look) Look {
	if connection == Waits && path == Holds {
		return Waits
	}
	return path
}

// line is the curve from one place to another: from side to side where they stand beside each other, else out to the right and back.
// Many parameters, because they are numbers of one drawing.
func (l *Layout) line(connection, path int, look Look, from, to Rect, hop string) Line {
	y, z := from.Y+from.H/2, to.Y+to.H/2
	out := Line{Connection: connection, Path: path, Look: look, Break: 1000}
	switch {
	case to.X >= from.X+from.W:
		bend := max(30, (to.X-from.X-from.W)/2)
		out.Curve = [4]Point{{from.X + from.W, y}, {from.X + from.W + bend, y}, {to.X - bend, z}, {to.X, z}}
	case from.X >= to.X+to.W:
		bend := max(30, (from.X-to.X-to.W)/2)
		out.Curve = [4]Point{{from.X, y}, {from.X - bend, y}, {to.X + to.W + bend, z}, {to.X + to.W, z}}
	default:
		right := min(max(from.X+from.W, to.X+to.W)+60, l.Width)
		out.Curve = [4]Point{{from.X + from.W, y}, {right, y}, {right, z}, {to.X + to.W, z}}
	}
	if look == Broken && path >= 0 || look == Unknown && hop != "" {
		out.Hop = hop
	}
	if look == Broken && path >= 0 {
		out.Break = broken(hop)
	}
	return out
}

// mark finds a place for a line's mark: where it breaks, or in its middle, or as near to that as nothing else is. It has none where nothing is free; what is broken or waits
// looks further.
func (l *Line) mark(taken *grid, all Rect) {
	want, far := 500, 200
	if l.Break < 1000 {
		want = l.Break
	}
	if l.Look == Broken || l.Look == Waits {
		far = 900
	}
	w, h := markSize, markSize
	if l.Hop != "" {
		w, h = max(w, len([]rune(l.Hop))*hopLetter+4), h+hopHeight
	}
	for off := 0; off <= far; off += 20 {
		for _, t := range []int{want + off, want - off} {
			if t < 40 || t > 960 {
				continue
			}
			p := l.At(t)
			r := Rect{max(all.X, min(p.X-w/2, all.X+all.W-w)), p.Y - markSize/2, w, h}
			if sign := (Rect{p.X - markSize/2, p.Y - markSize/2, markSize, markSize}); sign.Inside(all) && r.Inside(all) && taken.free(r) {
				taken.add(r)
				l.Mark, l.Sign = r, p
				if l.Break < 1000 {
					l.Break = t
				}
				return
			}
		}
	}
}

// grid finds what meets a place, fast.
type grid map[Point][]Rect

// cell is the size of a cell of a grid.
const cell = 128

func (g grid) cells(r Rect, each func(Point) bool) bool {
	for x := r.X / cell; x <= (r.X+r.W)/cell; x++ {
		for y := r.Y / cell; y <= (r.Y+r.H)/cell; y++ {
			if !each(Point{x, y}) {
				return false
			}
		}
	}
	return true
}

func (g grid) add(r Rect) {
	g.cells(r, func(p Point) bool { g[p] = append(g[p], r); return true })
}

func (g grid) free(r Rect) bool {
	return g.cells(r, func(p Point) bool {
		for _, o := range g[p] {
			if r.Meets(o) {
				return false
			}
		}
		return true
	})
}
