package statement

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// LockedOut returns a [fault.Conflict] if a document that replaces another takes an action away from somebody: who was
// allowed it is not any more, or a denial is new. Sent with the action that writes the document itself, such as
// kms:PutKeyPolicy, it holds that whoever could mend the document still can.
//
// It compares statement by statement: a grant is a principal with its conditions. So it may refuse a change that AWS
// would find harmless, and never lets one pass that locks out.
func LockedOut(before, after []byte, action string) error {
	had, denied, err := grants(before, action)
	if err != nil {
		return err
	}
	have, denials, err := grants(after, action)
	if err != nil {
		return err
	}
	for _, grant := range had {
		if !slices.Contains(have, grant) {
			return lockedOut(action, "is taken away from "+grant)
		}
	}
	for _, denial := range denials {
		if !slices.Contains(denied, denial) {
			return lockedOut(action, "is denied to "+denial)
		}
	}
	return nil
}

func lockedOut(action, how string) error {
	return fault.NewConflict(fmt.Sprintf("the changed policy would lock its owner out: %s %s", action, how),
		"rename the owner's own statements whose Sid begins with "+Prefix+", then redrive the execution")
}

// grants returns who is allowed and who is denied an action by a document, as texts that can be compared.
func grants(document []byte, action string) (allowed, denied []string, err error) {
	if len(document) == 0 {
		return nil, nil, nil
	}
	p, err := parse(document)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range p.statements {
		var one struct {
			Effect                  string
			Principal, NotPrincipal any
			Action, NotAction       any
			Resource, NotResource   any
			Condition               any
		}
		if err := json.Unmarshal(document[s.from:s.to], &one); err != nil {
			return nil, nil, malformed(err.Error())
		}
		if one.Action != nil && !matches(one.Action, action) || one.NotAction != nil && matches(one.NotAction, action) {
			continue
		}
		for _, principal := range principals(one.Principal, one.NotPrincipal) {
			where, err := json.Marshal(normal(map[string]any{"Resource": one.Resource, "NotResource": one.NotResource}))
			if err != nil {
				return nil, nil, err
			}
			when, err := json.Marshal(normal(one.Condition))
			if err != nil {
				return nil, nil, err
			}
			grant := fmt.Sprintf("%s on %s under the condition %s", principal, where, when)
			if one.Effect == "Allow" {
				allowed = append(allowed, grant)
			} else {
				denied = append(denied, grant)
			}
		}
	}
	return allowed, denied, nil
}

// matches reports whether one of the patterns matches an action; actions know no case.
func matches(patterns any, action string) bool {
	for _, pattern := range texts(patterns) {
		// path.Match knows more than IAM: the pattern's brackets mean nothing here, and no action has a slash.
		pattern = strings.NewReplacer("[", `\[`, `\`, `\\`).Replace(strings.ToLower(pattern))
		if ok, err := path.Match(pattern, strings.ToLower(action)); ok || err != nil {
			return true
		}
	}
	return false
}

// principals lists the principals of a statement, each alone.
func principals(named, not any) []string {
	var all []string
	if not != nil {
		all = append(all, fmt.Sprintf("everybody but %v", not))
	}
	switch v := named.(type) {
	case map[string]any:
		for kind, list := range v {
			for _, one := range texts(list) {
				all = append(all, kind+" "+one)
			}
		}
	default:
		all = append(all, texts(v)...)
	}
	slices.Sort(all)
	return all
}

// texts returns a string, or a list of strings, as a list.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, each := range v {
			all = append(all, texts(each)...)
		}
		return all
	}
	return nil
}
