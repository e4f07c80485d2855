package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// definition and its states are the parts of Amazon States Language that the machines use, with the fields in the order
// in which people read them: what it is, what it gets, what becomes of the answer, what comes next.
type definition struct {
	Comment         string          `json:",omitempty"`
	StartAt         string          `json:",omitempty"`
	TimeoutSeconds  int             `json:",omitempty"`
	ProcessorConfig json.RawMessage `json:",omitempty"`
	States          states
}

type asl struct {
	Type           string
	Comment        string          `json:",omitempty"`
	Seconds        int             `json:",omitempty"`
	SecondsPath    string          `json:",omitempty"`
	Choices        json.RawMessage `json:",omitempty"`
	ItemsPath      string          `json:",omitempty"`
	ItemSelector   json.RawMessage `json:",omitempty"`
	MaxConcurrency int             `json:",omitempty"`
	Label          string          `json:",omitempty"`
	Tolerated      int             `json:"ToleratedFailurePercentage,omitempty"`
	Resource       string          `json:",omitempty"`
	Parameters     json.RawMessage `json:",omitempty"`
	ItemProcessor  *definition     `json:",omitempty"`
	Retry          json.RawMessage `json:",omitempty"`
	Catch          json.RawMessage `json:",omitempty"`
	ResultSelector json.RawMessage `json:",omitempty"`
	ResultPath     json.RawMessage `json:",omitempty"`
	OutputPath     string          `json:",omitempty"`
	Next           string          `json:",omitempty"`
	End            bool            `json:",omitempty"`
}

// states is an object of states that keeps their order.
type states struct {
	names []string
	all   map[string]*asl
}

func (s *states) UnmarshalJSON(text []byte) error {
	if err := strict(text, &s.all); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		s.names = append(s.names, name.(string))
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return err
		}
	}
	return nil
}

func (s states) MarshalJSON() ([]byte, error) {
	var parts []string
	for _, name := range s.names {
		state, err := json.Marshal(s.all[name])
		if err != nil {
			return nil, err
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		parts = append(parts, string(key)+":"+string(state))
	}
	return []byte("{" + strings.Join(parts, ",") + "}"), nil
}

// strict decodes text and refuses what value has no field for, so that nothing of a machine is lost on the way.
func strict(text []byte, value any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return dec.Decode(value)
}

// readable returns a machine's definition for people.
func readable(t *testing.T, text string) string {
	t.Helper()
	var d definition
	if err := strict([]byte(text), &d); err != nil {
		t.Fatalf("reading the machine: %v", err)
	}
	return pretty(t, d)
}
