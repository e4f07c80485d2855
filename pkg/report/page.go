package report

import (
	"cmp"
	_ "embed"
	"encoding/csv"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// line is what one line of the CSV and of the page is about: a row, and one of its paths, if it has any.
type line struct {
	Row
	Reach
}

// lines are those of all rows.
func (r Report) lines() (out []line) {
	for _, row := range r.Rows {
		for _, one := range row.Reaches {
			out = append(out, line{row, one})
		}
		if len(row.Reaches) == 0 {
			out = append(out, line{Row: row})
		}
	}
	return out
}

// database is a path's database with its port, or what is reached where no path was judged.
func (l line) database() string {
	if l.Reach.Database == "" {
		return l.To
	}
	return l.Reach.Database + ":" + l.port()
}

// caller is the account of a path's client, or those that reach it where no path was judged.
func (l line) caller() string { return cmp.Or(l.Reach.Account, l.FromAccount) }

func (l line) port() string {
	if l.Port == 0 {
		return ""
	}
	return strconv.Itoa(l.Port)
}

// groups are the columns of the page: each has some of those of the CSV, one below the other.
var groups = []struct {
	Name string
	Of   []string
}{
	{"what is reached", []string{"database", "port", "to account", "to"}},
	{"by whom", []string{"client", "from account", "from", "names"}},
	{"how it stands", []string{"state", "since", "until", "path is whole", "whole", "paths", "contested"}},
	{"who decided", []string{"policy", "asked by", "approved by", "approved at"}},
	{"last verdict", []string{"verdict", "verdict at", "kind", "id"}},
}

// columns are those of the CSV, with what each has of a line.
var columns = []struct {
	Name string
	of   func(line) string
}{
	{"to account", func(l line) string { return l.ToAccount }}, {"to", func(l line) string { return l.To }}, {"database", func(l line) string { return l.Database }}, {"port", line.port},
	{"from account", line.caller}, {"from", func(l line) string { return l.From }}, {"client", func(l line) string { return l.Client }},
	{"names", func(l line) string { return l.ToNames }},
	{"kind", func(l line) string { return l.Kind }}, {"state", func(l line) string { return l.State }}, {"since", func(l line) string { return when(l.Since) }},
	{"policy", func(l line) string { return l.Policy }}, {"asked by", func(l line) string { return l.Asked }},
	{"approved by", func(l line) string { return l.ApprovedBy }}, {"approved at", func(l line) string { return when(l.ApprovedAt) }},
	{"path is whole", func(l line) string { return l.Answer }}, {"paths", func(l line) string { return strconv.Itoa(l.Paths) }}, {"whole", func(l line) string { return strconv.Itoa(l.Whole) }},
	{"contested", func(l line) string { return strconv.Itoa(l.Contested) }}, {"verdict", func(l line) string { return l.Verdict }},
	{"verdict at", func(l line) string { return when(l.At) }}, {"until", func(l line) string { return when(l.Until) }}, {"id", func(l line) string { return l.ID }},
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// CSV writes the report as RFC 4180 has it, with a head. A cell that a spreadsheet would take for a formula begins with an apostrophe: names are others'.
// https://owasp.org/www-community/attacks/CSV_Injection
func (r Report) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	var head []string
	for _, c := range columns {
		head = append(head, c.Name)
	}
	if err := out.Write(head); err != nil {
		return err
	}
	for _, l := range r.lines() {
		var cells []string
		for _, c := range columns {
			cell := c.of(l)
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				cell = "'" + cell
			}
			cells = append(cells, cell)
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

//go:embed report.html
var page string

var htmlPage = template.Must(template.New("report").Parse(page))

// HTML writes the report as one page that needs nothing else: no script, no network, light and dark, and on paper.
func (r Report) HTML(w io.Writer) error {
	type part struct{ Name, Text string }
	type tr struct {
		Stands bool
		Cells  [][]part
	}
	data := struct {
		Report
		Made, From string
		Columns    []string
		Lines      []tr
	}{Report: r, Made: when(r.At), From: when(r.Since)}
	for _, g := range groups {
		data.Columns = append(data.Columns, g.Name)
	}
	for _, l := range r.lines() {
		says := map[string]string{}
		for _, c := range columns {
			says[c.Name] = c.of(l)
		}
		row := tr{Stands: l.Stands}
		for _, g := range groups {
			var parts []part
			for _, name := range g.Of {
				one := part{name, says[name]}
				if name == "database" || name == "verdict" { // the head of the row, and a text
					one = part{"", answer.Clauses(says[name])}
				}
				if one.Text != "" {
					parts = append(parts, one)
				}
			}
			row.Cells = append(row.Cells, parts)
		}
		data.Lines = append(data.Lines, row)
	}
	return htmlPage.Execute(w, data)
}

// Text implements [answer.Document].
func (r Report) Text(p *answer.Page) {
	standing := 0
	for _, row := range r.Rows {
		if row.Stands {
			standing++
		}
	}
	p.Say("hub  ", "account %s, %s, table %s", r.Hub.Account, r.Hub.Region, r.Hub.Table)
	p.Say("     ", "%s; for %d of them, things that Drawbridge added may stand", fit.Count(len(r.Rows), "connection"), standing)
	head := []string{"to", "from", "state", "since", "approved by"}
	if p.Wide() {
		head = append(head, "policy", "path", "verdict")
	}
	var rows [][]string
	for _, l := range r.lines() {
		color := answer.Good
		if !l.Stands {
			color = answer.Bad
		}
		from := strings.TrimSpace(cmp.Or(l.caller(), l.ToNames) + " " + strings.TrimSuffix(l.Client, "account "+l.caller()))
		cells := []string{l.ToAccount + " " + l.database(), from, p.Paint(color, l.State), l.Since.UTC().Format("2006-01-02"), answer.Called(l.ApprovedBy)}
		if p.Wide() {
			path := ""
			if l.Answer != "" {
				path = p.Mark(l.Answer)
			}
			cells = append(cells, l.Policy, path, l.Verdict)
		}
		rows = append(rows, cells)
	}
	p.Gap()
	p.Table("  ", head, rows)
	p.Title("Not recorded")
	for _, n := range r.NotRecorded {
		p.Say("  - ", "%s", n)
	}
}
