package picture

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

func TestTheDocument(t *testing.T) {
	m := mixed(t)
	answertest.Text(t, "mixed", m, false)
	answertest.Text(t, "demo", demo(t), false)
	answertest.Text(t, "empty", drawn(entries(t), Organization{}), false)
	answertest.Schema[Map](t, "../..", "map.v1", "drawbridge map -o json", m, demo(t), drawn(entries(t), Organization{}), hostile(t))
	looks := map[Look]string{}
	for _, c := range m.Connections {
		looks[c.Look] = c.ID
	}
	for _, look := range Looks {
		if looks[look] == "" || look.Mark() == "" || look.Words() == "" {
			t.Errorf("nothing is %s", look)
		}
	}
	if looks[Waits] != "pcx-0waits" || looks[Unknown] != "pcx-0maybe" || looks[Broken] != "pcx-0part" || looks[Begun] != "pcx-0begun" || looks[Ended] != "pcx-0gone" {
		t.Errorf("what looks how: %v", looks)
	}
	for _, c := range m.Connections {
		if c.ID != "pcx-0part" {
			continue
		}
		text, _ := json.Marshal(c)
		for _, want := range []string{"user/bob", "2 times so far", "(exec-1)", "asked for", "drawbridge why 100000000001/us-east-1/research 100000000002/us-east-1/sales:5432"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("nothing says %q: %s", want, text)
			}
		}
	}
	if q := m.Units[len(m.Units)-1]; q.Name != "Platform" || q.Quiet != 2 {
		t.Errorf("the last unit is %+v", q)
	}
}

// README shows it: it is what the command makes from the sample.
func TestTheDrawingOfTheDemo(t *testing.T) {
	answertest.Golden(t, "../../docs/picture.svg", []byte(SVG(demo(t))))
}

// Whatever is in a ledger, nothing overlaps and all is inside, in the same places each time.
func TestNothingOverlaps(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var all []ledger.Connection
		for n := range rapid.IntRange(0, 40).Draw(r, "connections") {
			from, to := rapid.IntRange(0, 12).Draw(r, "from"), rapid.IntRange(0, 12).Draw(r, "to")
			c := peering(fmt.Sprintf("pcx-%d", n), from, to, rapid.SampledFrom([]string{"Connected", "Refused", "PartlyConnected", "AwaitingApproval", ""}).Draw(r, "state"))
			for range rapid.IntRange(0, 4).Draw(r, "paths") {
				c.Paths.Lines = append(c.Paths.Lines, way(rapid.SampledFrom([]string{"a", "b", "function c"}).Draw(r, "client"), rapid.SampledFrom([]string{"x", "y"}).Draw(r, "database"), from, to,
					rapid.SampledFrom([]string{"yes", "no", "unknown"}).Draw(r, "answer"), rapid.SampledFrom([]string{"client group", "carrier", "route back"}).Draw(r, "hop")))
			}
			c.Sides = c.Sides[:rapid.IntRange(0, 2).Draw(r, "sides")]
			all = append(all, c)
		}
		o := Organization{ID: "o-1", Accounts: map[string]Account{}}
		for n := range rapid.IntRange(0, 6).Draw(r, "units") {
			u := Unit{ID: fmt.Sprintf("ou-%d", n), Name: "unit"}
			if n > 0 && rapid.Bool().Draw(r, "nested") {
				u.Parent = o.Units[rapid.IntRange(0, n-1).Draw(r, "in")].ID
			}
			o.Units = append(o.Units, u)
		}
		for n := range 13 {
			if k := rapid.IntRange(-1, len(o.Units)-1).Draw(r, "unit"); k >= 0 {
				o.Accounts[account(n)] = Account{ID: account(n), Unit: o.Units[k].ID}
			}
		}
		m := drawn(entries(t, all...), o)
		check(r, Lay(m))
		if SVG(m) != SVG(m) {
			r.Fatal("it is not the same twice")
		}
	})
}

