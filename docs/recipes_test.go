package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What a document names in the code is there: each test, and each file and folder. So a recipe of CONTRIBUTING sends nobody to a place that was moved.
// Decisions are as they were when they were made.
func TestWhatDocumentsNameInTheCodeIsThere(t *testing.T) {
	tests := map[string]bool{} // by name, and by folder and name
	test := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && (strings.HasPrefix(name, ".") && name != ".." || name == "node_modules" || name == "out") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range test.FindAllStringSubmatch(string(text), -1) {
			tests[m[1]], tests[filepath.ToSlash(filepath.Dir(path))[3:]+": "+m[1]] = true, true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// `pkg/event: TestEverySampleIsRead`, and tests without a package, in a sentence or a command.
	named := regexp.MustCompile(`(?:([a-z][a-z/]*): )?\b(Test[A-Z]\w+)`)
	place := regexp.MustCompile("`((?:cmd|docs|events|functions|infra|pkg)/[\\w./-]+)`")
	found := 0
	for name, text := range documents(t) {
		if strings.HasPrefix(name, "docs/decisions/") || strings.HasPrefix(name, "docs/stories/") {
			continue
		}
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			found++
			of := m[2]
			if m[1] != "" {
				of = m[1] + ": " + m[2]
			}
			if m[2] != "TestName" && !tests[of] { // the form in which SECURITY.md names them
				t.Errorf("%s names the test %s, which is not there", name, of)
			}
		}
		for _, m := range place.FindAllStringSubmatch(text, -1) {
			found++
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				t.Errorf("%s names %s, which is not there", name, m[1])
			}
		}
	}
	if found < 100 {
		t.Fatalf("the documents name %d tests, files and folders", found)
	}
}
