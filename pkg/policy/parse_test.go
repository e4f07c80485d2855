package policy_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

func TestParseErrors(t *testing.T) {
	// accept is the head of a policy, two lines long.
	const accept = "@id(\"a\")\npermit (principal, action == Drawbridge::Action::\"Accept\", resource)"
	for name, c := range map[string]struct {
		text string
		want []string // beginnings of the lines of the error
	}{
		"no policy":                {"// nothing\n", []string{"p.cedar:1:1: there is no policy"}},
		"a word that is no effect": {"@id(\"a\")\nallow (principal, action, resource);", []string{`p.cedar:2:7: near "(": unexpected effect`}},
		"no semicolon":             {accept + "\n\n// more\n", []string{`p.cedar:2:69: at the end of the text: want ;`}},
		"no semicolon between":     {accept + "\n" + accept + ";", []string{`p.cedar:3:2: near "id": got @ want ;`}},
		"a string without an end":  {accept + "\nwhen { principal.region == \"eu };", []string{"p.cedar:3:28: literal not terminated"}},
		"a comment in C's manner":  {accept + "; /* old", []string{`p.cedar:2:`}},
		"a policy template":        {"@id(\"a\")\npermit (principal == ?principal, action, resource);", []string{`p.cedar:2:23: near "principal": expected ident`}},
		"a method that is none":    {accept + "\nwhen { resource.cidr.overlaps(ip(\"10.0.0.0/8\")) };", []string{"p.cedar:3:49: near \"}\": `overlaps` is not a method"}},
		"no id":                    {"\n\npermit (principal, action, resource);", []string{"p.cedar:3:1: the policy has no @id; remedy: put @id("}},
		"an id without a value":    {"@id permit (principal, action, resource);", []string{"p.cedar:1:1: the policy has no @id"}},
		"an id twice":              {accept + ";\n" + accept + ";", []string{`p.cedar:3:1: @id("a") is taken by the policy in line 1`}},
		"an id that means no":      {`@id("default-deny") permit (principal, action, resource);`, []string{`p.cedar:1:1: @id("default-deny") is a name that Drawbridge uses itself`}},
		"an unknown action":        {"@id(\"a\")\npermit (principal, action == Drawbridge::Action::\"Acept\", resource);", []string{"p.cedar:2:30: unrecognized action `Drawbridge::Action::\"Acept\"`"}},
		"an action in short":       {"@id(\"a\")\npermit (principal, action == Action::\"Accept\", resource);", []string{"p.cedar:2:30: unrecognized action `Action::\"Accept\"`; remedy: write names in full"}},
		"an unknown entity type":   {"@id(\"a\")\npermit (principal is Drawbridge::Vpc, action, resource);", []string{"p.cedar:2:22: unrecognized entity type `Drawbridge::Vpc`"}},
		"a resource that never is": {"\n@id(\"a\")\npermit (principal, action == Drawbridge::Action::\"Accept\", resource is Drawbridge::Notebook);", []string{"p.cedar:2:1: unable to find an applicable action"}},
		"an unknown attribute":     {accept + "\nwhen {\n  // no colour here\n  principal.colour == \"red\"\n};", []string{"p.cedar:5:13: attribute `colour` on entity type `Drawbridge::VPC` not found"}},
		"an attribute of another":  {accept + "\nwhen { principal.region == \"engine\" }\nunless {\n  resource.region != \"engine\" ||\n  resource.engine == \"x\" };", []string{"p.cedar:6:12: attribute `engine`"}},
		"an unknown context":       {accept + "\nwhen { context.mood == \"good\" };", []string{"p.cedar:3:16: attribute `mood` in context"}},
		"a wrong type":             {accept + "\nwhen {\n  principal.region == \"a\" &&\n  (\n    principal.account == 3 ||\n    principal.region == \"b\"\n  )\n};", []string{"p.cedar:6:5: the types Long and String are not compatible"}},
		"a wrong type in the last": {accept + "\nwhen {\n  principal.region == \"a && (\" &&\n  principal.account < 3\n};", []string{"p.cedar:5:3: unexpected type"}},
		"a condition that is none": {accept + "\nwhen { true }\nwhen {\n  principal.account\n};", []string{"p.cedar:5:3: unexpected type: expected Bool but saw String"}},
		"a range that is none":     {accept + "\nwhen { principal.cidr.isInRange(ip(\"10.0.0.0/99\")) };", []string{"p.cedar:3:36: error during extension function argument validation: failed to parse as IP address"}},
		"a tag without asking":     {accept + "\nwhen { resource.hasTag(\"y\") && resource.getTag(\"x\") == \"z\" };", []string{"p.cedar:3:48: unable to guarantee safety of access to tag `\"x\"` on entity type `Drawbridge::VPC`; remedy: ask first"}},
		"a tag that is no string":  {accept + "\nwhen { resource.hasTag(\"y\") &&\n resource.getTag(\"y\") == 1 };", []string{"p.cedar:4:2: the types Long and String are not compatible"}},
		"several problems":         {"permit (principal, action, resource);\n" + accept + "\nwhen { principal.colour == 1 };", []string{"p.cedar:1:1: the policy has no @id", "p.cedar:4:18: attribute `colour`"}},
		"no number at once":        {"@id(\"a\")\n@at_once(\"many\")\npermit (principal, action == Drawbridge::Action::\"Restart\", resource);", []string{`p.cedar:1:1: @at_once("many") is not a number`}},
		"too many at once":         {"@id(\"a\")\n@at_once(\"101\")\npermit (principal, action == Drawbridge::Action::\"Restart\", resource);", []string{`p.cedar:1:1: @at_once("101") is not a number`}},
		"at once of what":          {"@at_once(\"3\")\n" + accept + ";", []string{"p.cedar:1:1: @at_once says how many notebooks"}},
		"too long":                 {accept + ";" + strings.Repeat(" ", policy.MaxSize), []string{"p.cedar:1:1: the policy has 8270 bytes, a parameter holds 8192"}},
		"not UTF-8":                {accept + ";\n// Z\xfcrich", []string{"p.cedar:3:5: this is not UTF-8 text"}},
		"NUL":                      {accept + "\x00;", []string{"p.cedar:2:69: this is not UTF-8 text"}},
		"parentheses without end":  {accept + "\nwhen { " + strings.Repeat("(", 8000), []string{"p.cedar:"}},
		"columns count characters": {"@id(\"ä\") permit (principal, action in Drawbridge::Action::\"Network\", resource) when { \"ü\" == principal.colour };", []string{"p.cedar:1:104: attribute `colour`"}},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := policy.Parse("p.cedar", []byte(c.text))
			if err == nil {
				t.Fatal("no error")
			}
			if set != nil {
				t.Error("a policy in spite of the error")
			}
			if kind := fault.Of(err); kind != fault.Conflict {
				t.Errorf("kind %s, want Conflict", kind)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(c.want) {
				t.Fatalf("got %d lines, want %d:\n%v", len(lines), len(c.want), err)
			}
			for i, line := range lines {
				if !strings.HasPrefix(line, c.want[i]) {
					t.Errorf("got  %s\nwant %s", line, c.want[i])
				}
				if !strings.Contains(line, "; remedy: ") {
					t.Errorf("no remedy: %s", line)
				}
			}
		})
	}
}

