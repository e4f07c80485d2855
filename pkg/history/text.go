package history

import (
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
)

// most is how many things of one event are named.
const most = 3

// Text implements [answer.Document].
func (h History) Text(p *answer.Page) {
	p.Title(h.ID + ", times in UTC")
	if len(h.Events) == 0 {
		p.Say("  ", "Nothing is written of it.")
	}
	said := ""
	for _, e := range h.Events {
		if e.reason != "" && e.reason == said { // the looks that follow find mostly the same
			e.Detail = strings.TrimSuffix(e.Detail, ": "+e.reason) + ", as before"
		} else if e.What == "execution" {
			said = e.reason
		}
		by := p.Paint(colors[e.Hand], e.By(p.Wide()))
		if at := strings.TrimSpace(e.Account + " " + e.Region); p.Wide() && at != "" {
			by += ", " + at
		}
		p.Say(fmt.Sprintf("  %-16s  ", when(e)), "%s: %s", by, answer.Clauses(e.Line()))
		if e.Execution != "" && (p.Wide() || e.What == "execution") {
			p.Say("      ", "%s", e.Execution)
		}
	}
	p.Title("Not recorded")
	for _, n := range h.NotRecorded {
		p.Say("  - ", "%s", n)
	}
}

var colors = map[string]string{Drawbridge: "", Owner: answer.Good, Foreign: answer.Unsure}

func when(e Event) string {
	if e.At.IsZero() {
		return "unknown"
	}
	return e.At.UTC().Format("2006-01-02 15:04")
}

// By names whose hand it was: as people call an identity, or all of its ARN where there is room.
func (e Event) By(wide bool) string {
	name := e.Who
	switch {
	case e.Hand == Drawbridge:
		return "Drawbridge"
	case name == "":
		return "not recorded"
	case !wide:
		name = answer.Called(name)
	}
	if e.Tool != "" {
		name += " (" + e.Tool + ")"
	}
	return name
}

// Line says what happened.
func (e Event) Line() string {
	out := e.Detail
	if n := len(e.Things); n > 0 {
		shown := e.Things[:min(n, most)]
		out += ": " + strings.Join(shown, "; ")
		if n > len(shown) {
			out += fmt.Sprintf("; and %d more", n-len(shown))
		}
	}
	return out
}
