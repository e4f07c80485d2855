package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/why"
)

// hopPages are the pages of docs/hops by the code of their hop.
func hopPages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("hops/*.md")
	if err != nil || len(files) < len(why.Codes) {
		t.Fatalf("docs/hops has %d pages: %v", len(files), err)
	}
	out := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if code := strings.TrimSuffix(filepath.Base(file), ".md"); code != "README" {
			out[code] = string(text)
		}
	}
	return out
}

// Every code of a hop has its page, every page is of a code, and the table of all of them is made from what the pages say first.
func TestEveryHopHasItsPage(t *testing.T) {
	pages := hopPages(t)
	for code := range pages {
		if !slices.Contains(why.Codes, code) {
			t.Errorf("docs/hops/%s.md is of no hop", code)
		}
	}
	rows := table("hop", "judges", "✗", "whose it is")
	for _, code := range why.Codes {
		page := pages[code]
		said := regexp.MustCompile(`(?s)\A# ` + regexp.QuoteMeta(code) + `\n\n(.+?)\n\n\[All hops\]\(README\.md\)\n\n- \*\*✗\*\* (.+?)\n- \*\*\?\*\* .+?\n- \*\*Whose\*\* (.+?)\n\n` +
			`## See it by hand\n.+\n## Mend it\n.+\n## What ` + "`why`" + ` prints\n\n` + "```text\n.+```\n\\z").FindStringSubmatch(page)
		if said == nil {
			t.Errorf("docs/hops/%s.md is not there, or does not have the form of the others", code)
			continue
		}
		if lines := strings.Count(page, "\n"); lines > 60 {
			t.Errorf("docs/hops/%s.md has %d lines; nobody reads so much who only wants to connect", code, lines)
		}
		cells := []string{"[" + code + "](" + code + ".md)"}
		for _, cell := range said[1:] {
			cells = append(cells, strings.Join(strings.Fields(cell), " "))
		}
		rows = append(rows, row(cells...))
	}
	if !t.Failed() {
		holdTable(t, "hops/README.md", "hops", strings.Join(rows, "\n")+"\n")
	}
}

// Each page says by which calls of the AWS CLI somebody sees the hop; those, and those that mend it, are held against the AWS CLI.
func TestTheCommandsOfHopsAreThoseOfTheAWSCLI(t *testing.T) {
	ready(t, python, ".venv-docs/ready")
	var all []command
	for code, page := range hopPages(t) {
		seen := 0
		see, mend, _ := strings.Cut(page, "\n## Mend it\n")
		for n, part := range []string{see, mend} {
			for line := range strings.Lines(strings.ReplaceAll(part, "\\\n", " ")) {
				if !strings.HasPrefix(line, "    aws ") {
					continue
				}
				c := command{line: "docs/hops/" + code + ".md: " + strings.Join(strings.Fields(line), " "), words: split(t, strings.TrimSpace(line))}
				if n == 0 {
					seen++
				}
				if c.words[2] != "wait" { // it asks until the answer is the one that it waits for
					all = append(all, c)
				}
			}
		}
		if seen == 0 {
			t.Errorf("docs/hops/%s.md has no command by which somebody sees it", code)
		}
	}
	heldByTheCLI(t, all)
}
