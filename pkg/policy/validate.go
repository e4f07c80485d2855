package policy

import (
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
	check := func(p ast.Policy) []string { return messages(v.Policy("", &p)) }
	bare := withoutComments(text)
	var problems []problem
	for i, p := range policies {
		end := len(text)
		if i+1 < len(policies) {
			end = policies[i+1].Position().Offset
		}
		within := span{bare, p.Position().Offset, end}
		for _, message := range check(*(*ast.Policy)(p.AST())) {
			line, column := position(text, locate(within, *(*ast.Policy)(p.AST()), message, check))
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
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{strings.TrimPrefix(err.Error(), "for policy ``, ")}
	}
	var all []string
	for _, one := range many.Unwrap() {
		all = append(all, messages(one)...)
	}
	// A name that is not in the schema also makes the policy inapplicable. To say so twice helps nobody.
	if slices.ContainsFunc(all, func(m string) bool { return strings.HasPrefix(m, "unrecognized") }) {
		all = slices.DeleteFunc(all, inapplicable)
	}
	return all
}

func inapplicable(message string) bool {
	return strings.HasPrefix(message, "unable to find an applicable action")
}

// remedy says what to do about a message of the validator.
func remedy(message string) string {
	switch {
	case strings.Contains(message, "unable to guarantee safety of access to tag"):
		return `ask first: resource.hasTag("key") && resource.getTag("key") == "value"`
	case inapplicable(message):
		return "the policy could never apply: docs/policy.md has the principal and resource of each action"
	case strings.HasPrefix(message, "unrecognized"):
		return `write names in full, such as Drawbridge::Action::"Accept" or Drawbridge::VPC; docs/policy.md lists them`
	}
	return "docs/policy.md lists the attributes and their types"
}
