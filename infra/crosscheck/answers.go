package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// question is what the Service Authorization Reference says of an action, where a role has the action alone: a resource
// type that it requires, or another action that it depends on.
type question struct{ action, wants string }

func (q question) String() string { return fmt.Sprintf("%s wants %s", q.action, q.wants) }

// answers say why a role has no statement about a resource type that an action requires. An answer that nothing asks for is an
// error.
var answers = map[question]string{
	{"states:DescribeExecution", "express"}: "an execution is of a standard machine or of an express one, and there are no express machines",
}

// onBehalf returns why a caller needs no permission for something that AWS does on its behalf, as infra/onbehalf.go says it: a
// test there holds each answer to the roles.
func onBehalf(root string) (map[question]string, error) {
	text, err := os.ReadFile(filepath.Join(root, "infra", "template", "on-behalf.json"))
	if err != nil {
		return nil, err
	}
	var list map[string][]struct{ Action, Why string }
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("reading on-behalf.json: %w", err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("on-behalf.json says nothing")
	}
	out := map[question]string{}
	for action, needs := range list {
		for _, n := range needs {
			if n.Why != "" {
				out[question{action, n.Action}] = n.Why
			}
		}
	}
	return out, nil
}
