package docs

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/infra/rights"
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
