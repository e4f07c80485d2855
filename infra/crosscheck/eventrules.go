package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// rule is a rule of EventBridge. One that only the clock starts has no pattern.
type rule struct {
	Name, EventBusName string
	EventPattern       json.RawMessage
	Targets            []struct{ Arn string }
}

// rules returns the rules of a stack that wait for events, sorted by name.
func (s *stack) rules() ([]rule, error) {
	var all []rule
	for _, id := range s.of("AWS::Events::Rule") {
		var r rule
		if err := s.tolerant(s.resources[id].Properties, &r); err != nil {
			return nil, fmt.Errorf("the rule %s: %w", id, err)
		}
		if len(r.EventPattern) == 0 {
			continue
		}
		if r.Name == "" || len(r.Targets) == 0 {
			return nil, fmt.Errorf("the rule %s has no name or no target", id)
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b rule) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
