package asl

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// path is a reference path, such as $.a.b or $.a[0]. The zero value is the whole.
// https://states-language.net/spec.html#ref-paths
type path struct {
	none  bool // null: the result is thrown away
	names []string
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *path) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if s == nil {
		p.none = true
		return nil
	}
	names, err := namesOf(*s, "$")
	p.names = names
	return err
}

// namesOf splits a path that begins with root.
func namesOf(text, root string) ([]string, error) {
	rest, ok := strings.CutPrefix(text, root)
	if !ok || !plain.MatchString(rest) {
		return nil, fmt.Errorf("the path %q is not understood", text)
	}
	return step.FindAllString(rest, -1), nil
}

// A path goes into an object by a name, or into a list by a number: .a.b[0]
var (
	plain = regexp.MustCompile(`^(\.\w+|\[\d+\])*$`)
	step  = regexp.MustCompile(`\w+`)
)

// get returns what is at a path, and whether something is.
func get(in any, names []string) (any, bool) {
	for _, name := range names {
		switch of := in.(type) {
		case map[string]any:
			value, ok := of[name]
			if !ok {
				return nil, false
			}
			in = value
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n >= len(of) {
				return nil, false
			}
			in = of[n]
		default:
			return nil, false
		}
	}
	return in, true
}

// put returns in with value at a path. What is on the way and no object becomes one. in is not changed.
func put(in any, names []string, value any) any {
	if len(names) == 0 {
		return value
	}
	out := map[string]any{}
	if m, ok := in.(map[string]any); ok {
		for k, v := range m {
			out[k] = v
		}
	}
	out[names[0]] = put(out[names[0]], names[1:], value)
	return out
}

// fill returns a template with what its paths name, of the payload or, after $$, of the context object.
// https://states-language.net/spec.html#payload-template
func fill(template any, in any, context map[string]any) (any, error) {
	switch t := template.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range t {
			name, isPath := strings.CutSuffix(key, ".$")
			if !isPath {
				filled, err := fill(value, in, context)
				if err != nil {
					return nil, err
				}
				out[key] = filled
				continue
			}
			text, _ := value.(string)
			from, root := in, "$"
			if strings.HasPrefix(text, "$$") {
				from, root = context, "$$"
			}
			names, err := namesOf(text, root)
			if err != nil {
				return nil, err
			}
			found, ok := get(from, names)
			if !ok {
				return nil, fmt.Errorf("nothing is at %s", text)
			}
			out[name] = found
		}
		return out, nil
	case []any:
		out := make([]any, len(t))
		for n, value := range t {
			filled, err := fill(value, in, context)
			if err != nil {
				return nil, err
			}
			out[n] = filled
		}
		return out, nil
	}
	return template, nil
}
