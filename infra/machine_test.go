package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// A machine's steps are its Task states, those and no others: whoever reads the one reads the other beside it.
func TestAMachineHasTheRightsOfItsStates(t *testing.T) {
	type states struct {
		States map[string]struct {
			Type          string
			ItemProcessor json.RawMessage
		}
	}
	var tasks func(text []byte) []string
	tasks = func(text []byte) (out []string) {
		var of states
		if err := json.Unmarshal(text, &of); err != nil {
			t.Fatal(err)
		}
		for name, s := range of.States {
			if s.Type == "Task" {
				out = append(out, name)
			}
			if s.ItemProcessor != nil {
				out = append(out, tasks(s.ItemProcessor)...)
			}
		}
		return out
	}
	for _, m := range machines() {
		text, err := os.ReadFile(filepath.Join("template", m.name+".asl.json"))
		if err != nil {
			t.Fatal(err)
		}
		have, want := slices.Sorted(maps.Keys(all(m.steps, heldSteps))), slices.Sorted(slices.Values(tasks(text)))
		if !slices.Equal(have, want) {
			t.Errorf("drawbridge-%s has the Task states\n%q\nand its file says what these may do:\n%q", m.name, want, have)
		}
	}
}

// What a state may do stands in the file that has the state.
func TestRightsStandBesideTheirStates(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	rights := 0
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		entries, named := map[string]bool{}, map[string]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				of, isMap := n.Type.(*ast.MapType)
				if !isMap {
					return true
				}
				if value, ok := of.Value.(*ast.Ident); !ok || value.Name != "step" {
					return true
				}
				for _, e := range n.Elts {
					entries[text(e.(*ast.KeyValueExpr).Key)] = true
				}
				return false
			case *ast.BasicLit:
				named[text(n)] = true
			}
			return true
		})
		for name := range entries {
			rights++
			if !named[name] {
				t.Errorf("%s says what %s may do, and does not have the state", path, name)
			}
		}
	}
	if want := len(functionNames()); rights != want {
		t.Errorf("found what %d states and listeners may do, of %d", rights, want)
	}
}

// text returns the text of a literal.
func text(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(literal.Value)
	return text
}
