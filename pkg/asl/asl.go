// Package asl reads state machines in Amazon States Language and goes through them in this process.
//
// AWS's Step Functions runs Drawbridge's machines. A rehearsal of them, which shall do what a run would do, must take the same steps in the same order,
// with the same payloads; so it goes by the same definition. It is as much of the language as the machines use, and refuses the rest: a test reads all
// machines. Nothing waits, and nothing is tried again: see [Run].
//
//	asl.go   the words: a machine as it is written
//	path.go  paths into a payload
//	run.go   goes through it
//
// https://states-language.net/spec.html
package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Machine is a state machine, or the part of one that a Map does for each item.
type Machine struct {
	StartAt string
	States  map[string]*State

	Comment         string
	TimeoutSeconds  int
	ProcessorConfig struct{ Mode, ExecutionType string }
}

// State is a state, with the fields of all types: a type uses some of them.
type State struct {
	Type, Comment, Next string
	End                 bool
	Parameters          map[string]any
	ResultSelector      map[string]any
	ResultPath          path // where the result goes; [whole] by default
	OutputPath          path

	Resource       string // Task
	TimeoutSeconds int
	Retry          []any // not gone by
	Catch          []Catcher

	Choices []Choice // Choice
	Default string

	Seconds     int // Wait, not gone by
	SecondsPath string

	ItemsPath                  path // Map
	ItemSelector               map[string]any
	ItemProcessor              *Machine
	MaxConcurrency             int
	Label                      string
	ToleratedFailurePercentage float64

	Error, Cause string // Fail
}

// Catcher says where an error leads.
type Catcher struct {
	ErrorEquals []string
	ResultPath  path
	Next        string
}

// Choice is a rule of a Choice: of these fields, it has Next, or is a part of another, and one comparison.
type Choice struct {
	Variable     path
	StringEquals *string
	IsPresent    *bool
	Not          *Choice
	And, Or      []Choice
	Next         string
}

// Parse reads a machine. What is not understood is an error.
func Parse(text string) (*Machine, error) {
	m := &Machine{}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("reading a state machine: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("reading a state machine: something follows it")
	}
	return m, m.check()
}

// check holds a machine to what [Run] understands.
func (m *Machine) check() error {
	known := func(name, next string) error {
		if m.States[next] == nil {
			return fmt.Errorf("reading a state machine: %s leads to %q, which is no state", name, next)
		}
		return nil
	}
	if err := known("StartAt", m.StartAt); err != nil {
		return err
	}
	for name, s := range m.States {
		var leads []string
		switch s.Type {
		case "Choice":
			for _, c := range s.Choices {
				leads = append(leads, c.Next)
			}
			if s.Default != "" {
				leads = append(leads, s.Default)
			}
		case "Pass", "Task", "Wait", "Map":
			if !s.End {
				leads = append(leads, s.Next)
			}
		case "Succeed", "Fail":
		default:
			return fmt.Errorf("reading a state machine: %s is of the type %q, which is not understood", name, s.Type)
		}
		for _, c := range s.Catch {
			leads = append(leads, c.Next)
		}
		for _, next := range leads {
			if err := known(name, next); err != nil {
				return err
			}
		}
		if s.Type == "Map" {
			if s.ItemProcessor == nil {
				return fmt.Errorf("reading a state machine: the Map %s has no ItemProcessor", name)
			}
			if err := s.ItemProcessor.check(); err != nil {
				return err
			}
		}
	}
	return nil
}
