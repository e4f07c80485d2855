package road_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nishanths/exhaustive"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

const home = "github.com/drawbridge-cloud/drawbridge/pkg/road"

// alone are the files that compare with one kind, or one carrier, and why a new one does not concern them. All others ask by a switch or a map
// that has all of them.
var alone = map[string]string{
	"pkg/peering/beside.go":           "what takes over from a gateway",
	"pkg/look/connection.go":          "an attachment that was not made yet is called otherwise",
	"pkg/connection/plan.go":          "the pairs of a VPC on one gateway",
	"pkg/share/entry.go":              "its own entries",
	"pkg/attachment/brake.go":         "its own entries",
	"pkg/attachment/entry.go":         "its own entries",
	"pkg/privatenotebooks/inspect.go": "its own entries",
	"pkg/studio/inspect.go":           "its own entries",
	"pkg/rebuild/endpoints.go":        "the one policy that is written for all entries of private notebooks",
	"pkg/sweep/apply.go":              "a peering is also asked about at its other side",
	"pkg/sweep/clusters.go":           "the finders of clusters",
	"pkg/sweep/pairs.go":              "the finders of pairs and attachments",
	"pkg/sweep/plan.go":               "a peering is looked at from its accepter's side",
	"pkg/export/plan.go":              "the attachment of a pair",
	"pkg/who/plan.go":                 "the attachment of a pair",
}

// spelled are the files that know how ids of peerings, gateways and attachments begin, and why.
var spelled = map[string]string{
	"pkg/event/change.go":        "the things that have tags",
	"pkg/network/target.go":      "what routes lead to: carriers are two of many",
	"pkg/tag/kind.go":            "examples of things that have tags",
	"pkg/plan/request.go":        "the id of a peering that nobody requested",
	"pkg/dryrun/gateway.go":      "ids that it makes up",
	"pkg/export/plan.go":         "a text for people",
	"pkg/local/scenario/spec.go": "names of the engine's own",
	"infra/attachment.go":        "the mark of attachments that Drawbridge made",
	"infra/change.go":            "the things that have tags",
}

// partly are the files with a list that lacks a kind on purpose.
var partly = map[string]string{
	"infra/nag.go": "the machines that have leases",
}

// load reads what is compiled of the repository, with its types.
func load(t *testing.T) []*packages.Package {
	t.Helper()
	all, err := packages.Load(&packages.Config{Dir: "../..", Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedSyntax |
		packages.NeedTypes | packages.NeedTypesInfo | packages.NeedTypesSizes | packages.NeedExportFile | packages.NeedModule},
		"./pkg/...", "./cmd/...", "./functions/...", "./infra")
	if err != nil || len(all) < 100 {
		t.Fatalf("%d packages: %v", len(all), err)
	}
	for _, p := range all {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
	}
	return all
}

// A switch or a map that tells kinds or carriers apart has all of them: what a new one needs is named here, place by place.
func TestNoPlaceForgetsAKind(t *testing.T) {
	all := load(t)
	t.Run("switches and maps", func(t *testing.T) { whole(t, all) })
	t.Run("comparisons", func(t *testing.T) { compared(t, all) })
	t.Run("ids", func(t *testing.T) { ids(t, all) })
	t.Run("lists", func(t *testing.T) { lists(t, all) })
}

