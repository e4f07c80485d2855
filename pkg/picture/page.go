package picture

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

var (
	//go:embed page.html
	frame string
	//go:embed page.css
	style string
	//go:embed page.js
	script string
)

// Live says how a page learns of what is new; the zero value is a page that stands for itself.
type Live struct {
	// Seconds is how long it waits between two questions.
	Seconds int
}

// Page is the one file that shows a document to people: nothing in it comes from elsewhere. The same document gives the same bytes.
func Page(m Map, live Live) (string, error) {
	data, err := json.Marshal(m) // writes <, > and & as \u003c and so on: the block ends where it should
	if err != nil {
		return "", fmt.Errorf("writing the picture's data: %w", err)
	}
	css := drawing + style
	return strings.NewReplacer("{{policy}}", escape(policy(css, live)), "{{style}}", css, "{{script}}", script, "{{data}}", string(data), "{{drawing}}", Drawing(m),
		"{{live}}", fmt.Sprint(live.Seconds), "{{sentence}}", escape(m.Sentence()), "{{hub}}", escape(m.where()), "{{unread}}", unread(m)).Replace(frame), nil
}

// where says which hub the document is of, and when it was made.
func (m Map) where() string {
	return fmt.Sprintf("hub %s, %s, as of %s", m.Hub.Account, m.Hub.Region, m.At.UTC().Format("2006-01-02 15:04 MST"))
}

func unread(m Map) string {
	var b strings.Builder
	for _, u := range m.Unread {
		fmt.Fprintf(&b, "<p class=\"unread\">? %s</p>", escape(u))
	}
	return b.String()
}

// policy is the content security policy of a page: its own script and style by their digests, and, if it is live, questions to where it came from.
// https://www.w3.org/TR/CSP3/
func policy(css string, live Live) string {
	connect := "'none'"
	if live.Seconds > 0 {
		connect = "'self'"
	}
	return fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; connect-src %s; base-uri 'none'; form-action 'none'", digest(script), digest(css), connect)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Drawing is the drawing as a page has it: what belongs to a connection can be reached and opened.
func Drawing(m Map) string {
	l := Lay(m)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="drawing" id="drawing" viewBox="0 0 %d %d" data-width="%d" data-height="%d" role="group" aria-label="Drawing; the table below has the same">`+"\n",
		l.Width, l.Height, l.Width, l.Height)
	(&drawer{b: &b, m: m, l: l, live: true}).all()
	b.WriteString("</svg>")
	return b.String()
}
