// Package judgement is what a judge from elsewhere says of a run: one sentence after another, and whether each held.
package judgement

import (
	"fmt"
	"io"
)

// Judgement is one thing that was tried, and what came of it.
type Judgement struct {
	// What was judged, as a sentence that is true if it held.
	What string
	Held bool
	// Detail says how, or what was found instead.
	Detail string
}

// Report is what came of a run.
type Report struct {
	// Judge is who judged, with its version.
	Judge      string
	Judgements []Judgement
}

// Held counts the judgements that held.
func (r *Report) Held() int {
	n := 0
	for _, j := range r.Judgements {
		if j.Held {
			n++
		}
	}
	return n
}

// Add notes a judgement and prints it.
func (r *Report) Add(out io.Writer, what string, held bool, format string, args ...any) {
	j := Judgement{What: what, Held: held, Detail: fmt.Sprintf(format, args...)}
	r.Judgements = append(r.Judgements, j)
	verdict := "held  "
	if !held {
		verdict = "failed"
	}
	_, _ = fmt.Fprintf(out, "judgement: %s %s (%s)\n", verdict, j.What, j.Detail)
}
