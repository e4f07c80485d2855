package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shown are the commands of this program in a document: lines of its indented blocks, and what stands between backquotes in its sentences.
var shown = []*regexp.Regexp{regexp.MustCompile(`(?m)^ {4,}(?:bin/)?drawbridge ((?:[^\n]*\\\n)*[^\n]*)$`), regexp.MustCompile("`(?:bin/)?drawbridge ([a-z][^`\n]*)`")}

// Every command that a document shows is one that this program takes, with its flags and their values.
func TestTheCommandsOfTheDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	hops, err := filepath.Glob("../../docs/hops/*.md")
	if err != nil || len(hops) == 0 {
		t.Fatal(hops, err)
	}
	texts := map[string]string{}
	for _, path := range append(append(pages, hops...), "../../README.md", "../../CONTRIBUTING.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{"new.cedar", "policy.cedar", "FILE"} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for path, text := range texts {
		for _, form := range shown {
			for _, m := range form.FindAllStringSubmatch(text, -1) {
				line := strings.ReplaceAll(m[1], "\\\n", " ")
				for _, end := range []string{" > ", " | ", " #"} {
					line, _, _ = strings.Cut(line, end)
				}
				words := strings.Fields(strings.NewReplacer(`"`, "", "[", "", "]", "", "…", "", "ACCOUNT", "111111111111").Replace(line))
				if n++; form == shown[1] && (len(words) == 1 || words[0] == "policy" && len(words) == 2) { // no more than its name
					continue
				}
				if _, err := parser(&cli{}).Parse(words); err != nil {
					t.Errorf("%s: drawbridge %s: %v", filepath.Base(path), line, err)
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d commands are shown", n)
	}
}
