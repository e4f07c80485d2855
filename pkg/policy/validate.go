package policy

import (
	"bytes"
	_ "embed"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	validator "github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

//go:embed schema.cedarschema
var schemaText string

// SchemaText returns the Cedar schema that every policy is held against, for editors and other Cedar tools.
func SchemaText() string { return schemaText }

// readSchema resolves the embedded schema.
func readSchema() *resolved.Schema {
	var s schema.Schema
	s.SetFilename("schema.cedarschema")
	if err := s.UnmarshalCedar([]byte(schemaText)); err != nil {
		panic(err) // a test reads it
	}
	r, err := s.Resolve()
	if err != nil {
		panic(err)
	}
	return r
}

// validate holds policies, parsed from text, against the schema, by Cedar's own strict validator.
func validate(name string, text []byte, policies cedar.PolicyList) []problem {
	v := validator.New(readSchema())
	bare := withoutComments(text)
	var problems []problem
	for i, p := range policies {
		start, end := p.Position().Offset, len(text)
		if i+1 < len(policies) {
			end = policies[i+1].Position().Offset
		}
		err := v.Policy("", (*ast.Policy)(p.AST()))
		for _, message := range messages(err) {
			line, column := position(text, start+locate(bare[start:end], message))
			found := problem{name, line, column, message, remedy(message)}
			if !slices.Contains(problems, found) {
				problems = append(problems, found)
			}
		}
	}
	return problems
}

// messages takes err apart into what the validator found, each without its prefix.
func messages(err error) []string {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, one := range many.Unwrap() {
			all = append(all, messages(one)...)
		}
		return all
	}
	return []string{strings.TrimPrefix(err.Error(), "for policy ``, ")}
}

// remedy says what to do about a message of the validator.
func remedy(message string) string {
	switch {
	case strings.Contains(message, "unable to guarantee safety of access to tag"):
		return `ask first: resource.hasTag("key") && resource.getTag("key") == …`
	case strings.Contains(message, "unable to find an applicable action"):
		return "the policy could never apply: docs/policy.md has the principal and resource of each action"
	case strings.Contains(message, "impossible"):
		return "the condition can never hold: correct or delete the policy"
	}
	return "docs/policy.md lists the actions, entities and attributes"
}

// locate returns the offset in text of what message quotes in backquotes, 0 if it is not there.
func locate(text []byte, message string) int {
	for quoted := range strings.SplitSeq(message, "`") {
		// An attribute path such as `context.x` is found by its end.
		candidates := []string{quoted}
		if at := strings.LastIndexByte(quoted, '.'); at >= 0 {
			candidates = append(candidates, quoted[at+1:])
		}
		for _, word := range candidates {
			if at := indexWord(text, word); at >= 0 && strings.Contains(message, "`"+quoted+"`") {
				return at
			}
		}
	}
	return 0
}

// indexWord returns the offset of word in text where it stands alone, -1 if it does not.
func indexWord(text []byte, word string) int {
	for from := 0; word != "" && from < len(text); {
		at := bytes.Index(text[from:], []byte(word))
		if at < 0 {
			return -1
		}
		at += from
		end := at + len(word)
		if (at == 0 || !inWord(text[at-1])) && (end == len(text) || !inWord(text[end])) {
			return at
		}
		from = at + 1
	}
	return -1
}

func inWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// withoutComments returns text with every comment overwritten by spaces, so that offsets stay.
func withoutComments(text []byte) []byte {
	bare := bytes.Clone(text)
	quoted, comment := false, false
	for i := 0; i < len(bare); i++ {
		switch {
		case bare[i] == '\n':
			comment = false
		case comment:
			bare[i] = ' '
		case quoted && bare[i] == '\\':
			i++
		case bare[i] == '"':
			quoted = !quoted
		case !quoted && bytes.HasPrefix(bare[i:], []byte("//")):
			comment = true
			bare[i] = ' '
		}
	}
	return bare
}
