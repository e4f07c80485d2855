package policydocument

import (
	"context"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// shelf keeps a document; meanwhile is what somebody else does at the n-th read.
type shelf struct {
	document  string
	reads     int
	writes    []string
	meanwhile map[int]func(*shelf)
	deaf      bool
}

func (s *shelf) Limit() int { return 300 }

func (s *shelf) Read(context.Context) ([]byte, error) {
	s.reads++
	if do := s.meanwhile[s.reads]; do != nil {
		do(s)
	}
	return []byte(s.document), nil
}

func (s *shelf) Write(_ context.Context, document []byte) error {
	s.writes = append(s.writes, string(document))
	if !s.deaf {
		s.document = string(document)
	}
	return nil
}

func TestChange(t *testing.T) {
	const owners, others = `{"Statement":[{"Sid":"a"}]}`, `{"Statement":[{"Sid":"b"}]}`
	theirs := func(s *shelf) { s.document = others }
	for name, c := range map[string]struct {
		shelf  shelf
		kind   fault.Kind
		writes int
		left   string
	}{
		"nobody else":                    {shelf{document: owners}, "", 1, `{"Statement":[{"Sid":"a"},` + text + `]}`},
		"ours is there":                  {shelf{document: `{"Statement":[` + text + `]}`}, "", 0, `{"Statement":[` + text + `]}`},
		"somebody writes before us":      {shelf{document: owners, meanwhile: map[int]func(*shelf){2: theirs}}, fault.NotYet, 0, others},
		"somebody writes over us":        {shelf{document: owners, meanwhile: map[int]func(*shelf){3: theirs}}, fault.NotYet, 1, others},
		"AWS does not show it yet":       {shelf{document: owners, deaf: true}, fault.NotYet, 1, owners},
		"a document that cannot be read": {shelf{document: "x"}, fault.Conflict, 0, "x"},
		"there is no room":               {shelf{document: `{"Statement":[{"Sid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]}`}, fault.Conflict, 0, ""},
	} {
		before := c.shelf.document
		changed, err := Change(t.Context(), &c.shelf, func(document []byte) ([]byte, error) { return Merge(document, ours) })
		if fault.Of(err) != c.kind || len(c.shelf.writes) != c.writes || changed != (c.kind == "" && c.writes > 0) {
			t.Errorf("%s: Change = %v, %v with %d writes, want %q with %d", name, changed, err, len(c.shelf.writes), c.kind, c.writes)
		}
		if c.left == "" {
			c.left = before
		}
		if c.shelf.document != c.left {
			t.Errorf("%s: left %s, want %s", name, c.shelf.document, c.left)
		}
	}
}
