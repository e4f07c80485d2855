package history

import (
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
)

// most is how many things of one event a table names.
const most = 3

// Text implements [answer.Document].
func (h History) Text(p *answer.Page) {
	p.Title(h.ID)
	if len(h.Events) == 0 {
		p.Say("  ", "Nothing is written of it.")
	}
	head := []string{"at (UTC)", "who", "what"}
	if p.Wide() {
		head = []string{"at (UTC)", "who", "in", "what"}
	}
	var rows [][]string
	for _, e := range h.Events {
		row := []string{when(e), p.Paint(colors[e.Hand], e.By(p.Wide()))}
		if p.Wide() {
			row = append(row, strings.TrimSpace(e.Account+" "+e.Region))
		}
		rows = append(rows, append(row, e.Line(p.Wide())))
	}
	p.Table("  ", head, rows)
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

// By names whose hand it was: of an ARN what stands behind its last slash, or all of it where there is room.
func (e Event) By(wide bool) string {
	name := e.Who
	switch {
	case e.Hand == Drawbridge:
		return "Drawbridge"
	case name == "":
		return "not recorded"
	case !wide:
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	if e.Tool != "" {
		name += " (" + e.Tool + ")"
	}
	return name
}

// Line says what happened, in one line.
func (e Event) Line(wide bool) string {
	out := e.Detail
	if n := len(e.Things); n > 0 {
		shown := e.Things[:min(n, most)]
		out += ": " + strings.Join(shown, "; ")
		if n > len(shown) {
			out += fmt.Sprintf("; and %d more", n-len(shown))
		}
	}
	if e.Execution != "" && (wide || e.What == "execution") {
		out += " (" + e.Execution + ")"
	}
	return out
}
