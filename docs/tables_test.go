package docs

import (
	"flag"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/infra/rights"
	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/doctor"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

var update = flag.Bool("update", false, "rewrite the tables that are made from code")

// holdTable compares the part of a document between two marks with what it is made from; with -update it rewrites it.
func holdTable(t *testing.T, file, mark, want string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+mark+": begin -->\n", "<!-- "+mark+": end -->"
	before, rest, found := strings.Cut(string(text), begin)
	table, after, ended := strings.Cut(rest, end)
	if !found || !ended || strings.Count(want, "\n") < 3 {
		t.Fatalf("docs/%s has no place for the table %s, or that is empty", file, mark)
	}
	if table == want {
		return
	}
	if !*update {
		t.Fatalf("the table %s of docs/%s is not what the code says: go test ./docs -update", mark, file)
	}
	if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRightsAreThoseOfTheCode(t *testing.T) {
	holdTable(t, "rights.md", "rights", rights.Table())
}

// docs/architecture.md says of each package of pkg what its comment says first.
func TestThePackagesAreThoseOfTheCode(t *testing.T) {
	const root = "../pkg"
	said := map[string]string{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		_, what, _ := strings.Cut(new(doc.Package).Synopsis(file.Doc.Text()), "Package "+file.Name.Name+" ")
		said[filepath.ToSlash(dir)] += strings.TrimSuffix(what, ".")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := table("package", "does")
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if said[name] == "" {
			t.Errorf("pkg/%s has no comment that begins with its name", name)
		}
		rows = append(rows, row("`"+name+"`", said[name]))
	}
	holdTable(t, "architecture.md", "packages", strings.Join(rows, "\n")+"\n")
}

func TestTheDoctorsListIsThatOfTheCode(t *testing.T) {
	holdTable(t, "deploy.md", "doctor", doctor.List())
}

// docs/tags.md has a row for each key on each kind of thing, with every word that it may be, and one for each tag that a role may write, and no other.
func TestTagsAreThoseOfTheCode(t *testing.T) {
	text := documents(t)["docs/tags.md"]
	owners, rest, found := strings.Cut(text, "## What Drawbridge sets\n")
	own, _, ended := strings.Cut(rest, "## Who may decide\n")
	if !found || !ended || len(tag.Wishes) == 0 {
		t.Fatal("docs/tags.md lacks one of its parts")
	}
	rows := map[string]int{}
	for line := range strings.Lines(owners) {
		if strings.HasPrefix(line, "| `drawbridge:") {
			cells := strings.Split(line, " | ")
			if len(cells) != 6 {
				t.Fatalf("a row has %d cells: %s", len(cells), line)
			}
			rows[cells[0]+" | "+cells[1]]++
		}
	}
	for _, w := range tag.Wishes {
		head := "| `" + w.Key + "` | `" + string(w.On) + "`"
		if rows[head] != 1 {
			t.Errorf("docs/tags.md has %d rows %s", rows[head], head)
			continue
		}
		_, row, _ := strings.Cut(owners, head+" | ")
		values, _, _ := strings.Cut(row, " | ")
		for _, word := range strings.FieldsFunc(strings.TrimPrefix(w.Remedy(), "write "), func(r rune) bool { return r == ' ' || r == ',' }) {
			if got, err := w.Read(word); err == nil && got == word && word != "or" && !strings.Contains(w.Remedy(), "name") && !strings.Contains(w.Remedy(), "identifiers") && !strings.Contains(values, "`"+word+"`") {
				t.Errorf("docs/tags.md does not say that %s on %s may be %s", w.Key, w.On, word)
			}
		}
	}
	if len(rows) != len(tag.Wishes) {
		t.Errorf("docs/tags.md has %d rows about %d wishes", len(rows), len(tag.Wishes))
	}
	for _, key := range tag.Answers {
		if !strings.Contains(own, "| `"+key+"` |") || slices.Contains(tag.Keys(), key) {
			t.Errorf("docs/tags.md does not say that Drawbridge sets %s, or owners do", key)
		}
	}
	written, writes := 0, map[string]bool{}
	for _, list := range regexp.MustCompile(`"aws:TagKeys": \[[^\]]*\]`).FindAllString(template.Member, -1) {
		for _, m := range regexp.MustCompile(`"(drawbridge:[a-z-]+)"`).FindAllStringSubmatch(list, -1) {
			writes[m[1]] = true
			if written++; !strings.Contains(own, "| `"+m[1]+"` |") {
				t.Errorf("the roles write %s, and docs/tags.md does not say so", m[1])
			}
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(drawbridge:[a-z-]+)` \\|").FindAllStringSubmatch(own, -1) {
		if !writes[m[1]] {
			t.Errorf("docs/tags.md says that Drawbridge sets %s, and no role writes it", m[1])
		}
	}
	if written < 20 {
		t.Errorf("the roles write %d tags", written)
	}
}
