package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestTheLocalEngineMatchesWhatIsWrittenDown asks the local engine what `make crosscheck` asks AWS's rule engine, so that a new rule or event without its line in
// matches.json is seen in seconds.
func TestTheLocalEngineMatchesWhatIsWrittenDown(t *testing.T) {
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, ".venv", "bin", "python")); err != nil && os.Getenv("CI") != "true" {
		t.Skip("run `make .venv/ready`")
	}
	all, err := cases(root)
	if err != nil {
		t.Fatal(err)
	}
	q, err := onTheirBuses(root, all)
	if err != nil {
		t.Fatal(err)
	}
	var said struct{ Matches [][]string }
	if err := askEngine(t.Context(), root, q, &said); err != nil {
		t.Fatal(err)
	}
	if len(said.Matches) != len(all) {
		t.Fatalf("%d answers to %d cases", len(said.Matches), len(all))
	}
	for i, c := range all {
		if !slices.Equal(said.Matches[i], c.Rules) {
			t.Errorf("%s matches %v, not %v: is it so? then `go run ./%s -update ruler`", c.Name, said.Matches[i], c.Rules, folder)
		}
	}
}
