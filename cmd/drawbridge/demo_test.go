package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheDemoIsBuiltOfWhatItPlays holds the functions that make demo builds against the states that are functions of the story that it is: S1, and a restart by the owner.
func TestTheDemoIsBuiltOfWhatItPlays(t *testing.T) {
	root := filepath.Join("..", "..")
	made, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile(filepath.Join(root, "docs", "stories", "notebook-running.md"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^S1 := (.*)$`).FindSubmatch(made)
	if line == nil {
		t.Fatal("the Makefile does not say what S1 plays")
	}
	var played []string
	for _, state := range regexp.MustCompile(`(?m)^  ([A-Z][A-Za-z]+)`).FindAllStringSubmatch(string(told), -1) {
		name := strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(state[1], "$1-$2"))
		if _, err := os.Stat(filepath.Join(root, "functions", name)); err == nil {
			played = append(played, name)
		}
	}
	slices.Sort(played)
	if played = slices.Compact(played); !slices.Equal(strings.Fields(string(line[1])), played) {
		t.Errorf("make demo builds %s, and S1 plays %q", line[1], played)
	}
}
