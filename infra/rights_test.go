package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/infra/rights"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// kindOf returns what a resource of a grant is about, as the lines of package rights say it, for example "ec2 route-table/*".
func kindOf(resource string) string {
	p := strings.SplitN(strings.NewReplacer("${AWS::Partition}", "aws", "${AWS::AccountId}", "111111111111").Replace(resource), ":", 6)
	return p[2] + " " + p[5]
}

// written is one write as a role allows it: on a kind of thing, with condition keys.
type written struct{ state, action, on, keys string }

func (w written) String() string {
	return fmt.Sprintf("%s %s on %s with the condition keys [%s]", w.state, w.action, w.on, w.keys)
}

// writes returns every write of every state, as the roles have it.
func writes() map[written]bool {
	all := map[written]bool{}
	for state, s := range steps {
		for _, g := range s.member {
			var keys []string
			for _, block := range g.when {
				keys = slices.AppendSeq(keys, maps.Keys(block))
			}
			slices.Sort(keys)
			keys = slices.Compact(keys)
			for _, action := range g.actions {
				for _, r := range g.resources {
					if !reads.MatchString(action) {
						all[written{state, action, kindOf(r), strings.Join(keys, " ")}] = true
					}
				}
			}
		}
	}
	return all
}

// Whatever a state may write has its line, and no line is about anything else.
func TestEveryWriteHasItsLine(t *testing.T) {
	lines := map[written]int{}
	for n, l := range rights.Lines {
		if l.Whose == "" || l.OptIn == "" || len(l.Writes) == 0 || (l.Code == "") == (len(l.Enforced()) == 0) || (l.Code == "") != (len(l.Tried) == 0) {
			t.Errorf("line %d, on %s, lacks something, such as what tries it without the opt-in, or says twice who enforces it: %+v", n, l.On, l)
		}
		var keys []string
		for _, c := range l.IAM {
			keys = append(keys, c.Key)
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		for state, actions := range l.Writes {
			for _, action := range actions {
				lines[written{state, action, l.On, strings.Join(keys, " ")}]++
			}
		}
	}
	held := writes()
	if len(held) < 50 {
		t.Fatalf("the roles have %d writes", len(held))
	}
	for w := range held {
		if lines[w] != 1 {
			t.Errorf("%s: %d lines of infra/rights, want one", w, lines[w])
		}
	}
	for w := range lines {
		if !held[w] {
			t.Errorf("infra/rights has a line about %s, and no role allows that", w)
		}
	}
}

// Wherever an owner may write a value that means nothing, it can be answered: a kind of thing without the right fails here by name.
func TestEveryTagCanBeAnswered(t *testing.T) {
	var may []string
	for _, g := range steps["AnswerTags"].member {
		if g.when != nil {
			may = append(may, g.resources...)
		}
	}
	for _, w := range tag.Wishes {
		service := w.On.Service()
		if service == "secretsmanager" || service == "kms" { // the clusters that name it are answered
			continue
		}
		thing := arn(service, w.On.Resource()+"*")
		if service == "iam" {
			thing = anyRole
		}
		if !slices.Contains(may, thing) {
			t.Errorf("%s on a %s: AnswerTags may not tag %s", w.Key, w.On, thing)
		}
	}
}

// try is a question to IAM's rules, as the local engine has them, and what they should say.
type try struct {
	Policy   string            `json:"policy"`
	Action   string            `json:"action"`
	Resource string            `json:"resource"`
	Context  map[string]string `json:"context"`
	allowed  bool
	about    string
}

// Each line is tried: with what the line says IAM allows the call; without the opt-in, or with another's, it denies it.
func TestWithoutTheOptInIAMDenies(t *testing.T) {
	var tries []try
	enforced := 0
	for _, l := range rights.Lines {
		if len(l.Enforced()) > 0 {
			enforced++
		}
		for state, actions := range l.Writes {
			for _, action := range actions {
				ask := func(allowed bool, about string, change func(map[string]string)) {
					context := map[string]string{}
					for _, c := range l.IAM {
						context[strings.ToLower(c.Key)] = c.Value
					}
					change(context)
					tries = append(tries, try{state, action, exemplar(l.On), context, allowed, about})
				}
				ask(true, "as the line says", func(map[string]string) {})
				for _, c := range l.IAM {
					key := strings.ToLower(c.Key)
					ask(c.Value == rights.Any, "another "+c.Key, func(m map[string]string) { m[key] = "somebody-elses" })
					if c.Decides {
						ask(false, "no "+c.Key, func(m map[string]string) { delete(m, key) })
					}
				}
			}
		}
	}
	if enforced < 20 {
		t.Fatalf("IAM enforces %d lines", enforced)
	}
	judged := evaluate(t, rolePolicies(t), tries)
	for n, q := range tries {
		if judged[n] != q.allowed {
			t.Errorf("%s: %s on %s, %s %v: allowed is %v, want %v", q.Policy, q.Action, q.Resource, q.about, q.Context, judged[n], q.allowed)
		}
	}
	t.Logf("%d tries of %d lines, %d of which IAM enforces", len(tries), len(rights.Lines), enforced)
}

// The tags by which people decide are nobody's to set or take away who acts for Drawbridge: on no thing, in no state.
func TestNoStateWritesATagByWhichOwnersDecide(t *testing.T) {
	tagging := map[string]bool{}
	for w := range writes() {
		_, call, _ := strings.Cut(w.action, ":")
		if strings.Contains(call, "Tag") && !strings.Contains(w.on, "/drawbridge") { // what is Drawbridge's own has no owner who decides by it
			tagging[w.state+" "+w.action+" "+w.on] = true
		}
	}
	var tries []try
	for _, of := range slices.Sorted(maps.Keys(tagging)) {
		p := strings.SplitN(of, " ", 3)
		for _, key := range tag.Keys() {
			tries = append(tries, try{Policy: p[0], Action: p[1], Resource: exemplar(p[2]), about: key,
				Context: map[string]string{"aws:tagkeys": key, "aws:requesttag/" + strings.ToLower(key): "true", "aws:resourcetag/drawbridge:connection": "studio", "aws:resourcetag/drawbridge:studio": "true"}})
		}
	}
	if len(tries) < 100 {
		t.Fatalf("only %d tries", len(tries))
	}
	for n, allowed := range evaluate(t, rolePolicies(t), tries) {
		if allowed {
			t.Errorf("%s may call %s on %s with the tag %s", tries[n].Policy, tries[n].Action, tries[n].Resource, tries[n].about)
		}
	}
}

// exemplar returns an ARN of a kind.
func exemplar(on string) string {
	service, tail, _ := strings.Cut(on, " ")
	place := "us-east-1:111111111111"
	switch service {
	case "iam":
		place = ":111111111111"
	case "route53":
		place = ":"
	}
	return "arn:aws:" + service + ":" + place + ":" + strings.ReplaceAll(tail, "*", "x0")
}

// rolePolicies returns the policy of each state's role in a member account, as it is deployed there.
func rolePolicies(t *testing.T) map[string][]any {
	t.Helper()
	stack := awscdk.NewStack(awscdk.NewApp(nil), jsii.String("rights"), nil)
	all := map[string][]any{}
	for state, s := range steps {
		if len(s.member) == 0 {
			continue
		}
		text, err := json.Marshal(stack.Resolve(document(statements(s.member)...)))
		if err != nil {
			t.Fatal(err)
		}
		var d any
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		all[state] = []any{filled(d)}
	}
	return all
}

// filled fills in what CloudFormation does.
func filled(value any) any {
	switch v := value.(type) {
	case []any:
		for n := range v {
			v[n] = filled(v[n])
		}
	case map[string]any:
		if sub, ok := v["Fn::Sub"].(string); ok {
			return strings.NewReplacer("${AWS::Partition}", "aws", "${AWS::AccountId}", "111111111111").Replace(sub)
		}
		for key := range v {
			v[key] = filled(v[key])
		}
	}
	return value
}

// evaluate asks the local engine's evaluator of IAM policies; crosscheck holds that to one that somebody else wrote.
func evaluate(t *testing.T, policies map[string][]any, tries []try) []bool {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(root, ".venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Skipf("%s is missing: run make .venv/ready", python)
	}
	look(t, "infra/crosscheck", "pkg/local/moto/drawbridge_moto")
	question, err := json.Marshal(map[string]any{"policies": policies, "requests": tries})
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), python, filepath.Join(root, "infra", "crosscheck", "engine.py"))
	run.Dir = filepath.Join(root, "pkg", "local", "moto")
	run.Env = append(os.Environ(), "PYTHONPATH=.")
	var errors bytes.Buffer
	run.Stdin, run.Stderr = bytes.NewReader(question), &errors
	answer, err := run.Output()
	if err != nil {
		t.Fatalf("asking the engine: %v\n%s", err, errors.String())
	}
	var said struct{ Allowed []bool }
	if err := json.Unmarshal(answer, &said); err != nil || len(said.Allowed) != len(tries) {
		t.Fatalf("%d answers to %d questions: %v", len(said.Allowed), len(tries), err)
	}
	return said.Allowed
}
