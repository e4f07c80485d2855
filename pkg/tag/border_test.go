package tag_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// sources returns the syntax of every file of pkg that is no test, by its path from pkg.
func sources(t *testing.T) (map[string]*ast.File, *token.FileSet) {
	t.Helper()
	files, set := map[string]*ast.File{}, token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(set, path, nil, 0)
		files[filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))] = file
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("found %d files", len(files))
	}
	return files, set
}

// plain are the functions that hand over the tags of AWS as they are, each with the reason.
var plain = map[string]string{
	"tag/ec2.go OfEC2":          "who calls it knows the kind, and cleans",
	"sweep/clusters.go tagsOf":  "who calls it cleans",
	"sweep/attachments.go Find": "only Drawbridge's own tags of an attachment are read",
	"dryrun/access.go":          "shows a step the tags as AWS would",
	"dryrun/role.go":            "shows a step the tags as AWS would",
	"dryrun/tag.go":             "shows a step the tags as AWS would",
	"export/read.go":            "the code that it writes keeps tags as they are",
	"dryrun/sagemaker.go":       "shows a step the tags as AWS would",
	"tag/tagger/apply.go":       "reads each value as it is written, for whoever says whether it means anything",
}

// Whatever reads tags from AWS into a map hands them over as [tag.Clean] returns them, so that nobody compares a value with
// the blanks and capitals of whoever wrote it.
func TestTagsAreReadAtTheBorder(t *testing.T) {
	files, _ := sources(t)
	read, used := 0, map[string]bool{}
	for path, file := range files {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil || strings.HasPrefix(path, "local/") {
				continue
			}
			maps, cleans := false, false
			ast.Inspect(f.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt: // tags[aws.ToString(t.Key)] = …
					for _, left := range n.Lhs {
						index, ok := left.(*ast.IndexExpr)
						if !ok {
							continue
						}
						if call, ok := index.Index.(*ast.CallExpr); ok && len(call.Args) == 1 {
							key, ok := call.Args[0].(*ast.SelectorExpr)
							maps = maps || ok && key.Sel.Name == "Key"
						}
					}
				case *ast.SelectorExpr:
					of, ok := n.X.(*ast.Ident)
					cleans = cleans || ok && of.Name == "tag" && n.Sel.Name == "Clean"
				}
				return true
			})
			if !maps {
				continue
			}
			read++
			name := path + " " + f.Name.Name
			_, excepted := plain[name]
			if _, all := plain[path]; all {
				name, excepted = path, true
			}
			used[name] = excepted
			if cleans == excepted {
				t.Errorf("%s: it makes a map of tags; it calls tag.Clean: %v, is excepted: %v", name, cleans, excepted)
			}
		}
	}
	if read < 12 {
		t.Errorf("only %d functions read tags", read)
	}
	for name := range plain {
		if !used[name] {
			t.Errorf("%s is excepted and reads no tags", name)
		}
	}
}

// The keys of wishes stand in this package alone. The world of the stories has them as its people write them.
func TestKeysAreWrittenOnce(t *testing.T) {
	files, set := sources(t)
	keys := map[string]bool{tag.Unclear: true}
	for _, w := range tag.Wishes {
		keys[w.Key] = true
	}
	seen := 0
	for path, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil || !keys[text] {
				return true
			}
			if path == "tag/tag.go" || path == "tag/value.go" {
				seen++
			} else if !strings.HasPrefix(path, "local/") && !strings.HasPrefix(path, "event/") {
				t.Errorf("%s: write the constant of package tag for %q", set.Position(literal.Pos()), text)
			}
			return true
		})
	}
	if seen != len(keys) {
		t.Errorf("package tag has %d of %d keys", seen, len(keys))
	}
}
