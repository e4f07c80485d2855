// Package answer prints what a command found out: as a table for people, or as JSON or YAML for programs.
//
// All answers of the command have one form, so that what was learned of one is true of the next: data on one stream and nothing else on it, a version
// in each document, tables that fit the terminal, colour only where somebody sees it.
//
//	answer.go  the words, and the three formats
//	page.go    text that fits a width
//	schema.go  what a document looks like, as a JSON schema
package answer

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// Version is what each document names as its apiVersion. It changes when a field is taken away or means something else; a new field changes nothing.
const Version = "drawbridge/v1"

// Head is what each document begins with.
type Head struct {
	APIVersion string `json:"apiVersion" jsonschema:"drawbridge/v1; a field that is taken away, or means something else, makes it another"`
	Kind       string `json:"kind" jsonschema:"what the document is"`
}

// HeadOf returns the head of a document of a kind.
func HeadOf(kind string) Head { return Head{Version, kind} }

// Document is the answer of a command. Encoded as JSON it begins with a [Head].
type Document interface {
	// Text writes the answer for people.
	Text(*Page)
}

// The formats of a [Printer].
const (
	Table = "table"
	JSON  = "json"
	YAML  = "yaml"
)

// Printer prints documents.
type Printer struct {
	Out    io.Writer
	Format string // [Table], [JSON] or [YAML]
	Width  int    // columns of a table; 0 is 80
	Color  bool
}

// Print writes a document.
func (p Printer) Print(d Document) error {
	var out []byte
	var err error
	switch p.Format {
	case Table:
		page := Page{Width: p.Width, Color: p.Color}
		if page.Width <= 0 {
			page.Width = 80
		}
		d.Text(&page)
		out = []byte(page.b.String())
	case JSON:
		out, err = json.MarshalIndent(d, "", "  ")
		out = append(out, '\n')
	case YAML:
		out, err = yaml.Marshal(d)
	default:
		return fmt.Errorf("printing: there is no format %q; table, json and yaml are", p.Format)
	}
	if err != nil {
		return fmt.Errorf("printing as %s: %w", p.Format, err)
	}
	_, err = p.Out.Write(out)
	return err
}
