package report

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
)

// columns are those of the CSV and of the page, with what each has of a row.
var columns = []struct {
	Name string
	of   func(Row) string
}{
	{"to account", func(r Row) string { return r.ToAccount }}, {"to", func(r Row) string { return r.To }},
	{"from account", func(r Row) string { return r.FromAccount }}, {"from", func(r Row) string { return r.From }}, {"names", func(r Row) string { return r.ToNames }},
	{"kind", func(r Row) string { return r.Kind }}, {"state", func(r Row) string { return r.State }}, {"since", func(r Row) string { return when(r.Since) }},
	{"policy", func(r Row) string { return r.Policy }}, {"asked by", func(r Row) string { return r.Asked }},
	{"approved by", func(r Row) string { return r.ApprovedBy }}, {"approved at", func(r Row) string { return when(r.ApprovedAt) }},
	{"paths", func(r Row) string { return strconv.Itoa(r.Paths) }}, {"whole", func(r Row) string { return strconv.Itoa(r.Whole) }},
	{"contested", func(r Row) string { return strconv.Itoa(r.Contested) }}, {"verdict", func(r Row) string { return r.Verdict }},
	{"verdict at", func(r Row) string { return when(r.At) }}, {"until", func(r Row) string { return when(r.Until) }}, {"id", func(r Row) string { return r.ID }},
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
	for _, row := range r.Rows {
		var cells []string
		for _, c := range columns {
			cell := c.of(row)
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
	type cell struct{ Name, Text string }
	type line struct {
		Stands bool
		Cells  []cell
	}
	data := struct {
		Report
		Made, From string
		Columns    []string
		Lines      []line
	}{Report: r, Made: when(r.At), From: when(r.Since)}
	for _, c := range columns {
		data.Columns = append(data.Columns, c.Name)
	}
	for _, row := range r.Rows {
		l := line{Stands: row.Stands}
		for _, c := range columns {
			l.Cells = append(l.Cells, cell{c.Name, c.of(row)})
		}
		data.Lines = append(data.Lines, l)
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
	p.Say("     ", "%d rows, of %d something may stand", len(r.Rows), standing)
	head := []string{"to", "from", "state", "since", "approved by"}
	if p.Wide() {
		head = append(head, "policy", "whole", "verdict")
	}
	var rows [][]string
	for _, row := range r.Rows {
		color := answer.Good
		if !row.Stands {
			color = answer.Bad
		}
		from := row.FromAccount
		if from == "" {
			from = row.ToNames
		}
		cells := []string{row.ToAccount + " " + row.To, from, p.Paint(color, row.State), row.Since.UTC().Format("2006-01-02"), row.ApprovedBy[strings.LastIndexByte(row.ApprovedBy, '/')+1:]}
		if p.Wide() {
			cells = append(cells, row.Policy, fmt.Sprintf("%d/%d", row.Whole, row.Paths), row.Verdict)
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