func whole(t *testing.T, all []*packages.Package) {
	for name, value := range map[string]string{exhaustive.CheckingStrategyFlag: "value", exhaustive.CheckFlag: "switch,map", exhaustive.DefaultSignifiesExhaustiveFlag: "false"} {
		if err := exhaustive.Analyzer.Flags.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	got, err := checker.Analyze([]*analysis.Analyzer{exhaustive.Analyzer}, all, nil)
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	for _, action := range got.Roots {
		if action.Err != nil {
			t.Fatalf("%s: %v", action.Package, action.Err)
		}
		for _, d := range action.Diagnostics {
			if strings.Contains(d.Message, " road.Kind") || strings.Contains(d.Message, " road.Carrier") {
				places = append(places, where(action.Package, d.Pos)+": "+d.Message)
			}
		}
	}
	slices.Sort(places)
	for _, p := range slices.Compact(places) { // the analyzer says some of it twice
		t.Error(p)
	}
}

func compared(t *testing.T, all []*packages.Package) {
	seen := map[string]bool{}
	each(all, func(p *packages.Package, n ast.Node) {
		b, ok := n.(*ast.BinaryExpr)
		if !ok || b.Op != token.EQL && b.Op != token.NEQ {
			return
		}
		for _, side := range []ast.Expr{b.X, b.Y} {
			if is := p.TypesInfo.Types[side]; is.Value != nil && named(is.Type) && constant.StringVal(is.Value) != "" {
				at := where(p, b.Pos())
				file, _, _ := strings.Cut(at, ":")
				if seen[file] = true; alone[file] == "" {
					t.Errorf("%s compares with %s alone: ask by a switch that has all of them, or say in this test why no other is concerned", at, is.Value)
				}
			}
		}
	})
	stale(t, alone, seen)
}

// begins finds how an id of a road begins.
var begins = regexp.MustCompile(`^(pcx|tgw)-`)

func ids(t *testing.T, all []*packages.Package) {
	seen := map[string]bool{}
	each(all, func(p *packages.Package, n ast.Node) {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return
		}
		value := p.TypesInfo.Types[literal].Value
		if value == nil {
			return
		}
		at := where(p, literal.Pos())
		file, _, _ := strings.Cut(at, ":")
		if is := p.TypesInfo.Types[literal]; named(is.Type) && constant.StringVal(value) != "" {
			t.Errorf("%s writes the kind %s as a text", at, value)
		}
		if begins.MatchString(constant.StringVal(value)) {
			if seen[file] = true; spelled[file] == "" {
				t.Errorf("%s looks at how an id begins, %s: ask package road, or say in this test why not", at, value)
			}
		}
	})
	stale(t, spelled, seen)
}

// A text or a tag of a field that names most of the kinds names all of them.
func lists(t *testing.T, all []*packages.Package) {
	words, found, seen := regexp.MustCompile(`[a-z]+(-[a-z]+)*`), 0, map[string]bool{}
	each(all, func(p *packages.Package, n ast.Node) {
		var text string
		switch n := n.(type) {
		case *ast.BasicLit:
			text = n.Value
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				if l, ok := e.(*ast.BasicLit); ok {
					text += " " + l.Value
				}
			}
		default:
			return
		}
		in, missing := words.FindAllString(text, -1), []string{}
		for _, k := range road.Kinds() {
			if !slices.Contains(in, string(k)) {
				missing = append(missing, string(k))
			}
		}
		if len(missing) > 2 {
			return
		}
		at := where(p, n.Pos())
		file, _, _ := strings.Cut(at, ":")
		if found++; len(missing) == 0 {
			return
		}
		if seen[file] = true; partly[file] == "" {
			t.Errorf("%s lists kinds, without %s", at, strings.Join(missing, ", "))
		}
	})
	stale(t, partly, seen)
	if found == 0 {
		t.Error("no list was found")
	}
}

// each calls do with each node of what is not package road itself, nor generated.
func each(all []*packages.Package, do func(*packages.Package, ast.Node)) {
	for _, p := range all {
		if p.PkgPath == home {
			continue
		}
		for _, f := range p.Syntax {
			ast.Inspect(f, func(n ast.Node) bool {
				if n != nil {
					do(p, n)
				}
				return true
			})
		}
	}
}

// named reports whether a type is one of this package.
func named(t types.Type) bool {
	n, ok := t.(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == home
}

// where is a place, from the root of the repository.
func where(p *packages.Package, pos token.Pos) string {
	at := p.Fset.Position(pos)
	root, _ := filepath.Abs("../..")
	path, err := filepath.Rel(root, at.Filename)
	if err != nil {
		path = at.Filename
	}
	return fmt.Sprintf("%s:%d", filepath.ToSlash(path), at.Line)
}

// stale reports the lines of a table that nothing needs any more.
func stale(t *testing.T, table map[string]string, seen map[string]bool) {
	for _, file := range slices.Sorted(maps.Keys(table)) {
		if !seen[file] {
			t.Errorf("%s needs no reason any more", file)
		}
	}
}
