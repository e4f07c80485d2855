package workflow_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Plans think and do nothing else: no SDK, no context, no clock, no environment, no log.
func TestPlansArePure(t *testing.T) {
	plans, err := filepath.Glob("../*/plan.go")
	if err != nil || len(plans) < 3 {
		t.Fatalf("found %d plans (%v), want at least 3", len(plans), err)
	}
	banned := []string{"context", "os", "log", "log/slog", "net/http", "math/rand", "io", "github.com/aws/"}
	for _, plan := range plans {
		file, err := parser.ParseFile(token.NewFileSet(), plan, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range file.Imports {
			path := strings.Trim(imported.Path.Value, `"`)
			for _, b := range banned {
				if path == b || strings.HasSuffix(b, "/") && strings.HasPrefix(path, b) {
					t.Errorf("%s imports %s; a plan is pure", plan, path)
				}
			}
		}
		// A plan may be told what time it is, and does not ask.
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := s.X.(*ast.Ident); ok && of.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker"}, s.Sel.Name) {
					t.Errorf("%s calls time.%s; a plan is pure", plan, s.Sel.Name)
				}
			}
			return true
		})
	}
}

// Every package says why it exists, and every exported name of ours what it means.
func TestEverythingIsDocumented(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == "cdk.out") {
			return filepath.SkipDir
		}
		if !d.IsDir() {
			return nil
		}
		packages, err := parser.ParseDir(token.NewFileSet(), path, func(i os.FileInfo) bool { return !strings.HasSuffix(i.Name(), "_test.go") }, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, p := range packages {
			seen++
			documented := false
			for name, file := range p.Files {
				documented = documented || file.Doc != nil
				for _, decl := range file.Decls {
					undocumented(t, name, decl)
				}
			}
			if !documented {
				t.Errorf("package %s in %s has no comment", p.Name, path)
			}
		}
		return nil
	})
	if err != nil || seen < 10 {
		t.Fatalf("walked over %d packages: %v", seen, err)
	}
}

func undocumented(t *testing.T, file string, decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && d.Recv == nil || method(d) && d.Doc == nil {
			t.Errorf("%s: %s has no comment", file, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					t.Errorf("%s: %s has no comment", file, s.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						t.Errorf("%s: %s has no comment", file, n)
					}
				}
			}
		}
	}
}

// method reports whether d is an exported method of an exported type that is more than a way of printing it.
func method(d *ast.FuncDecl) bool {
	if d.Recv == nil || !d.Name.IsExported() || d.Name.Name == "String" || d.Name.Name == "Error" {
		return false
	}
	receiver := d.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported()
}
