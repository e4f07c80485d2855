// Package iampolicy answers what an IAM identity may do, from the text of its policies.
//
// It serves to find who may do more than is meant, so it errs on that side: a condition that it cannot judge is taken to
// hold where it allows, and not to hold where it denies. Service control policies, resource policies and session policies,
// which can only be more, are not part of the question.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
package iampolicy

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Document is a policy as IAM reads it.
type Document []Statement

// Statement is one statement of a policy.
type Statement struct {
	Effect      string
	Action      list
	NotAction   list
	Resource    list
	NotResource list
	Condition   map[string]map[string]list
}

// list is a JSON string, or an array of them; numbers and booleans count as their text.
type list []string

// UnmarshalJSON implements [json.Unmarshaler].
func (l *list) UnmarshalJSON(data []byte) error {
	var many []any
	if err := json.Unmarshal(data, &many); err != nil {
		var one any
		if err := json.Unmarshal(data, &one); err != nil {
			return err
		}
		many = []any{one}
	}
	for _, m := range many {
		*l = append(*l, fmt.Sprint(m))
	}
	return nil
}

// Parse reads a policy document.
func Parse(text string) (Document, error) {
	var raw struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, err
	}
	var many Document
	if err := json.Unmarshal(raw.Statement, &many); err == nil {
		return many, nil
	}
	var one Statement
	if err := json.Unmarshal(raw.Statement, &one); err != nil {
		return nil, err
	}
	return Document{one}, nil
}

// Policy is a policy under the name that people know it by.
type Policy struct {
	Name string
	Document
}

// Identity is a user or a role with everything that says what it may do.
type Identity struct {
	Kind     string // "role" or "user"
	Name     string
	ARN      string
	Tags     map[string]string
	Policies []Policy // inline, managed, of its groups
	Boundary Document // its permissions boundary
	Bounded  bool     // it has one; an empty boundary allows nothing
}

// Request is what an identity wants to do. Keys are IAM's condition keys in lower case, without those that the request
// does not have.
type Request struct {
	Action   string
	Resource string
	Keys     map[string][]string
}

// Allowed reports whether the identity may make the request, and if so by which of its policies.
//
//	a statement of a policy or the boundary denies it   → no
//	it has a boundary that does not allow it            → no
//	a statement of a policy allows it                   → yes, by that policy
//	nothing says anything                               → no
func (i Identity) Allowed(r Request) (by string, allowed bool) {
	for _, p := range i.Policies {
		if p.Document.says("Deny", r) {
			return "", false
		}
	}
	if i.Bounded && (i.Boundary.says("Deny", r) || !i.Boundary.says("Allow", r)) {
		return "", false
	}
	for _, p := range i.Policies {
		if p.Document.says("Allow", r) {
			return p.Name, true
		}
	}
	return "", false
}

func (d Document) says(effect string, r Request) bool {
	return slices.ContainsFunc(d, func(s Statement) bool { return s.Effect == effect && s.applies(r) })
}

func (s Statement) applies(r Request) bool {
	action := strings.ToLower(r.Action)
	matches := func(patterns list, value string, fold bool) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			if fold {
				p = strings.ToLower(p)
			}
			// A policy variable stands for what only the request knows.
			if strings.Contains(p, "${") && !strings.Contains(p, "${*}") {
				return s.Effect == "Allow"
			}
			return like(value, p)
		})
	}
	switch {
	case len(s.Action) > 0 && !matches(s.Action, action, true),
		len(s.NotAction) > 0 && matches(s.NotAction, action, true),
		len(s.Resource) > 0 && !matches(s.Resource, r.Resource, false),
		len(s.NotResource) > 0 && matches(s.NotResource, r.Resource, false):
		return false
	}
	for operator, keys := range s.Condition {
		for key, wanted := range keys {
			have, present := r.Keys[strings.ToLower(key)]
			if !holds(operator, have, present, wanted, s.Effect == "Allow") {
				return false
			}
		}
	}
	return true
}

// holds judges one condition; unsure is the answer where it cannot.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func holds(operator string, have []string, present bool, wanted list, unsure bool) bool {
	quantifier, name, set := strings.Cut(operator, ":")
	if !set {
		quantifier, name = "", operator
	}
	if name == "Null" {
		return len(wanted) == 1 && present == (strings.ToLower(wanted[0]) == "false")
	}
	name, optional := strings.CutSuffix(name, "IfExists")
	test, known := tests[strings.Replace(name, "Not", "", 1)]
	if !known {
		return unsure
	}
	negative := strings.Contains(name, "Not")
	if !present {
		return optional || negative || quantifier == "ForAllValues"
	}
	if slices.ContainsFunc(wanted, func(w string) bool { return strings.Contains(w, "${") }) {
		return unsure
	}
	matching := 0
	for _, h := range have {
		if slices.ContainsFunc(wanted, func(w string) bool { return test(h, w) }) {
			matching++
		}
	}
	switch {
	case quantifier == "ForAllValues" && negative:
		return matching == 0
	case quantifier == "ForAllValues":
		return matching == len(have)
	case quantifier == "ForAnyValue" && negative:
		return matching < len(have)
	case negative:
		return matching == 0
	}
	return matching > 0
}

// tests are the operators that are not negated.
var tests = map[string]func(have, wanted string) bool{
	"StringEquals":           func(h, w string) bool { return h == w },
	"StringEqualsIgnoreCase": strings.EqualFold,
	"StringLike":             like,
	"ArnEquals":              like,
	"ArnLike":                like,
	"Bool":                   strings.EqualFold,
	"IpAddress":              inside,
}

func inside(have, wanted string) bool {
	if !strings.Contains(wanted, "/") {
		return have == wanted
	}
	address, err := netip.ParseAddr(have)
	if err != nil {
		return false
	}
	prefix, err := netip.ParsePrefix(wanted)
	return err == nil && prefix.Contains(address)
}

// like matches with * for any characters and ? for one.
func like(value, pattern string) bool {
	star, mark, v, p := -1, 0, 0, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, v
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == value[v]):
			p++
			v++
		case star >= 0:
			mark++
			p, v = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
