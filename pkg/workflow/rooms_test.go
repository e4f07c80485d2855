package workflow_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The limits of a file and of a function. What is longer is harder to read than to divide.
const (
	fileLines      = 400
	functionLines  = 80
	mostParameters = 5 // beside the context
)

// tables are files that may be longer, because they are a table.
var tables = []string{"infra/rights/table.go"}

// eachSource calls do with each file of the repository's own code, by its path from the root.
func eachSource(t *testing.T, ending string, do func(path string, text []byte)) {
	t.Helper()
	seen := 0
	err := fs.WalkDir(os.DirFS("../.."), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "bin", "testdata", "cdk.out"}, d.Name())):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ending) || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/tests/"):
			return nil
		}
		text, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			return err
		}
		seen++
		do(path, text)
		return nil
	})
	if err != nil || seen < 10 {
		t.Fatalf("read %d files that end with %s: %v", seen, ending, err)
	}
}

func TestNoFileDoesTwoJobs(t *testing.T) {
	for _, ending := range []string{".go", ".py"} {
		eachSource(t, ending, func(path string, text []byte) {
			if lines := strings.Count(string(text), "\n"); lines > fileLines && !slices.Contains(tables, path) {
				t.Errorf("%s has %d lines, %d at most: divide it by what it does", path, lines, fileLines)
			}
		})
	}
}

// A package comment that lists the package's files lists each of them, and none that is not there.
func TestAPackageThatListsItsFilesListsThemAll(t *testing.T) {
	files, lists := map[string][]string{}, map[string]string{}
	comment, line := regexp.MustCompile(`(?m)(?:^//.*\n)+^package `), regexp.MustCompile(`(?m)^//\t[a-z_0-9]+\.go`)
	eachSource(t, ".go", func(path string, text []byte) {
		room := filepath.Dir(path)
		files[room] = append(files[room], filepath.Base(path))
		if found := comment.Find(text); line.Match(found) {
			lists[room] = string(found)
		}
	})
	if len(lists) < 30 {
		t.Fatalf("%d packages list their files", len(lists))
	}
	name := regexp.MustCompile(`\b[a-z_0-9]+\.go\b`)
	for room, list := range lists {
		named := name.FindAllString(list, -1)
		for _, file := range files[room] {
			if !slices.Contains(named, file) {
				t.Errorf("the comment of %s lists its files, without %s", room, file)
			}
		}
		for _, l := range line.FindAllString(list, -1) {
			if file := strings.TrimPrefix(l, "//\t"); !slices.Contains(files[room], file) {
				t.Errorf("the comment of %s lists %s, which is not there", room, file)
			}
		}
	}
}

// A reason is a sentence of the function's comment: "Long, because …" or "Many parameters, because …".
var reason = regexp.MustCompile(`(?s)(Long|[Mm]any\s+parameters),\s.*because`)

func TestFunctionsAreShortOrSayWhyNot(t *testing.T) {
	functions := 0
	eachSource(t, ".go", func(path string, text []byte) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			functions++
			lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1
			parameters := 0
			for n, p := range f.Type.Params.List {
				if of, ok := p.Type.(*ast.SelectorExpr); ok && n == 0 && of.Sel.Name == "Context" {
					continue
				}
				parameters += max(1, len(p.Names))
			}
			short := lines <= functionLines && parameters <= mostParameters
			if said := reason.MatchString(f.Doc.Text()); short == said {
				t.Errorf("%s: %s has %d lines and %d parameters beside the context, of %d and %d; that it says why is %t", path, f.Name.Name, lines, parameters, functionLines, mostParameters, said)
			}
		}
	})
	if functions < 1000 {
		t.Fatalf("found %d functions", functions)
	}
}

// floors are the rooms of pkg from below: a package imports only from its own floor and from those below. docs/architecture.md says what each is for.
var floors = []struct {
	name     string
	packages string
}{
	{"words", "answer answer/answertest arn asl database database/databasetest event fault fit iampolicy ledger ledger/ledgertest manual mode network policy policy/parameter policydocument road tag tag/tagtest workflow"},
	{"hub", "account brake contest contest/report cover deadletter deadletter/replay fact hold lease look notice owner participant restart"},
	{"steps", "dnsoption endpoint firewall lifecycle lifecycle/netproof network/discover route tag/tagger"},
	{"controllers", "attachment connection dataapi dataapiendpoint gatewaypair notebook notebook/notebooktest peering privatenotebooks share studio studio/snippet survey tag/answer verdict"},
	{"fleet", "failure fanout preview rebuild steps steps/change steps/contest steps/dataapi steps/dataapiendpoint steps/failure steps/gateway steps/network steps/notebook steps/peering steps/privatenotebooks steps/studio steps/tagging sweep"},
	{"command", "board deed doctor dryrun export history picture plan report who why"},
	{"engine", "local local/awscall local/bench local/lambdahost local/process local/scenario local/stories local/story"},
}

// A step knows neither a machine nor the policy; nothing that runs in AWS knows the command or the engine.
func TestImportsGoDownOnly(t *testing.T) {
	floor := map[string]int{}
	for n, f := range floors {
		for _, p := range strings.Fields(f.packages) {
			floor[p] = n
		}
	}
	known := map[string]bool{}
	eachSource(t, ".go", func(path string, text []byte) {
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		from, inside := strings.CutPrefix(dir, "pkg/")
		at, placed := floor[from]
		if inside && !placed {
			t.Errorf("%s is on no floor: say in this test where it belongs", dir)
			return
		}
		known[from] = true
		for _, i := range file.Imports {
			to, ours := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), "github.com/drawbridge-cloud/drawbridge/")
			if !ours {
				continue
			}
			in, of := strings.CutPrefix(to, "pkg/")
			switch {
			case to == "infra/template" && inside && at > 4: // the machines and stacks as they are deployed: they are data
			case inside && !of:
				t.Errorf("%s imports %s: pkg knows neither infra nor functions nor the command", path, to)
			case inside && floor[in] > at:
				t.Errorf("%s, of the floor %s, imports %s, of the floor %s above it", path, floors[at].name, in, floors[floor[in]].name)
			case inside && floors[at].name == "steps" && in == "policy":
				t.Errorf("%s imports %s: a step knows no policy", path, in)
			case strings.HasPrefix(dir, "functions/") && of && floor[in] > 4, strings.HasPrefix(dir, "functions/") && !of:
				t.Errorf("%s imports %s: what runs in AWS knows neither the command nor the engine", path, to)
			}
		}
	})
	for p := range floor {
		if !known[p] {
			t.Errorf("pkg/%s is on a floor, and is not there", p)
		}
	}
}
