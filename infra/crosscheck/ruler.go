package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ruler asks AWS's own rule engine, which EventBridge is made of, whether each pattern compiles and which rules match
// each case. It asks the local engine the same, and holds it to the answers.
// https://github.com/aws/event-ruler
type ruler struct{ root string }

var rulerJars = []jar{
	{"software/amazon/event/ruler/event-ruler/2.1.0/event-ruler-2.1.0.jar", "0de916a30048f996f129d05eb3dc6871c89a462f1377c876fd2d34f2e04152fe"},
	{"ch/randelshofer/fastdoubleparser/2.0.1/fastdoubleparser-2.0.1.jar", "4242e2335299026524d331355a6cd75abdc38c8fed4402f25b5c7ce9d7668cc1"},
	{"com/fasterxml/jackson/core/jackson-annotations/2.22/jackson-annotations-2.22.jar", "21ddb598807d3a51a876704eb979d9296e1c6a6f47ab1826ff88c6d6a127a2d0"},
	{"com/fasterxml/jackson/core/jackson-core/2.22.2/jackson-core-2.22.2.jar", "ff167a6317be15895706c26668f45b898efe40ab8780970658210fe1393d52a6"},
	{"com/fasterxml/jackson/core/jackson-databind/2.22.2/jackson-databind-2.22.2.jar", "d0da14c12b16b5d54719aa172d83b542ff4abeb8b0fb7db476fde8ceece760ca"},
}

func (*ruler) Name() string { return "event-ruler 2.1.0" }

func (k *ruler) java() string { return filepath.Join(k.root, folder, "java") }

func (k *ruler) Get(ctx context.Context) error {
	for _, one := range rulerJars {
		if err := one.fetch(ctx, filepath.Join(k.java(), "jars")); err != nil {
			return err
		}
	}
	if _, err := command(ctx, k.java(), nil, "javac", "-version"); err != nil {
		return fmt.Errorf("a JDK, 17 or newer, is needed: %w", err)
	}
	return nil
}

// puzzle is what both matchers are asked; see java/Ruler.java.
type puzzle struct {
	Buses map[string]map[string]json.RawMessage `json:"buses"`
	Cases []onBuses                             `json:"cases"`
}

type onBuses struct {
	Event json.RawMessage `json:"event"`
	Buses []string        `json:"buses"`
}

func (k *ruler) Judge(ctx context.Context, r *report) error {
	all, err := cases(k.root)
	if err != nil {
		return err
	}
	q, err := onTheirBuses(k.root, all)
	if err != nil {
		return err
	}
	var said struct {
		Invalid map[string]string
		Matches [][]string
	}
	if err := ask(ctx, k.java(), q, &said, "java", "-cp", filepath.Join("jars", "*"), "Ruler.java"); err != nil {
		return err
	}
	if len(said.Matches) != len(all) {
		return fmt.Errorf("it says what matches for %d of %d cases", len(said.Matches), len(all))
	}
	for _, bus := range slices.Sorted(maps.Keys(q.Buses)) {
		for _, name := range slices.Sorted(maps.Keys(q.Buses[bus])) {
			wrong, isWrong := said.Invalid[bus+" "+name]
			r.Held(!isWrong, "the pattern of %s on %s does not compile: %s", name, bus, wrong)
		}
	}
	if *update {
		return rewrite(k.root, all, said.Matches)
	}
	matched := map[string]bool{}
	for i, c := range all {
		r.Held(slices.Equal(c.Rules, said.Matches[i]), "%s matches %v, not %v", c.Name, said.Matches[i], c.Rules)
		for _, name := range said.Matches[i] {
			matched[name] = true
		}
	}
	for bus, rules := range q.Buses {
		for name := range rules {
			if !matched[name] {
				r.Held(false, "no case matches %s on %s: add a sample to events/, or a variant to %s", name, bus, variantsFile)
			}
			matched[name] = true // once for all member accounts
		}
	}
	return k.engine(ctx, r, q, all, said.Matches)
}

// engine holds the matcher of the local engine to the answers of AWS's.
func (k *ruler) engine(ctx context.Context, r *report, q puzzle, all []Case, want [][]string) error {
	var said struct{ Matches [][]string }
	if err := askEngine(ctx, k.root, q, &said); err != nil {
		return err
	}
	if len(said.Matches) != len(all) {
		return fmt.Errorf("the local engine says what matches for %d of %d cases", len(said.Matches), len(all))
	}
	for i, c := range all {
		r.Held(slices.Equal(want[i], said.Matches[i]), "%s matches %v on the local engine, and %v in AWS", c.Name, said.Matches[i], want[i])
	}
	return nil
}

// askEngine puts a question to the local engine; see engine.py.
func askEngine(ctx context.Context, root string, question, answer any) error {
	python := filepath.Join(root, ".venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return fmt.Errorf("%s is missing: run `make .venv/ready`", python)
	}
	return ask(ctx, filepath.Join(root, "pkg", "local", "moto"), question, answer, "env", "PYTHONPATH=.", python, filepath.Join(root, folder, "engine.py"))
}

// onTheirBuses puts every case on the buses that it could come to: the default bus of its account, and those of the hub.
func onTheirBuses(root string, all []Case) (puzzle, error) {
	q := puzzle{Buses: map[string]map[string]json.RawMessage{}}
	known := map[string][]string{}
	for _, c := range all {
		var event struct{ Account string }
		if err := json.Unmarshal(c.Event, &event); err != nil || event.Account == "" {
			return q, fmt.Errorf("%s has no account: %v", c.Name, err)
		}
		if known[event.Account] == nil {
			buses, err := q.add(root, event.Account)
			if err != nil {
				return q, err
			}
			known[event.Account] = buses
		}
		q.Cases = append(q.Cases, onBuses{c.Event, slices.DeleteFunc(slices.Clone(known[event.Account]), func(bus string) bool {
			return c.InMember && strings.HasPrefix(bus, ofHub)
		})})
	}
	if len(q.Cases) == 0 || len(q.Buses) < 3 {
		return q, fmt.Errorf("%d cases on %d buses: there is nothing to ask", len(q.Cases), len(q.Buses))
	}
	return q, nil
}

// ofHub is how the buses of the hub's template begin.
const ofHub = "hub: "

// add adds the rules that what happens in an account can come to, and returns their buses.
func (q puzzle) add(root, account string) ([]string, error) {
	deployed, err := stacks(root, account)
	if err != nil {
		return nil, err
	}
	var buses []string
	for _, s := range deployed {
		rules, err := s.rules()
		if err != nil {
			return nil, err
		}
		for _, one := range rules {
			bus := s.account + " default"
			if one.EventBusName != "" {
				bus = s.account + " " + one.EventBusName
			}
			if s.name == hub {
				bus = ofHub + bus
			}
			if q.Buses[bus] == nil {
				q.Buses[bus] = map[string]json.RawMessage{}
			}
			q.Buses[bus][one.Name] = one.EventPattern
			if !slices.Contains(buses, bus) {
				buses = append(buses, bus)
			}
		}
	}
	return buses, nil
}

// rewrite keeps what the samples and variants match.
func rewrite(root string, all []Case, matches [][]string) error {
	kept := map[string][]string{}
	for i, c := range all {
		if c.Kept {
			kept[c.Name] = matches[i]
		}
	}
	text, err := json.MarshalIndent(kept, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, matchesFile), append(text, '\n'), 0o644)
}
