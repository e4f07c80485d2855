package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Of makes the report: all that may stand, and of the rest what changed since a time. No time is none of it.
func Of(r board.Rows, since, at time.Time) Report {
	out := Report{Head: answer.HeadOf("Report"), At: at.UTC(), Since: since.UTC(), Rows: []Row{}, NotRecorded: []string{
		"What ended and was forgotten: the ledger has what is now.",
		"Of a connection with more paths than it lists, the others: drawbridge who says all of one database.",
		"Who approved before the ledger kept it, or by accepting an attachment by hand."}}
	if since.IsZero() {
		out.Since = time.Time{}
	}
	for _, c := range r.Entries() {
		stands := sweep.Standing(c)
		changed := !since.IsZero() && !cmpTime(c.At, c.Since).Before(since)
		if stands || changed {
			out.Rows = append(out.Rows, row(r, c, stands))
		}
	}
	slices.SortFunc(out.Rows, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.ToAccount, b.ToAccount), strings.Compare(a.To, b.To), strings.Compare(a.FromAccount, b.FromAccount), strings.Compare(a.ID, b.ID))
	})
	return out
}

// cmpTime is the first of two times that is one.
func cmpTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// callers are the accounts and the names of who is let in by paths, each once, with blanks between them.
func callers(paths []ledger.Path) (accounts, names string) {
	var of, who []string
	for _, p := range paths {
		of, who = append(of, p.Client.Account), append(who, p.Client.Name)
	}
	slices.Sort(of)
	slices.Sort(who)
	return strings.Join(slices.Compact(of), " "), strings.Join(slices.Compact(who), ", ")
}

// opens are the tags by which a thing's owner opens it, by the kind of its entry.
var opens = map[road.Kind]string{road.DataAPI: tag.DataAPI, road.Studio: tag.Studio, road.DataAPIEndpoint: tag.DataAPI, road.PrivateNotebooks: tag.PrivateNotebooks, road.Attachment: tag.Attach,
	road.Peering: "", road.Transit: "", road.Share: ""}

func row(r board.Rows, c ledger.Connection, stands bool) Row {
	out := Row{ID: c.ID, Kind: string(c.Kind), Stands: stands, State: cmp.Or(string(c.Status), "begun"), Verdict: c.Reason, Paths: c.Paths.All, Whole: c.Paths.Whole,
		Policy: c.Policy, Asked: c.Asked, Since: c.Since.UTC(), At: c.At, Until: c.Until, Reaches: []Reach{}}
	for _, p := range c.Paths.Lines {
		out.Reaches = append(out.Reaches, Reach{Account: p.Client.Account, Client: p.Client.Name, Database: p.Database.Name, Port: p.Port, Answer: p.Answer})
	}
	if n := len(c.Sides); n > 0 && c.Sides[0].Role == "producer" { // of a database: whom its paths let in
		out.ToAccount, out.To = c.Sides[0].Account, c.Sides[0].ID
		out.FromAccount, out.From = callers(c.Paths.Lines)
	} else if n > 0 {
		out.ToAccount, out.To = c.Sides[n-1].Account, c.Sides[n-1].ID
		if n > 1 {
			out.FromAccount, out.From = c.Sides[0].Account, c.Sides[0].ID
		}
	}
	for _, i := range r.Items(c.ID) {
		if i.State == ledger.Contested {
			out.Contested++
		}
	}
	if w, ok := board.Approver(c, r.Words(c.ID)); ok {
		out.ApprovedBy, out.ApprovedAt = w.By.Who, w.At.UTC()
		return out
	}
	things := []string{c.ID}
	for _, s := range c.Sides {
		things = append(things, s.ID)
	}
	for _, thing := range things {
		for _, w := range slices.Backward(r.Words(thing)) {
			if opens[c.Kind] != "" && w.Said == opens[c.Kind] && w.Value != "" {
				out.ApprovedBy, out.ApprovedAt, out.ToNames = w.By.Who, w.At.UTC(), w.Value
				return out
			}
		}
	}
	return out
}
