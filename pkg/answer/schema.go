package answer

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// Schema returns the JSON schema of documents of a type, as docs/schema has it.
func Schema[T any](title string) ([]byte, error) {
	s, err := schemaOf[T]()
	if err != nil {
		return nil, err
	}
	s.Schema, s.Title = "https://json-schema.org/draft/2020-12/schema", title
	out, err := json.MarshalIndent(s, "", "  ")
	return append(out, '\n'), err
}

func schemaOf[T any]() (*jsonschema.Schema, error) {
	s, err := jsonschema.For[T](nil)
	if err != nil {
		return nil, fmt.Errorf("making the schema of %s: %w", reflect.TypeFor[T](), err)
	}
	return s, nil
}

// Valid returns nil if a JSON document is as a schema says, both as text.
func Valid(schema, document []byte) error {
	var s jsonschema.Schema
	if err := json.Unmarshal(schema, &s); err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	var d any
	if err := json.Unmarshal(document, &d); err != nil {
		return fmt.Errorf("reading the document: %w", err)
	}
	return resolved.Validate(d)
}
