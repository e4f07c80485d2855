package answer

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Page is text for people that fits a width.
type Page struct {
	Width int
	Color bool

	b strings.Builder
}

// String is what was written.
func (p *Page) String() string { return p.b.String() }

// Wide reports whether there is room for more than the 80 columns that every terminal has.
func (p *Page) Wide() bool { return p.Width >= 120 }

// Gap writes an empty line, but none at the top.
func (p *Page) Gap() {
	if p.b.Len() > 0 {
		p.b.WriteByte('\n')
	}
}

// Verbatim writes text as it is, such as code that somebody copies.
func (p *Page) Verbatim(text string) { p.b.WriteString(text) }

// Title writes a heading.
func (p *Page) Title(words string) {
	p.Gap()
	fmt.Fprintln(&p.b, p.paint("1", words))
}

// Say writes a sentence, in lines that fit. Its further lines stand below the first one's text: as many columns in as the sentence's first words,
// lead, are wide.
func (p *Page) Say(lead, format string, args ...any) {
	words := fmt.Sprintf(format, args...)
	wide := text.RuneWidthWithoutEscSequences(lead)
	for part := range strings.SplitSeq(words, "\n") {
		for _, line := range strings.Split(text.WrapSoft(part, max(p.Width-wide, 20)), "\n") {
			fmt.Fprintln(&p.b, strings.TrimRight(lead+line, " "))
			lead = strings.Repeat(" ", wide)
		}
	}
}

// Called is what people call an identity: what stands behind the last slash of its ARN; of an account's root user, whose it is.
func Called(identity string) string {
	if parts := strings.Split(identity, ":"); len(parts) == 6 && parts[5] == "root" {
		return "root of " + parts[4]
	}
	return identity[strings.LastIndexByte(identity, '/')+1:]
}

// Clauses is a sentence of several parts, as reasons are, with each part in a line of its own.
func Clauses(words string) string { return strings.ReplaceAll(words, "; ", ";\n") }

// Command writes a command to be copied: in lines that a shell joins again.
func (p *Page) Command(lead string, words []string) {
	fmt.Fprintln(&p.b, Shell(words, p.Width, lead))
}

// Shell returns a command as a shell reads it, in lines of at most a width that begin with lead: an option stays with its values. A line goes on after
// a backslash. Width 0 is one line.
func Shell(words []string, width int, lead string) string {
	var parts []string
	for n, w := range words {
		if n > 0 && !strings.HasPrefix(w, "--") && strings.HasPrefix(parts[len(parts)-1], "--") {
			parts[len(parts)-1] += " " + quoted(w)
			continue
		}
		parts = append(parts, quoted(w))
	}
	lines := []string{lead + parts[0]}
	for _, part := range parts[1:] {
		last := &lines[len(lines)-1]
		if width > 0 && utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(part) > width-2 {
			*last += ` \`
			lines = append(lines, lead+"  "+part)
			continue
		}
		*last += " " + part
	}
	return strings.Join(lines, "\n")
}

// quoted is a word as a POSIX shell takes it.
func quoted(w string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@%+", r)
	}
	if w != "" && strings.IndexFunc(w, func(r rune) bool { return !plain(r) }) < 0 {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// Table writes rows under a head, fit into the width: the last column is folded first, then the widest.
func (p *Page) Table(lead string, head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatUpper
	t.SetStyle(style)
	var configs []table.ColumnConfig
	for n, w := range fit(head, rows, p.Width-len(lead)) {
		configs = append(configs, table.ColumnConfig{Number: n + 1, WidthMax: w, WidthMaxEnforcer: text.WrapSoft})
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(cells(head))
	for _, r := range rows {
		t.AppendRow(cells(r))
	}
	for line := range strings.Lines(t.Render() + "\n") {
		fmt.Fprintln(&p.b, lead+strings.TrimRight(line, " \n"))
	}
}

func cells(words []string) table.Row {
	var out table.Row
	for _, w := range words {
		out = append(out, w)
	}
	return out
}

// gap is between two columns, and narrow is what no column is folded below.
const gap, narrow = 2, 12

// fit returns the widths of columns.
func fit(head []string, rows [][]string, width int) []int {
	widths := make([]int, len(head))
	for _, r := range append([][]string{head}, rows...) {
		for n, cell := range r {
			widths[n] = max(widths[n], text.RuneWidthWithoutEscSequences(cell))
		}
	}
	total := gap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	last := len(widths) - 1
	if over := total - width; over > 0 && widths[last] > 2*narrow {
		less := min(over, widths[last]-2*narrow)
		widths[last], total = widths[last]-less, total-less
	}
	for total > width {
		widest := slices.Index(widths, slices.Max(widths))
		if widths[widest] <= narrow {
			break
		}
		widths[widest]--
		total--
	}
	return widths
}

// The colours of an answer, as terminals know them.
const (
	Good   = "32" // green
	Bad    = "31" // red
	Unsure = "33" // yellow
)

// Paint returns words in a colour, where there is colour.
func (p *Page) Paint(color, words string) string { return p.paint(color, words) }

// Mark is the mark of an answer in its colour: ✓ of yes, ✗ of no, ? of unknown.
func (p *Page) Mark(of string) string {
	switch of {
	case "yes":
		return p.Paint(Good, "✓")
	case "no":
		return p.Paint(Bad, "✗")
	}
	return p.Paint(Unsure, "?")
}

func (p *Page) paint(code, words string) string {
	if !p.Color || words == "" {
		return words
	}
	return "\x1b[" + code + "m" + words + "\x1b[0m"
}

// Age says how long ago something was, in one unit: 40s, 12m, 5h, 3d. Of no time it is "".
func Age(at, now time.Time) string {
	d := max(now.Sub(at), 0)
	switch {
	case at.IsZero():
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
