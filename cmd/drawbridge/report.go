package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/report"
)

type reportCommand struct {
	Since  string `help:"List also what does not stand and changed since then: a day, a time or how long ago (90d)." placeholder:"WHEN"`
	Output string `help:"Print as ${enum}." short:"o" enum:"table,csv,json,yaml,html" default:"table" placeholder:"FORMAT"`
	hubFlags
	access
}

// Help is what kong shows below the options.
func (reportCommand) Help() string {
	return `Each line has the policy that decided, who approved, and the last verdict: for whoever has to account for it. It reads the hub's ledger
(dynamodb:Scan) with your own credentials and changes nothing. The CSV has one head; the HTML is one page without script or network. What ended and was
forgotten is not in it: keep the report that shall say what was.

Exits with 0, or with 1 after an error.

Examples:

  drawbridge report --profile hub -o csv > reach.csv
  drawbridge report --since 90d --profile hub -o html > reach.html
  drawbridge report --since 2026-01-01 --profile hub -o json | jq '.rows[].to'`
}

// Run implements the command.
func (c reportCommand) Run(ctx context.Context) error {
	now := time.Now()
	since, err := moment(c.Since, now)
	if err != nil {
		return err
	}
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	rows, err := h.rows(ctx)
	if err != nil {
		return err
	}
	r := report.Of(rows, since, now)
	r.Hub = h.at
	working.done()
	switch c.Output {
	case "csv":
		return r.CSV(os.Stdout)
	case "html":
		return r.HTML(os.Stdout)
	}
	return reach{access: c.access, Output: c.Output}.print(r)
}

// moment reads a time: a day, a time of RFC 3339, or how long ago in days or hours. No text is no time.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	var n int
	var unit string
	if count, err := fmt.Sscanf(text, "%d%s", &n, &unit); err == nil && count == 2 && n >= 0 {
		switch unit {
		case "d":
			return now.AddDate(0, 0, -n), nil
		case "h":
			return now.Add(-time.Duration(n) * time.Hour), nil
		}
	}
	return time.Time{}, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("reading --since: %q is no time", text), Remedy: "write a day, 2026-01-31, a time, 2026-01-31T12:00:00Z, or how long ago, 90d or 12h"}
}