// The paths of private notebooks lead from a role of the account to the notebooks of a VPC in it: both ends are drawn, and the line between them.
func TestPrivateNotebooksHavePaths(t *testing.T) {
	c := ledger.Connection{ID: "private-notebooks-" + vpc(1), Kind: "private-notebooks", Status: "Private", Sides: []ledger.Side{{Role: "consumer", Account: account(1), Region: "us-east-1", ID: vpc(1)}}}
	c.Paths = ledger.Paths{All: 1, Whole: 1, Lines: []ledger.Path{{Client: ledger.End{Name: "role scientist", Account: account(1), Network: account(1)},
		Database: ledger.End{Name: "research", Account: account(1), Network: vpc(1)}, Port: 443, Answer: "yes"}}}
	m := drawn(entries(t, c), Organization{})
	if len(m.Ends) != 2 || len(m.Connections) != 1 || len(m.Connections[0].Paths) != 1 || m.Connections[0].Look != Holds {
		t.Fatalf("%+v", m)
	}
	if l := Lay(m); len(l.Lines) != 1 {
		t.Errorf("%d lines: %+v", len(l.Lines), l)
	}
	for _, name := range []string{"role scientist", "research"} {
		if !strings.Contains(SVG(m), name) {
			t.Errorf("nothing shows %s", name)
		}
	}
}

// fataler is what [check] needs of a test.
type fataler interface{ Fatalf(string, ...any) }

func check(t fataler, l Layout) {
	whole := Rect{0, 0, l.Width, l.Height}
	below := map[int][]Rect{}
	for n, b := range l.Boxes {
		in := whole
		if b.Parent >= 0 {
			in = l.Boxes[b.Parent].Rect
		}
		if b.Parent >= n || !b.Rect.Inside(in) {
			t.Fatalf("box %d %+v is not inside %+v", n, b, in)
		}
		below[b.Parent] = append(below[b.Parent], b.Rect)
	}
	for _, c := range l.Chips {
		if !c.Rect.Inside(l.Boxes[c.Box].Rect) {
			t.Fatalf("%+v is not inside %+v", c, l.Boxes[c.Box])
		}
		below[c.Box] = append(below[c.Box], c.Rect)
	}
	for in, all := range below {
		for n, a := range all {
			for _, b := range all[:n] {
				if a.Meets(b) {
					t.Fatalf("in box %d, %+v and %+v overlap", in, a, b)
				}
			}
		}
	}
	var marks []Rect
	for _, line := range l.Lines {
		for _, p := range line.Curve { // a curve never leaves the hull of its points
			if p.X < 0 || p.Y < 0 || p.X > l.Width || p.Y > l.Height {
				t.Fatalf("a line leaves the drawing: %+v", line)
			}
		}
		if line.Mark.W > 0 {
			marks = append(marks, line.Mark)
		}
	}
	for n, a := range marks {
		if !a.Inside(whole) {
			t.Fatalf("mark %+v is outside", a)
		}
		for _, b := range marks[:n] {
			if a.Meets(b) {
				t.Fatalf("marks %+v and %+v overlap", a, b)
			}
		}
		for _, c := range l.Chips {
			if a.Meets(c.Rect) {
				t.Fatalf("mark %+v hides %+v", a, c)
			}
		}
	}
}

func TestWhatIsBrokenIsMarkedWhereItBreaks(t *testing.T) {
	m := mixed(t)
	at := map[string]int{}
	for _, line := range Lay(m).Lines {
		if line.Hop != "" && line.Look == Broken {
			if line.Mark.W == 0 {
				t.Errorf("%+v has no mark", line)
			}
			at[line.Hop] = line.Break
		}
	}
	if at["client ACL"] == 0 || at["client ACL"] > 450 || at["database group"] < 550 || at["database group"] >= 1000 {
		t.Errorf("the breaks are at %v", at)
	}
}

// Where the drawing ends, the name of the hop moves inwards, and the sign stays on its line.
func TestWhatBreaksAtTheEdgeIsMarked(t *testing.T) {
	for name, x := range map[string]int{"right": 390, "left": 10, "middle": 200} {
		l, all := Line{Look: Broken, Hop: "name resolution", Break: 100, Curve: [4]Point{{x, 50}, {x, 100}, {x, 200}, {x, 250}}}, Rect{0, 0, 400, 300}
		l.mark(&grid{}, all)
		if l.Mark.W == 0 || !l.Mark.Inside(all) || l.Sign != l.At(l.Break) {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// Whatever others named their things, a drawing is well-formed and a page has only the script that is its own.
func TestHostileNames(t *testing.T) {
	m := hostile(t)
	page, err := Page(m, Live{})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(page, "<script"); n != 2 {
		t.Errorf("the page has %d scripts", n)
	}
	if strings.Contains(page, "<img") || strings.Count(page, script) != 1 {
		t.Error("a name became markup")
	}
	for name, text := range map[string]string{"SVG": SVG(m), "Drawing": Drawing(m)} {
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s is not well-formed: %v", name, err)
			}
			if e, ok := token.(xml.StartElement); ok {
				for _, a := range e.Attr {
					if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" || a.Name.Local == "href" || e.Name.Local == "script" || e.Name.Local == "img" {
						t.Errorf("%s has <%s %s>", name, e.Name.Local, a.Name.Local)
					}
				}
			}
		}
	}
	var text bytes.Buffer
	if err := printed(&text, m); err != nil || strings.ContainsAny(text.String(), "\x00\x1b\u202e") {
		t.Errorf("the text moves the terminal: %v\n%q", err, text.String())
	}
}

