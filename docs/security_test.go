package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/infra/rights"
)

// Each line of the threat model names what holds it, and each test and story that it names is there.
func TestWhatHoldsEachThreatIsThere(t *testing.T) {
	_, list, _ := strings.Cut(documents(t)["SECURITY.md"], "<!-- threats: begin -->\n")
	list, _, found := strings.Cut(list, "<!-- threats: end -->")
	rows := regexp.MustCompile(`(?m)^\| (?:[^|\n]+ \| ){3}([^|\n]+) \|$`).FindAllStringSubmatch(list, -1)
	if !found || len(rows) != strings.Count(list, "\n") || len(rows) < 20 {
		t.Fatalf("SECURITY.md has %d threats in a table of %d lines", len(rows)-2, strings.Count(list, "\n"))
	}
	tests := map[string]string{}
	for _, r := range rows[2:] {
		if holders := holding(t, tests, "SECURITY.md", r[1]); holders == 0 || holders != strings.Count(r[1], ",")+1 {
			t.Errorf("SECURITY.md says %q of what holds a line", r[1])
		}
	}
}

// Each write that code alone keeps within its opt-in names what tries it without, and each test and story that is named is there.
func TestWhatTriesWithoutAnOptInIsThere(t *testing.T) {
	tests := map[string]string{}
	byCode := 0
	for _, l := range rights.Lines {
		if l.Code == "" {
			continue
		}
		byCode++
		for _, of := range l.Tried {
			named := "`" + of + "`"
			if story, told := strings.CutPrefix(of, "story "); told {
				named = "story `" + story + "`"
			}
			if holding(t, tests, "docs/rights.md", named) != 1 {
				t.Errorf("docs/rights.md says that %s is tried by %q, which is no test and no story", l.On, of)
			}
		}
	}
	if byCode < 20 {
		t.Fatalf("code enforces %d lines", byCode)
	}
}

// holding counts the tests and stories that a text names, each of which has to be there. tests is what was read of packages before.
func holding(t *testing.T, tests map[string]string, where, text string) int {
	t.Helper()
	holders := 0
	for _, m := range regexp.MustCompile("story `([^`]+)`").FindAllStringSubmatch(text, -1) {
		holders++
		if !regexp.MustCompile(`name: +"` + regexp.QuoteMeta(m[1]) + `"`).MatchString(sources(t, "../pkg/local/stories/*.go")) {
			t.Errorf("%s names the story %s, which nobody tells", where, m[1])
		}
	}
	for _, m := range regexp.MustCompile("`([a-z/]+): (Test[A-Za-z0-9]+)`").FindAllStringSubmatch(text, -1) {
		holders++
		if tests[m[1]] == "" {
			tests[m[1]] = sources(t, "../"+m[1]+"/*_test.go")
		}
		if !strings.Contains(tests[m[1]], "\nfunc "+m[2]+"(t *testing.T)") {
			t.Errorf("%s names %s of %s, which is not there", where, m[2], m[1])
		}
	}
	return holders
}

// sources returns the text of all files of a pattern; none is wrong.
func sources(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("found nothing at %s: %v", pattern, err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
