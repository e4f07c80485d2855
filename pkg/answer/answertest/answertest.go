// Package answertest holds the answers of the command to golden files: their text at the widths that count, and the JSON schema that promises
// programs what they may read.
package answertest

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Golden compares text with a file, which -update rewrites.
func Golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("not as in %s (go test -update rewrites it):\n%s", path, got)
	}
}

// Text compares an answer's table with testdata/<name>.txt, at 80 columns, and, if wide is set, with testdata/<name>.wide.txt at 160. Nothing but
// what cannot be folded, an id or an ARN, may be wider.
func Text(t *testing.T, name string, d answer.Document, wide bool) {
	t.Helper()
	widths := map[string]int{".txt": 80}
	if wide {
		widths[".wide.txt"] = 160
	}
	for suffix, width := range widths {
		var b bytes.Buffer
		if err := (answer.Printer{Out: &b, Format: answer.Table, Width: width}).Print(d); err != nil {
			t.Fatal(err)
		}
		Golden(t, filepath.Join("testdata", name+suffix), b.Bytes())
		for line := range strings.Lines(b.String()) {
			if line = strings.TrimRight(line, "\n"); utf8.RuneCountInString(line) > width && len(strings.Fields(line)) > 1 {
				t.Errorf("at %d columns, a line of %s has %d: %s", width, name, utf8.RuneCountInString(line), line)
			}
		}
	}
}

// Schema compares the schema of a type of documents with docs/schema/<name>.json, below root, and holds each document to it, as JSON.
func Schema[T any](t *testing.T, root, name, title string, documents ...answer.Document) {
	t.Helper()
	schema, err := answer.Schema[T](title)
	if err != nil {
		t.Fatal(err)
	}
	Golden(t, filepath.Join(root, "docs", "schema", name+".json"), schema)
	if len(documents) == 0 {
		t.Fatal("no document is held to the schema")
	}
	for _, d := range documents {
		var b bytes.Buffer
		if err := (answer.Printer{Out: &b, Format: answer.JSON}).Print(d); err != nil {
			t.Fatal(err)
		}
		if err := answer.Valid(schema, b.Bytes()); err != nil {
			t.Errorf("%v\n%s", err, b.String())
		}
	}
}