// A page has nothing from elsewhere.
func TestThePageStandsForItself(t *testing.T) {
	page, err := Page(mixed(t), Live{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"src=", "@import", "url(", "<link", "{{"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	again, _ := Page(mixed(t), Live{})
	if page != again {
		t.Error("it is not the same twice")
	}
	if !strings.Contains(page, digest(script)) || !strings.Contains(page, "connect-src &#39;none&#39;") {
		t.Error("its policy names no digest of its script, or lets it ask somebody")
	}
}

// How long a large organization takes; docs/architecture.md has the numbers.
func TestALargeOrganization(t *testing.T) {
	m := large(t, 1000, 5000)
	if len(m.Accounts) != 1000 || len(m.Connections) != 5000 {
		t.Fatalf("%d accounts, %d connections", len(m.Accounts), len(m.Connections))
	}
	began := time.Now()
	l := Lay(m)
	took := time.Since(began)
	unmarked, all := 0, 0
	for _, line := range l.Lines {
		if line.Look == Broken {
			all++
			if line.Mark.W == 0 {
				unmarked++
			}
		}
	}
	page, err := Page(m, Live{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("laid out in %v: %d × %d pixels, %d of %d broken paths without room for a mark; the page has %d KiB and took %v in all", took.Round(time.Millisecond), l.Width, l.Height, unmarked, all,
		len(page)>>10, time.Since(began).Round(time.Millisecond))
	if took > 3*time.Second || len(page) > 16<<20 || all == 0 || unmarked*10 > all {
		t.Error("that is too much")
	}
}

func TestTheServer(t *testing.T) {
	reads, m := 0, demo(t)
	var failing error
	s := &Server{Read: func(context.Context) (Map, error) { reads++; return m, failing }, Every: time.Second}
	ask := func(method, path, host, tag string) *http.Response {
		r := httptest.NewRequest(method, "http://"+host+path, nil)
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		s.Handler(8080).ServeHTTP(w, r)
		return w.Result()
	}
	for _, one := range []struct {
		method, path, host string
		want               int
	}{
		{"GET", "/", "127.0.0.1:8080", 200}, {"GET", "/map.json", "localhost:8080", 200}, {"GET", "/map.svg", "[::1]:8080", 200}, {"GET", "/other", "127.0.0.1:8080", 404},
		{"POST", "/", "127.0.0.1:8080", 405}, {"GET", "/", "evil.example:8080", 421}, {"GET", "/map.json", "127.0.0.1", 421}, {"GET", "/map.json", "127.0.0.1.evil.example:8080", 421},
	} {
		got := ask(one.method, one.path, one.host, "")
		if got.StatusCode != one.want {
			t.Errorf("%s %s of %s is answered %s", one.method, one.path, one.host, got.Status)
		}
		for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store"} {
			if !strings.HasPrefix(got.Header.Get(name), want) {
				t.Errorf("%s of %s has %s %q", one.path, one.host, name, got.Header.Get(name))
			}
		}
		if strings.Contains(got.Header.Get("Content-Security-Policy"), "unsafe") {
			t.Error("the policy lets anything in")
		}
	}
	if reads != 1 {
		t.Errorf("the ledger was read %d times within a second", reads)
	}
	tag := ask("GET", "/map.json", "127.0.0.1:8080", "").Header.Get("ETag")
	s.made, m.At = s.made.Add(-time.Minute), m.At.Add(time.Minute)
	if got := ask("GET", "/map.json", "127.0.0.1:8080", tag); got.StatusCode != http.StatusNotModified || reads != 2 {
		t.Errorf("unchanged it answers %s after %d reads", got.Status, reads)
	}
	s.made, m = s.made.Add(-time.Minute), mixed(t)
	if got := ask("GET", "/map.json", "127.0.0.1:8080", tag); got.StatusCode != 200 {
		t.Errorf("changed it answers %s", got.Status)
	}
	s.made, failing = s.made.Add(-time.Minute), errors.New("secret")
	if got := ask("GET", "/", "127.0.0.1:8080", ""); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without a ledger it answers %s", got.Status)
	}
	if _, _, err := s.Listen(t.Context(), "0.0.0.0:0"); err == nil {
		t.Error("it listens where others can reach it")
	}
}
