package policy

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cedar-policy/cedar-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// MaxSize is the length in bytes that a policy may have: what a parameter holds.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
const MaxSize = 8192

//go:embed default.cedar
var defaultText string

// DefaultText returns the text of the policy that comes with Drawbridge.
func DefaultText() string { return defaultText }

// Default returns the policy that comes with Drawbridge, parsed.
func Default() *Set {
	set, err := Parse("default.cedar", []byte(defaultText))
	if err != nil {
		panic(err) // a test parses it
	}
	return set
}

// Parse reads a policy: Cedar text in which every policy has an @id of its own, and which speaks only of what
// schema.cedarschema lists. The error has one line for each problem, "name:line:column: message; remedy: …", and is a
// [fault.Conflict]: a person must correct the text.
//
// Unknown actions, entity types and attributes, wrong types, policies that can never apply, and tags read without
// asking hasTag first are all problems. Where Cedar's validator does not say which expression it means, the position
// is that of the policy.
func Parse(name string, text []byte) (*Set, error) {
	if len(text) > MaxSize {
		return nil, report(problem{name, 1, 1, fmt.Sprintf("the policy has %d bytes, a parameter holds %d", len(text), MaxSize), "shorten comments or merge policies"})
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // a byte order mark
	if at := notText(text); at >= 0 {
		line, column := position(text, at)
		return nil, report(problem{name, line, column, "this is not UTF-8 text", "save the file as UTF-8"})
	}
	policies, err := cedar.NewPolicyListFromBytes(name, text)
	if err != nil {
		return nil, report(syntax(name, text, err))
	}
	if len(policies) == 0 {
		return nil, report(problem{name, 1, 1, "there is no policy in the text", "start from the default policy; without any, nothing is allowed"})
	}
	set := &Set{}
	var problems []problem
	lines := map[string]int{DefaultDeny: 0, MissingFacts: 0}
	for _, p := range policies {
		at := p.Position()
		id, reason := string(p.Annotations()["id"]), string(p.Annotations()["reason"])
		if used, taken := lines[id]; id == "" {
			problems = append(problems, problem{name, at.Line, at.Column, "the policy has no @id", `put @id("a-name") above it: decisions are reported under that name`})
		} else if taken && used == 0 {
			problems = append(problems, problem{name, at.Line, at.Column, fmt.Sprintf("@id(%q) is a name that Drawbridge uses itself", id), "choose another name"})
		} else if taken {
			problems = append(problems, problem{name, at.Line, at.Column, fmt.Sprintf("@id(%q) is taken by the policy in line %d", id, used), "choose another name"})
		} else {
			lines[id] = at.Line
		}
		atOnce, wrong := atOnce(p)
		if wrong != "" {
			problems = append(problems, problem{name, at.Line, at.Column, wrong, fmt.Sprintf(`put @at_once("5") above a policy that permits Restart alone, with a number from 1 to %d, or leave it out`, MaxAtOnce)})
		}
		set.policies = append(set.policies, named{id, reason, atOnce, p})
		if said := p.MarshalCedar(); bytes.Contains(said, []byte("ouPath")) || bytes.Contains(said, []byte("Drawbridge::OU::")) {
			set.needsPath = true
		}
	}
	problems = append(problems, validate(name, text, policies)...)
	if len(problems) > 0 {
		return nil, report(problems...)
	}
	return set, nil
}

// MaxAtOnce is the most that the annotation @at_once of a policy may say.
const MaxAtOnce = 100

// atOnce is the number in the annotation @at_once of a policy, 0 if it has none; wrong says what is wrong with it.
func atOnce(p *cedar.Policy) (n int, wrong string) {
	text, there := p.Annotations()["at_once"]
	if !there {
		return 0, ""
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > MaxAtOnce {
		return 0, fmt.Sprintf("@at_once(%q) is not a number of notebooks", string(text))
	}
	if p.Effect() != cedar.Permit || !bytes.Contains(p.MarshalCedar(), []byte(`action == Drawbridge::Action::"Restart"`)) {
		return 0, "@at_once says how many notebooks are restarted at once, and this policy does not permit that alone"
	}
	return n, ""
}

// A problem is one thing that is wrong with a policy's text.
type problem struct {
	name         string
	line, column int // from 1; column counts characters
	message      string
	remedy       string
}

func (p problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s; remedy: %s", p.name, p.line, p.column, p.message, p.remedy)
}

// report makes one error of the problems, a line for each.
func report(problems ...problem) error {
	lines := make([]string, 0, len(problems))
	for _, p := range problems {
		lines = append(lines, p.String())
	}
	return fault.New(fault.Conflict, "%s", strings.Join(lines, "\n"))
}

// syntax takes the position out of a message of Cedar's parser: "parse error at <input>:3:12 "foo": …".
func syntax(name string, text []byte, err error) problem {
	p := problem{name, 1, 1, err.Error(), "https://docs.cedarpolicy.com/policies/syntax-grammar.html has the grammar"}
	before, after, found := strings.Cut(p.message, "<input>:")
	if !found {
		return p
	}
	if n, _ := fmt.Sscanf(after, "%d:%d", &p.line, &p.column); n != 2 {
		return p
	}
	rest := strings.TrimLeft(after, "0123456789:")
	before = strings.TrimSuffix(strings.TrimPrefix(before, "parser error: "), "parse error at ")
	p.message = strings.TrimLeft(before+rest, " ")
	if near, what, ok := strings.Cut(p.message, `": `); ok && strings.HasPrefix(near, `"`) {
		what = strings.TrimPrefix(what, "exact ")
		if near == `"` {
			// The place is where the writing stopped, not the empty lines after it.
			p.line, p.column = position(text, len(bytes.TrimRight(withoutComments(text), " \t\r\n")))
			p.message = "at the end of the text: " + strings.TrimPrefix(what, "got  ")
		} else {
			p.message = fmt.Sprintf(`near %s": %s`, near, what)
		}
	}
	return p
}

// position returns line and column of the byte at offset, both from 1, the column in characters.
func position(text []byte, offset int) (line, column int) {
	before := text[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}

// notText returns the offset of the first byte that is NUL or no UTF-8, -1 if there is none.
func notText(text []byte) int {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == 0 || r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}