var place = regexp.MustCompile(`^p\.cedar:[1-9][0-9]*:[1-9][0-9]*: .+; remedy: .+`)

func FuzzParse(f *testing.F) {
	f.Add(policy.DefaultText())
	f.Add(policy.SchemaText())
	f.Add(`@id("a") permit (principal, action == Drawbridge::Action::"Accept", resource) when { principal.x == "\"" || (resource.cidr.isInRange(ip("10.0.0.0/8")) && 1 < "a") };`)
	f.Add(`@id("a") forbid (principal, action, resource) unless { if principal has x then [1] else {"a": -1} };`)
	f.Add(`@id("a") permit (principal, action, resource) when { "`)
	f.Add("\x00")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := policy.Parse("p.cedar", []byte(text))
		if err != nil {
			if first, _, _ := strings.Cut(err.Error(), "\n"); !place.MatchString(first) {
				t.Errorf("an error without a place or remedy: %v", err)
			}
			return
		}
		for _, action := range policy.Actions() {
			if d := set.Decide(action, analytics(), data(), policy.Context{}); d.Policy == "" || d.Reason == "" {
				t.Errorf("a decision of nobody: %+v", d)
			}
		}
	})
}

func ExampleParse() {
	_, err := policy.Parse("policy.cedar", []byte(`
@id("science-to-data")
permit (
  principal in Drawbridge::OU::"ou-ab12-science",
  action == Drawbridge::Action::"Accept",
  resource
) when {
  resource.colour == "blue"
};`))
	fmt.Println(err)
	// Output: policy.cedar:8:12: attribute `colour` on entity type `Drawbridge::VPC` not found; remedy: docs/policy.md lists the attributes and their types
}

// Editors on Windows put a byte order mark before the text, which nobody sees.
func TestAByteOrderMarkIsNoPartOfAPolicy(t *testing.T) {
	const mark = "\ufeff"
	if _, err := policy.Parse("text", []byte(mark+policy.DefaultText())); err != nil {
		t.Errorf("the default policy with a mark before it: %v", err)
	}
	if _, err := policy.Parse("text", []byte(mark)); err == nil || !strings.Contains(err.Error(), "there is no policy") {
		t.Errorf("a mark alone: %v", err)
	}
}
