// Package docs holds the documents for people to the tree: their links lead somewhere, and the runbook has an entry for
// everything that an execution can end with.
package docs

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// documents returns the text of every Markdown file of the repository by its path from the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (strings.HasPrefix(name, ".") && name != ".." || slices.Contains([]string{"node_modules", "out", "bin", "dist", "cdk.out"}, name)) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		all[filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/runbook.md", "docs/deploy.md", "docs/policy.md", "docs/decisions/README.md"} {
		if all[must] == "" {
			t.Fatalf("%s is missing or empty", must)
		}
	}
	return all
}

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	code    = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
)

// prose returns a document without code.
func prose(text string) string {
	var kept []string
	for line := range strings.Lines(fence.ReplaceAllString(text, "")) {
		if !strings.HasPrefix(line, "    ") {
			kept = append(kept, line)
		}
	}
	return code.ReplaceAllString(strings.Join(kept, ""), "")
}

// anchors returns the anchors of a document's headings, as GitHub makes them.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		var b strings.Builder
		for _, r := range strings.ToLower(m[1]) {
			switch {
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				b.WriteRune(r)
			case r == ' ':
				b.WriteByte('-')
			}
		}
		all = append(all, b.String())
	}
	return all
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	all, followed := documents(t), 0
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(prose(text), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			followed++
			path, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), path))
				if _, err := os.Stat(filepath.Join("..", target)); err != nil {
					t.Errorf("%s links to %s, which does not exist", name, m[1])
					continue
				}
			}
			if anchor != "" && !slices.Contains(anchors(all[target]), anchor) {
				t.Errorf("%s links to %s, but %s has no such heading", name, m[1], target)
			}
		}
	}
	if followed == 0 {
		t.Fatal("found no links")
	}
}

// entries returns the headings of the runbook, without what is in brackets behind them.
func entries(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, m := range heading.FindAllStringSubmatch(documents(t)["docs/runbook.md"], -1) {
		all = append(all, m[1])
	}
	return all
}

// ends returns the Succeed states in which an execution ends: those at the top of a machine, not inside a Map.
func ends(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../infra/template/*.asl.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no machines: %v", err)
	}
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			States map[string]struct{ Type string }
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		here := 0
		for name, s := range m.States {
			if s.Type == "Succeed" {
				all, here = append(all, name), here+1
			}
		}
		if here == 0 {
			t.Fatalf("%s has no Succeed state", file)
		}
	}
	return all
}

func TestTheRunbookHasAnEntryForEveryEnd(t *testing.T) {
	headings, all := entries(t), ends(t)
	for _, r := range workflow.Results {
		all = append(all, string(r))
	}
	for _, end := range all {
		if !slices.Contains(headings, end) && !slices.Contains(headings, end+" (end state)") {
			t.Errorf("docs/runbook.md has no entry for the end state %s", end)
		}
	}
	if len(fault.Kinds()) == 0 {
		t.Fatal("pkg/fault has no kinds")
	}
	for _, kind := range fault.Kinds() {
		if !slices.Contains(headings, string(kind)) && !slices.Contains(headings, string(kind)+" (error)") {
			t.Errorf("docs/runbook.md has no entry for the error %s", kind)
		}
	}
}

// The event that the runbook tells people to write by hand is one that is understood.
func TestTheRunbooksEventIsAnEvent(t *testing.T) {
	fenced := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(documents(t)["docs/runbook.md"], -1)
	if len(fenced) != 1 {
		t.Fatalf("docs/runbook.md has %d pieces of JSON, want the one event", len(fenced))
	}
	e, err := event.Parse([]byte(fenced[0][1]))
	if err != nil {
		t.Fatal(err)
	}
	if e.Kind != event.Peering || e.PeeringID == "" {
		t.Errorf("it is read as %+v", e)
	}
}

// Every decision is listed, has the three parts, and fits a page.
func TestDecisionsHaveTheirForm(t *testing.T) {
	all, seen := documents(t), 0
	for name, text := range all {
		if !strings.HasPrefix(name, "docs/decisions/") || name == "docs/decisions/README.md" {
			continue
		}
		seen++
		if !strings.Contains(all["docs/decisions/README.md"], "("+filepath.Base(name)+")") {
			t.Errorf("%s is not listed in docs/decisions/README.md", name)
		}
		for _, part := range []string{"## Context", "## Decision", "## Consequences"} {
			if !strings.Contains(text, "\n"+part+"\n") {
				t.Errorf("%s has no %q", name, part)
			}
		}
		if lines := strings.Count(text, "\n"); lines > 60 {
			t.Errorf("%s has %d lines: a decision fits a page", name, lines)
		}
	}
	if seen == 0 {
		t.Fatal("there are no decisions")
	}
}

var (
	decided   = regexp.MustCompile(`docs/decisions/(\d{4})-[^/]*\.md$`)
	number    = regexp.MustCompile(`\b\d{4}\b`)
	overrules = regexp.MustCompile(`(?i)supersedes[^;]*?(?:\. |;|$)`)
	overruled = regexp.MustCompile(`(?i)superseded [^:;]*?by [^:;.]*`)
)

// A decision that supersedes another says so above its context, the other says by which, and so does the list.
func TestDecisionsThatAreSupersededSaySo(t *testing.T) {
	all, new, old := documents(t), map[string]bool{}, map[string]bool{}
	for name, text := range all {
		m := decided.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		head, _, _ := strings.Cut(link.ReplaceAllString(text, "]"), "## Context")
		head = strings.Join(strings.Fields(head), " ")
		for _, said := range overrules.FindAllString(head, -1) {
			for _, other := range number.FindAllString(said, -1) {
				new[m[1]+" supersedes "+other] = true
			}
		}
		for _, said := range overruled.FindAllString(head, -1) {
			for _, other := range number.FindAllString(said, -1) {
				old[other+" supersedes "+m[1]] = true
			}
		}
		row := regexp.MustCompile(`(?m)^\| \[` + m[1] + `\].*$`).FindString(all["docs/decisions/README.md"])
		if strings.Contains(head, "Superseded") && !strings.Contains(row, "superseded by") {
			t.Errorf("docs/decisions/README.md does not say that %s is superseded", m[1])
		}
	}
	if len(new) == 0 {
		t.Fatal("no decision supersedes another")
	}
	for pair := range new {
		if !old[pair] {
			t.Errorf("%s, and the latter does not say so", pair)
		}
	}
	for pair := range old {
		if !new[pair] {
			t.Errorf("%s, and the former does not say so", pair)
		}
	}
}
