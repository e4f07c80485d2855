package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/tour.md quotes stands in the files that its headings name, in this order: five files of code, and an event.
func TestTheTourQuotesTruly(t *testing.T) {
	text := documents(t)["docs/tour.md"]
	heads := regexp.MustCompile(`^[^\n]*\[([a-z_./-]+)\]\(\.\./([^)]+)\)`)
	quoted := regexp.MustCompile("(?s)```(?:go|json)\n(.*?)```")
	files := 0
	for _, section := range strings.Split(text, "\n## ")[1:] {
		head := heads.FindStringSubmatch(section)
		if head == nil {
			continue
		}
		files++
		path := head[1]
		if head[2] != path {
			t.Errorf("docs/tour.md names %s, and leads to %s", path, head[2])
		}
		code, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Fatal(err)
		}
		rest, lines := string(code), 0
		for _, block := range quoted.FindAllStringSubmatch(section, -1) {
			for line := range strings.Lines(block[1]) {
				if line = strings.TrimSpace(line); line == "…" {
					continue
				}
				lines++
				_, after, found := strings.Cut(rest, line)
				if !found {
					t.Errorf("docs/tour.md quotes %s, where it does not stand, or not in this order:\n%s", path, line)
					continue
				}
				rest = after
			}
		}
		if lines == 0 || lines > 8 {
			t.Errorf("docs/tour.md quotes %d lines of %s: the few that matter", lines, path)
		}
	}
	if files != 6 {
		t.Errorf("docs/tour.md leads through %d files, want an event and five", files)
	}
}
