package main

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	files "github.com/drawbridge-cloud/drawbridge/infra/template"
)

// held returns what each role of the templates may do.
func held(t *testing.T) map[string][]string {
	t.Helper()
	roles := map[string][]string{}
	take := func(role string, document any) {
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		var policy struct{ Statement []struct{ Action any } }
		if err := json.Unmarshal(text, &policy); err != nil {
			t.Fatal(err)
		}
		for _, s := range policy.Statement {
			actions, several := s.Action.([]any)
			if !several {
				actions = []any{s.Action}
			}
			for _, a := range actions {
				roles[role] = append(roles[role], a.(string))
			}
		}
	}
	for _, text := range []string{files.Hub, files.Member} {
		var stack struct {
			Resources map[string]struct {
				Type       string
				Properties struct {
					RoleName       string
					PolicyDocument any
					Policies       []map[string]any
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &stack); err != nil {
			t.Fatal(err)
		}
		for id, r := range stack.Resources {
			switch r.Type {
			case "AWS::IAM::Role":
				for _, p := range r.Properties.Policies {
					if whether, _ := p["Fn::If"].([]any); len(whether) == 3 {
						p = whether[1].(map[string]any) // a member that may be changed
					}
					take(id, p["PolicyDocument"])
				}
			case "AWS::IAM::Policy":
				take(id, r.Properties.PolicyDocument)
			}
		}
	}
	if len(roles) < len(steps) {
		t.Fatalf("%d roles for %d states", len(roles), len(steps))
	}
	return roles
}

var (
	reads   = regexp.MustCompile(`^[a-z0-9-]+:(Describe|Get|List|Search|BatchGet|Query)`)
	actions = regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z]+$`)
)

// Every call that changes something is answered, whether AWS does something for its caller or not; and who may make it has
// what it needs.
func TestWhatAWSDoesOnBehalfOfTheCaller(t *testing.T) {
	roles := held(t)
	all := slices.Concat(slices.Collect(maps.Values(roles))...)
	for role, may := range roles {
		for _, action := range may {
			needs, answered := onBehalf[action]
			if answered == slices.Contains(alone, action) && (answered || !reads.MatchString(action)) {
				t.Errorf("%s may call %s, which stands in both lists of onbehalf.go, or in none", role, action)
			}
			for _, n := range needs {
				if n.Why == "" && !slices.Contains(may, n.Action) {
					t.Errorf("%s may call %s, which needs %s (%s), and has it not", role, action, n.Action, n.Source)
				}
			}
		}
	}
	for _, action := range slices.Concat(alone, slices.Collect(maps.Keys(onBehalf))) {
		if !slices.Contains(all, action) {
			t.Errorf("onbehalf.go speaks of %s, which no role may call", action)
		}
		for i, n := range onBehalf[action] {
			if !actions.MatchString(n.Action) || !strings.HasPrefix(n.Source, "https://docs.aws.amazon.com/") {
				t.Errorf("need %d of %s is %+v: an action and AWS's page belong there", i, action, n)
			}
		}
	}
}

// What AWS publishes as dependent actions of a call that Drawbridge makes is among its needs.
func TestDependentActionsAreAnswered(t *testing.T) {
	all := slices.Concat(slices.Collect(maps.Values(held(t)))...)
	text, err := os.ReadFile("testdata/dependent-actions.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if strings.HasPrefix(line, "#") || len(words) < 2 || !slices.Contains(all, words[0]) {
			continue
		}
		known++
		for _, dependent := range words[1:] {
			if !slices.ContainsFunc(onBehalf[words[0]], func(n need) bool { return n.Action == dependent }) {
				t.Errorf("%s depends on %s, and onbehalf.go does not say whether its caller needs it", words[0], dependent)
			}
		}
	}
	if known == 0 {
		t.Fatal("no call of Drawbridge's is in testdata/dependent-actions.txt")
	}
	t.Logf("%d calls have dependent actions", known)
}

// The list is a file too, for programs: each call, and what is done on behalf of its caller.
func TestOnBehalfIsTheGoldenOne(t *testing.T) {
	list := maps.Clone(onBehalf)
	for _, action := range alone {
		list[action] = []need{}
	}
	golden(t, "on-behalf.json", pretty(t, list))
}
