package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// requestsFile is what the roles asked for, and were allowed, in the stories: pkg/local/moto/drawbridge_moto/authorizations.py
// writes it line by line, and `make test` leaves that of all stories.
const requestsFile = "out/authorizations.jsonl"

// request is one permission that a role asked for.
type request struct {
	Role     string              `json:"role"`
	Action   string              `json:"action"`
	Resource string              `json:"resource"`
	Context  map[string][]string `json:"context"`
	// Policies and Boundary are those of a role that Drawbridge made in a story. Others are in the templates.
	Policies []json.RawMessage `json:"policies,omitempty"`
	Boundary []json.RawMessage `json:"boundary,omitempty"`
}

// account returns the account of the role.
func (q request) account() string { return strings.Split(q.Role, ":")[4] }

// name returns the role's name, without its path.
func (q request) name() string { return q.Role[strings.LastIndex(q.Role, "/")+1:] }

// requests reads what was asked for. Stories have accounts and ids of their own, so many requests are the same but for
// those, and for the condition keys that no policy asks about: such are one.
func requests(root string, asked map[string]bool) ([]request, error) {
	text, err := os.ReadFile(filepath.Join(root, requestsFile))
	if err != nil {
		return nil, fmt.Errorf("what the roles asked for in the stories: %w: run `make %s`", err, requestsFile)
	}
	known := map[string]bool{}
	var all []request
	for line := range bytes.Lines(text) {
		var q request
		if err := json.Unmarshal(line, &q); err != nil {
			return nil, fmt.Errorf("reading %s: %w", requestsFile, err)
		}
		own := map[string]bool{}
		for _, policy := range slices.Concat(q.Policies, q.Boundary) {
			keys(string(policy), own)
		}
		maps.DeleteFunc(q.Context, func(key string, _ []string) bool { return !asked[key] && !own[key] })
		plain, err := canonical(q)
		if err != nil {
			return nil, err
		}
		if !known[plain] {
			known[plain] = true
			var one request
			if err := json.Unmarshal([]byte(plain), &one); err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s is empty", requestsFile)
	}
	return all, nil
}

// What differs between stories: accounts, and the random part of an id.
var (
	accounts  = regexp.MustCompile(`\b\d{12}\b`)
	randoms   = regexp.MustCompile(`\b[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b`)
	variables = regexp.MustCompile(`\$\{([a-zA-Z0-9:_/-]+)\}`)
)

// canonical writes a request as JSON with the same accounts and ids in every story: the role's account is 111111111111,
// unless it is the hub; the others are numbered.
func canonical(q request) (string, error) {
	text, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	names := map[string]string{hubAccount: hubAccount}
	if q.account() != hubAccount {
		names[q.account()] = consumer
	}
	others := 1
	plain := accounts.ReplaceAllStringFunc(string(text), func(found string) string {
		if _, ok := names[found]; !ok {
			others++
			names[found] = strings.Repeat(fmt.Sprint(others%10), 12)
		}
		return names[found]
	})
	ids := map[string]string{}
	return randoms.ReplaceAllStringFunc(plain, func(found string) string {
		if accounts.MatchString(found) {
			return found
		}
		if _, ok := ids[found]; !ok {
			ids[found] = fmt.Sprintf("x%d", len(ids)+1)
		}
		return ids[found]
	}), nil
}

// keys adds the condition keys that a policy, given as JSON, asks about, in lower case.
func keys(policy string, asked map[string]bool) {
	for _, found := range variables.FindAllStringSubmatch(policy, -1) {
		asked[strings.ToLower(found[1])] = true
	}
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			for key, one := range v {
				if blocks, ok := one.(map[string]any); ok && key == "Condition" {
					for _, block := range blocks {
						for name := range block.(map[string]any) {
							asked[strings.ToLower(name)] = true
						}
					}
				}
				walk(one)
			}
		}
	}
	var value any
	if json.Unmarshal([]byte(policy), &value) == nil {
		walk(value)
	}
}
