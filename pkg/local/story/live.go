package story

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// Live writes facts as lines of at most [Width] columns while they happen. It is shorter than the golden text: of the ledger it tells how often it was
// read and written, and of a path that holds no hop.
type Live struct {
	mu    sync.Mutex
	out   io.Writer
	style style
	scale float64
	began time.Time
	seen  map[string]bool // ids of events told
}

// NewLive tells a story on out, with colour if asked, and says how much shorter
// than written the waits are (scale 1 is real time).
func NewLive(out io.Writer, colour bool, scale float64) *Live {
	return &Live{out: out, style: style{colour}, scale: scale, began: time.Now(), seen: map[string]bool{}}
}

// Tell writes one fact.
func (l *Live) Tell(f Fact) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch f := f.(type) {
	case Event:
		if !l.seen[f.ID] { // a forwarded event is the same event
			l.seen[f.ID] = true
			l.line(0, f.text())
		}
	case Delivery:
		l.line(0, f.text())
	case Start:
		if f.Redriven {
			l.line(0, "machine "+f.Machine+" is redriven")
		} else {
			l.line(0, "machine "+f.Machine+" starts")
		}
	case Entered:
		if f.Type == "Wait" {
			played := ""
			if l.scale != 1 {
				played = ", played in " + seconds(f.Seconds*l.scale)
			}
			l.line(0, fmt.Sprintf("%s waits %s%s", f.State, seconds(f.Seconds), played))
		}
	case Step:
		l.step(f)
	case End:
		l.line(0, l.style.strong("end "+f.text()))
	}
}

func (l *Live) step(s Step) {
	head := s.State
	if s.Account != "" {
		head += " for " + s.Account
	}
	if o := s.Outcome(); o != "" {
		head += " → " + o
	}
	if s.Failed {
		head = l.style.bad(head)
	} else {
		head = l.style.strong(head)
	}
	l.line(0, head)
	for _, g := range groups(s.Calls) {
		where := g.account + " " + g.region
		if g.role != "" {
			where += " as " + g.role
		}
		l.line(2, where)
		for _, t := range briefly(g.calls) {
			l.line(4, l.style.faint(t))
		}
	}
	whole := false
	for _, h := range s.Hops() {
		if strings.HasPrefix(h.Hop, " ") && whole {
			continue // of a path that holds
		}
		whole = h.OK
		mark := l.style.good(Mark(true))
		if !h.OK {
			mark = l.style.bad(h.Mark())
		}
		l.line(2, mark+" "+h.Hop+": "+h.Detail)
	}
}

// briefly tells calls: of those of DynamoDB, which has nothing but the ledger, how many worked.
func briefly(calls []awscall.Call) []string {
	var out []string
	reads, writes := 0, 0
	for _, c := range calls {
		switch {
		case c.Service != "dynamodb" || c.Error != "" || c.Status >= 300:
			out = append(out, callText(c))
		case strings.Contains(c.Action, "Write") || strings.HasPrefix(c.Action, "Put") || strings.HasPrefix(c.Action, "Update") || strings.HasPrefix(c.Action, "Delete"):
			writes++
		default:
			reads++
		}
	}
	if reads+writes > 0 {
		out = append(out, fmt.Sprintf("dynamodb: the ledger, %s, %s", fit.Count(reads, "read"), fit.Count(writes, "write")))
	}
	return out
}

// line writes the time since the beginning and a line that is wrapped below
// itself.
func (l *Live) line(indent int, text string) {
	const stamp = 9 // "  1.23 s "
	at := fmt.Sprintf("%6.2f s ", time.Since(l.began).Seconds())
	if indent > 0 {
		at = strings.Repeat(" ", stamp)
	}
	for i, part := range Wrap(strings.Repeat(" ", indent)+text, Width-stamp, indent+2) {
		if i > 0 {
			at = strings.Repeat(" ", stamp)
		}
		_, _ = fmt.Fprintln(l.out, at+part)
	}
}
