package dataapi

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// Delegates reports whether a key policy leaves it to the IAM policies of an account who may do an action: it allows it to the account,
// without any condition. "Unless the key policy explicitly allows it, you cannot use IAM policies to allow access to a KMS key."
// A statement that cannot be understood delegates nothing.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-root-enable-iam
func Delegates(document []byte, partition, account, action string) bool {
	var policy struct{ Statement json.RawMessage }
	if json.Unmarshal(document, &policy) != nil {
		return false
	}
	var statements []json.RawMessage
	if json.Unmarshal(policy.Statement, &statements) != nil {
		statements = []json.RawMessage{policy.Statement}
	}
	for _, raw := range statements {
		var one struct {
			Effect            string
			Principal, Action any
			Condition         map[string]any
		}
		if json.Unmarshal(raw, &one) != nil || one.Effect != "Allow" || len(one.Condition) > 0 {
			continue
		}
		named, _ := one.Principal.(map[string]any)
		whole := slices.ContainsFunc(texts(named["AWS"]), func(p string) bool {
			return p == account || p == arn.IAM(partition, account, "root")
		})
		if whole && slices.ContainsFunc(texts(one.Action), func(pattern string) bool { return matches(pattern, action) }) {
			return true
		}
	}
	return false
}

// matches reports whether a pattern of actions, in which * and ? stand for others, matches one; actions know no case.
func matches(pattern, action string) bool {
	// path.Match knows more than IAM: brackets mean nothing there, and no action has a slash.
	pattern = strings.NewReplacer("[", `\[`, `\`, `\\`).Replace(strings.ToLower(pattern))
	ok, err := path.Match(pattern, strings.ToLower(action))
	return ok && err == nil
}

// texts returns a text, or a list of texts, as a list.
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
