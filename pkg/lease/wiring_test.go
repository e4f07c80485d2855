package lease_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// free are the steps that keep the ledger and need no lease: what they write is about the execution itself, or tells people.
var free = map[string]string{
	"HoldExecution":    "holds the execution itself back",
	"AskAgain":         "writes what the execution waits for",
	"ReportConflict":   "tells of what an answer found",
	"ReportUnreadable": "tells of what an answer found",
	"RefuseTransit":    "ends an execution whose look gave the lease back",
	"InjectRoutes":     "is under the lease for each notebook: pkg/notebook/batch.go",
	"WithdrawRoutes":   "is under the lease for each notebook: pkg/notebook/batch.go",
}

// states returns the names of the Task states of a machine, those of its Maps included.
func states(t *testing.T, machine string) []string {
	t.Helper()
	type state struct {
		Type          string
		ItemProcessor *struct{ States map[string]json.RawMessage }
	}
	var out []string
	var walk func(map[string]json.RawMessage)
	walk = func(all map[string]json.RawMessage) {
		for name, raw := range all {
			var s state
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatal(err)
			}
			if s.Type == "Task" {
				out = append(out, name)
			}
			if s.ItemProcessor != nil {
				walk(s.ItemProcessor.States)
			}
		}
	}
	raw, err := os.ReadFile(filepath.Join("..", "..", "infra", "template", machine+".asl.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ States map[string]json.RawMessage }
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	walk(m.States)
	return out
}

// uses matches a main that has its step from a package below steps.
var uses = regexp.MustCompile(`\b[a-z]+\.([A-Z]\w+)\(stage(?:\.Deciding\(\))?\)`)

// wirings are the texts of the functions of the packages below steps, by name.
func wirings(t *testing.T) map[string]string {
	files, err := filepath.Glob(filepath.Join("..", "steps", "*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range strings.Split(string(text), "\nfunc ")[1:] {
			name, _, _ := strings.Cut(one, "(")
			out[name] = one
		}
	}
	return out
}

// In every machine that one execution at a time works in, each step that keeps the ledger has the lease around it, works under it, or needs none: one that was
// redriven after another execution took the lease would else write what is not decided any more.
func TestEveryStepOfAMachineWorksUnderItsLease(t *testing.T) {
	word := regexp.MustCompile(`([a-z0-9])([A-Z])`)
	keeps := regexp.MustCompile(`ledger\.Open\(|\bs\.Ledger\b|\bunder\(s\b`)
	wired := wirings(t)
	used := map[string]bool{}
	for _, machine := range []string{"peering", "transit", "attachment", "data-api", "data-api-endpoint", "private-notebooks", "studio"} {
		around, under := 0, 0
		for _, name := range states(t, machine) {
			raw, err := os.ReadFile(filepath.Join("..", "..", "functions", strings.ToLower(word.ReplaceAllString(name, "$1-$2")), "main.go"))
			if err != nil {
				t.Fatal(err)
			}
			text := string(raw)
			if strings.Contains(text, "/pkg/steps/") {
				named := uses.FindStringSubmatch(text)
				if named == nil || wired[named[1]] == "" {
					t.Fatalf("the step of %s is not found below package steps: %v", name, named)
				}
				text = wired[named[1]]
			}
			switch {
			case !keeps.MatchString(text):
			case strings.Contains(text, ".Under("), strings.Contains(text, "under(s,"):
				under++
			case strings.Contains(text, "pkg/lease") || strings.Contains(text, "lease.Last(") || strings.Contains(text, ".One("):
				around++
			case free[name] != "":
				used[name] = true
			default:
				t.Errorf("%s: %s keeps the ledger, and is under no lease", machine, name)
			}
		}
		if around < 2 || under < 2 {
			t.Errorf("%s: %d steps have the lease around them, and %d are under it", machine, around, under)
		}
	}
	for name := range free {
		if !used[name] {
			t.Errorf("%s is said to need no lease, and is in no machine so", name)
		}
	}
}
