package report

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

const hostile = `<script>alert("x")</script>`

// reach is a path between the accounts of the first peering.
func reach(client, database, answer string) ledger.Path {
	return ledger.Path{Client: ledger.End{Name: client, Account: "111111111111", Network: "vpc-0a1"}, Database: ledger.End{Name: database, Account: "222222222222", Network: "vpc-0b2"}, Port: 3306, Answer: answer}
}

func rows(t *testing.T) board.Rows {
	t.Helper()
	var r board.Rows
	add := func(part, sort string, body any) {
		t.Helper()
		if err := r.Add(ledgertest.Row(t, part, sort, body)); err != nil {
			t.Fatal(err)
		}
	}
	side := func(role, account, id string) ledger.Side {
		return ledger.Side{Role: role, Account: account, Region: "us-east-1", ID: id}
	}
	entry := func(c ledger.Connection, ago time.Duration) {
		c.Since, c.At = now.Add(-ago-time.Hour), now.Add(-ago)
		add("connection#"+c.ID, "connection", c)
	}
	const sales = "arn:aws:rds:us-east-1:222222222222:cluster:sales"
	entry(ledger.Connection{ID: "pcx-0a1", Kind: "peering", Status: "Connected", Reason: "2 of 3 paths are whole", Policy: "accept-approved", Asked: "arn:aws:sts::111111111111:assumed-role/scientist/ada", Paths: ledger.Paths{All: 3, Whole: 2, Lines: []ledger.Path{reach("research", "orders", "no"), reach("research", "sales", "yes")}},
		Sides: []ledger.Side{side("requester", "111111111111", "vpc-0a1"), side("accepter", "222222222222", "vpc-0b2")}}, 48*time.Hour)
	entry(ledger.Connection{ID: "pcx-0a2", Kind: "peering", Status: "Removed", Reason: hostile, Sides: []ledger.Side{side("requester", "333333333333", "vpc-0c3"), side("accepter", "222222222222", "vpc-0b2")}}, 24*time.Hour)
	entry(ledger.Connection{ID: "pcx-0a3", Kind: "peering", Status: "Refused", Reason: "=1+1", Sides: []ledger.Side{side("requester", "444444444444", "vpc-0d4"), side("accepter", "222222222222", "vpc-0b2")}}, 200*24*time.Hour)
	entry(ledger.Connection{ID: sales, Kind: "data-api", Status: "Exposed", Policy: "admit-shared", Sides: []ledger.Side{side("producer", "222222222222", sales)},
		Paths: ledger.Paths{All: 1, Whole: 1, Lines: []ledger.Path{{Client: ledger.End{Name: "account 666666666666", Account: "666666666666", Network: "666666666666"}, Database: ledger.End{Name: "sales", Account: "222222222222", Network: sales}, Port: 443, Answer: "yes"}}}}, time.Hour)
	add("resource#111111111111/us-east-1/rtb-1", "route#10.2.0.0/16", ledger.Item{Account: "111111111111", Region: "us-east-1", Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16", State: ledger.Contested, Needed: []string{"pcx-0a1"}})
	word := func(thing, said, value, who string) {
		add("connection#"+thing, "word#2026-11-20T00:00:00Z#"+said, ledger.Word{Thing: thing, Said: said, Value: value, By: ledger.Hand{Who: "arn:aws:sts::222222222222:assumed-role/owner/" + who}, Account: "222222222222", At: now.Add(-9 * 24 * time.Hour)})
	}
	word("pcx-0a1", "drawbridge:approval", "approved", "ben")
	word(sales, "drawbridge:data-api", "666666666666", "dan")
	return r
}

func TestTheReport(t *testing.T) {
	r := Of(rows(t), now.Add(-30*24*time.Hour), now)
	r.Hub = board.Hub{Account: "123456789012", Region: "us-east-1", Table: "drawbridge-ledger"}
	bare := Of(board.Rows{}, time.Time{}, now)
	answertest.Text(t, "report", r, true)
	answertest.Schema[Report](t, "../..", "report.v1", "drawbridge report -o json", r, bare)
	var sheet, html bytes.Buffer
	if err := r.CSV(&sheet); err != nil {
		t.Fatal(err)
	}
	if err := r.HTML(&html); err != nil {
		t.Fatal(err)
	}
	answertest.Golden(t, "testdata/report.csv", sheet.Bytes())
	answertest.Golden(t, "testdata/report.html", html.Bytes())

	if got := len(Of(rows(t), time.Time{}, now).Rows); got != 2 { // what stands alone
		t.Errorf("%d rows stand", got)
	}
	if got := len(Of(rows(t), now.AddDate(-1, 0, 0), now).Rows); got != 4 {
		t.Errorf("%d rows of a year", got)
	}
	if first := r.Rows[0]; first.ID != "arn:aws:rds:us-east-1:222222222222:cluster:sales" || !strings.HasSuffix(first.ApprovedBy, "/dan") || first.ToNames != "666666666666" {
		t.Errorf("%+v", first)
	}
	if second := r.Rows[1]; second.FromAccount != "111111111111" || !strings.HasSuffix(second.ApprovedBy, "/ben") || second.Contested != 1 || !second.Stands {
		t.Errorf("%+v", second)
	}
}

// Each column of the CSV stands in one column of the page.
func TestThePageHasEachColumn(t *testing.T) {
	var on []string
	for _, g := range groups {
		on = append(on, g.Of...)
	}
	for _, c := range columns {
		if n := slices.Index(on, c.Name); n < 0 || slices.Contains(on[n+1:], c.Name) {
			t.Errorf("%s is not on the page once", c.Name)
		}
	}
	if len(on) != len(columns) {
		t.Errorf("the page has %d parts, the CSV %d columns", len(on), len(columns))
	}
}

// Names are others', and neither a spreadsheet nor a browser does what they say.
func TestHostileNames(t *testing.T) {
	r := Of(rows(t), now.AddDate(-1, 0, 0), now)
	for n := range r.Rows {
		r.Rows[n].ApprovedBy, r.Rows[n].Policy, r.Rows[n].From = hostile, "@SUM(A1)", "\"><img src=x onerror=y>"
	}
	var sheet, html bytes.Buffer
	if err := r.CSV(&sheet); err != nil {
		t.Fatal(err)
	}
	if err := r.HTML(&html); err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{"<script", "<img"} {
		if strings.Contains(html.String(), not) {
			t.Errorf("the page has %s", not)
		}
	}
	all, err := csv.NewReader(&sheet).ReadAll()
	if err != nil || len(all) != 6 || // a head, and two paths of one row
		len(all[0]) != len(columns) {
		t.Fatalf("%d lines, %v", len(all), err)
	}
	for _, line := range all {
		for _, cell := range line {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
}
