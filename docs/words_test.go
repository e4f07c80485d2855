package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// twins are the words that docs/words.md forbids.
func twins(t *testing.T) []string {
	t.Helper()
	var out, words []string
	for line := range strings.Lines(documents(t)["docs/words.md"]) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || strings.Contains(line, "---") || strings.TrimSpace(cells[0]) == "word" {
			continue
		}
		for word := range strings.SplitSeq(cells[0], ",") {
			words = append(words, strings.TrimSpace(word))
		}
		for twin := range strings.SplitSeq(cells[2], ",") {
			switch twin = strings.TrimSpace(twin); {
			case twin == "":
			case twin == strings.ToUpper(twin):
				out = append(out, twin)
			default:
				out = append(out, "(?i:"+regexp.QuoteMeta(twin)+")")
			}
		}
	}
	if len(words) < 20 || len(out) < 20 {
		t.Fatalf("docs/words.md has %d words and %d twins", len(words), len(out))
	}
	slices.Sort(words)
	if len(slices.Compact(slices.Clone(words))) != len(words) {
		t.Errorf("docs/words.md has a word twice: %v", words)
	}
	return out
}

// One word for one thing, in docs, comments and messages alike.
func TestNoTextUsesAForbiddenTwin(t *testing.T) {
	// As a word: not within an id, a link or a name in code. An acronym is one only in capitals.
	forbidden := regexp.MustCompile(`(?:^|[^\w/-])(` + strings.Join(twins(t), "|") + `)s?(?:$|[^\w/-])`)
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || slices.Contains([]string{"node_modules", "out", "bin", "dist", "cdk.out", "testdata"}, d.Name())) {
			return filepath.SkipDir
		}
		if path == filepath.Join("..", "docs", "words.md") || !slices.Contains([]string{".md", ".go", ".py", ".cedar", ".html", ".sh", ".tf"}, filepath.Ext(path)) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			if twin := strings.TrimSpace(forbidden.FindString(line)); twin != "" {
				t.Errorf("%s:%d says %q; docs/words.md has the word for it", path, number, twin)
			}
		}
		return nil
	})
	if err != nil || files < 500 {
		t.Fatalf("read %d files: %v", files, err)
	}
}
