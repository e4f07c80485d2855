package workflow_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// answering says of each package whose states' answers it gives.
var answering = map[string][]string{
	"peering": {"InspectPeering"}, "gatewaypair": {"InspectTransit"}, "attachment": {"InspectAttachment"}, "share": {"InspectShare"},
	"notebook": {"InspectNotebooks"}, "lifecycle": {"AttachRoutes"}, "dataapi": {"InspectDataApi"}, "dataapiendpoint": {"InspectDataApiEndpoint"},
	"studio": {"InspectStudio"}, "privatenotebooks": {"InspectPrivateNotebooks", "PlaceEndpoints", "RemoveEndpoints", "GrantNotebookAccess"},
	"hold": {"ResumeExecutions"}, "sweep": {"TallySweep"}, "rebuild": {"TallyRebuild"},
}

// What a package answers is what [workflow.Answers] says of its states, no more and no less: with the same of every Choice, in infra/template, no answer is
// without a way, and no way without an answer.
func TestPackagesAnswerWhatTheTableSays(t *testing.T) {
	values := constants(t, "answer.go", "Answer")
	states := map[string]bool{}
	for name, of := range answering {
		want := map[workflow.Answer]bool{}
		for _, state := range of {
			states[state] = true
			for _, a := range workflow.Answers[state] {
				if !slices.Contains(workflow.Results, workflow.Result(a)) {
					want[a] = true
				}
			}
		}
		got := map[workflow.Answer]bool{}
		for _, file := range sources(t, "../"+name) {
			for _, constant := range given(file) {
				got[workflow.Answer(values[constant])] = true
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("pkg/%s answers %v, the table says %v of %v", name, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)), of)
		}
	}
	for state := range workflow.Answers {
		if !states[state] {
			t.Errorf("this test does not know which package answers for %s", state)
		}
	}
}

// Every constant is in its list: an end state that no list knows has no guard.
func TestListsAreWhole(t *testing.T) {
	listed := map[string]bool{}
	for _, r := range workflow.Results {
		listed[string(r)] = true
	}
	for name, value := range constants(t, "result.go", "Result") {
		if !listed[value] {
			t.Errorf("%s is not among workflow.Results", name)
		}
	}
	answers := map[workflow.Answer]bool{}
	for _, of := range workflow.Answers {
		for _, a := range of {
			answers[a] = true
		}
	}
	for name, value := range constants(t, "answer.go", "Answer") {
		if !answers[workflow.Answer(value)] {
			t.Errorf("%s is the answer of no state", name)
		}
	}
}

// constants returns the values of a file's constants of a type, by their names.
func constants(t *testing.T, path, typ string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.ValueSpec); ok && len(s.Values) == 1 {
			of, typed := s.Type.(*ast.Ident)
			if value, ok := s.Values[0].(*ast.BasicLit); ok && typed && of.Name == typ {
				out[s.Names[0].Name] = strings.Trim(value.Value, `"`)
			}
		}
		return true
	})
	if len(out) == 0 {
		t.Fatalf("%s has no constants of the type %s", path, typ)
	}
	return out
}

// sources parses the files of a package, without its tests.
func sources(t *testing.T, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(dir + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, file)
	}
	if len(out) == 0 {
		t.Fatalf("no source in %s", dir)
	}
	return out
}

// given returns the constants workflow.Answer… that a file gives as an answer: not those that it compares one with.
func given(file *ast.File) []string {
	compared := map[ast.Node]bool{}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			compared[n.X], compared[n.Y] = true, true
		case *ast.CaseClause:
			for _, x := range n.List {
				compared[x] = true
			}
		case *ast.KeyValueExpr:
			compared[n.Key] = true
		case *ast.SelectorExpr:
			of, ok := n.X.(*ast.Ident)
			if ok && of.Name == "workflow" && strings.HasPrefix(n.Sel.Name, "Answer") && !compared[n] {
				out = append(out, n.Sel.Name)
			}
		}
		return true
	})
	return slices.DeleteFunc(out, func(name string) bool {
		return name == "Answer" || strings.HasSuffix(name, "Input") || strings.HasSuffix(name, "Output")
	})
}
