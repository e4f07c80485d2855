package stories

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/infra/rights"
	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// ofServices are the permissions of function roles that no call of a function uses, because an AWS service acts with the
// role, each with its reason. Nothing else may stand in a function's or a member's role without a call in a story.
var ofServices = map[string]string{
	"logs:CreateLogStream": "the Lambda service writes what the function prints, with the function's role",
	"logs:PutLogEvents":    "the Lambda service writes what the function prints, with the function's role",
}

// serviceRoles are the roles that are neither a function's nor a member's: AWS services assume them, and no function can.
var serviceRoles = map[string]string{
	"drawbridge-forward": "EventBridge forwards events with it; every story begins with such a delivery",
	"*MachineRole":       "Step Functions invokes the functions and writes logs and traces with it",
	"*MachineEventsRole": "EventBridge starts the machine with it",
}

// right is a permission: a role and what it may do.
type right struct{ role, action string }

func (r right) String() string { return r.role + " " + r.action }

// authorizations is what the engines wrote down of each call as IAM sees it, in all processes that play here and share a folder.
func authorizations(t *testing.T) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(kept, "authorizations-*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of authorizations in %s: %v", len(files), kept, err)
	}
	var out []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, text[:bytes.LastIndexByte(text, '\n')+1]...) // a process that still plays may be in the middle of a line
	}
	return out
}

// rightsAsked are the rights that roles used and were allowed so far, and how often: what the engine wrote down of each call as IAM sees it.
func rightsAsked(t *testing.T) map[right]int {
	t.Helper()
	out := map[right]int{}
	for line := range strings.SplitSeq(strings.TrimSpace(string(authorizations(t))), "\n") {
		var one struct {
			Role, Action string
			Policies     json.RawMessage // of a role that no template has
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		if one.Policies != nil {
			continue
		}
		out[right{one.Role[strings.LastIndexByte(one.Role, '/')+1:], one.Action}]++
	}
	return out
}

const (
	hubPrefix    = "drawbridge-"
	memberPrefix = "drawbridge-member-"
)

// granted are the permissions of the roles of functions and members, as the templates have them.
func granted(t *testing.T) map[right]bool {
	t.Helper()
	type list []string
	out := map[right]bool{}
	for _, text := range []string{template.Hub, template.Member} {
		var stack struct {
			Resources map[string]struct {
				Type       string
				Properties struct {
					RoleName string
					Policies []json.RawMessage
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &stack); err != nil {
			t.Fatal(err)
		}
		for id, r := range stack.Resources {
			if r.Type != "AWS::IAM::Role" || ofService(id, r.Properties.RoleName) {
				continue
			}
			if !strings.HasPrefix(r.Properties.RoleName, hubPrefix) {
				t.Errorf("role %s %s is a function's, a member's or a service's: which?", id, r.Properties.RoleName)
			}
			for _, raw := range r.Properties.Policies {
				var whether struct {
					If []json.RawMessage `json:"Fn::If"`
				}
				if err := json.Unmarshal(raw, &whether); err == nil && len(whether.If) == 3 {
					raw = whether.If[1] // a member that may be changed
				}
				var p struct {
					PolicyDocument struct {
						Statement []struct {
							Effect string
							Action any
						}
					}
				}
				if err := json.Unmarshal(raw, &p); err != nil {
					t.Fatal(err)
				}
				for _, s := range p.PolicyDocument.Statement {
					var actions list
					switch a := s.Action.(type) {
					case string:
						actions = list{a}
					case []any:
						for _, one := range a {
							actions = append(actions, one.(string))
						}
					}
					if s.Effect != "Allow" || len(actions) == 0 {
						t.Errorf("a statement of %s allows nothing", r.Properties.RoleName)
					}
					for _, a := range actions {
						out[right{r.Properties.RoleName, a}] = true
					}
				}
			}
		}
	}
	return out
}

// logicalHash is what the CDK adds to the names of resources.
var logicalHash = regexp.MustCompile(`[0-9A-F]{8}$`)

func ofService(id, name string) bool {
	if _, known := serviceRoles[name]; known {
		return true
	}
	id = logicalHash.ReplaceAllString(id, "")
	for pattern := range serviceRoles {
		if suffix, some := strings.CutPrefix(pattern, "*"); some && strings.HasSuffix(id, suffix) {
			return true
		}
	}
	return false
}

// everyRightIsUsed compares what the roles allow with what the stories used, both ways.
func everyRightIsUsed(t *testing.T) {
	used, allowed := rightsAsked(t), granted(t)
	if len(used) == 0 || len(allowed) == 0 {
		t.Fatalf("%d rights used, %d granted: there is nothing to compare", len(used), len(allowed))
	}
	byName := func(a, b right) int { return strings.Compare(a.String(), b.String()) }
	for _, r := range slices.SortedFunc(maps.Keys(allowed), byName) {
		_, excepted := ofServices[r.action]
		_, rare := rights.Rarely[rights.Right{Role: r.role, Action: r.action}]
		bundled := rights.Bundled(r.action, func(a string) bool { return used[right{r.role, a}] > 0 })
		switch {
		case used[r] > 0 && excepted:
			t.Errorf("%s is excepted, and a story uses it", r)
		case used[r] > 0 && rare: // where executions meet, one may use it now and then
			t.Logf("%s is excepted, and a story used it", r)
		case used[r] == 0 && !excepted && !rare && !bundled:
			t.Errorf("%s is allowed, and no story uses it: take it out of the machine's file in infra, or tell the story", r)
		}
	}
	for _, r := range slices.SortedFunc(maps.Keys(used), byName) {
		if strings.HasPrefix(r.role, hubPrefix) && !allowed[r] && serviceRoles[r.role] == "" {
			t.Errorf("%s is used, and no template allows it", r)
		}
	}
	tests := testNames(t)
	for r, by := range rights.Rarely {
		if !allowed[right{r.Role, r.Action}] {
			t.Errorf("%v is excepted, and not allowed", r)
		}
		if !tests[by] {
			t.Errorf("%v is excepted for %s, and there is no such test", r, by)
		}
	}
	t.Logf("%d rights granted, %d used", len(allowed), len(used))
}

// testNames are the names of all tests of pkg.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	out, declared := map[string]bool{}, regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(filepath.Join(root, "pkg"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			out[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// authorizationsAreKept leaves what the roles asked for in all stories to `make crosscheck`, which asks other judges the same.
func authorizationsAreKept(t *testing.T) {
	asked := authorizations(t)
	if err := os.MkdirAll(filepath.Join(root, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	// What a test has just written `go test` takes for an input that may still change, and keeps no result: so the file gets its name when it is whole.
	file, err := os.CreateTemp(filepath.Join(root, "out"), "authorizations-")
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Write(asked)
	if err = errors.Join(err, file.Chmod(0o644), file.Close(), os.Rename(file.Name(), filepath.Join(root, "out", "authorizations.jsonl"))); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d authorizations kept", bytes.Count(asked, []byte("\n")))
}

// TestWithoutAPermission takes one permission out of a role and plays the main story: the execution fails, as Refused, and says which role of which account lacks
// what. Where the step only keeps some from being served, the steps after it are done first, and the last one fails.
func TestWithoutAPermission(t *testing.T) {
	for n, c := range []struct {
		step, action string
		hub          bool
		beta         bool // the role is beta's, else alpha's
		goesOn       bool // VerifyConnection fails
	}{
		{step: "inspect-peering", action: "rds:DescribeDBInstances"},
		{step: "inspect-peering", action: "ssm:GetParameter", hub: true},
		{step: "accept-peering", action: "ec2:AcceptVpcPeeringConnection", beta: true},
		{step: "add-routes", action: "ec2:CreateRoute", goesOn: true},
		{step: "open-firewall", action: "ec2:AuthorizeSecurityGroupIngress", beta: true, goesOn: true},
		{step: "open-firewall", action: "ec2:CreateTags", beta: true, goesOn: true},
		{step: "inject-routes", action: "sagemaker:UpdateNotebookInstanceLifecycleConfig", goesOn: true},
		{step: "verify-connection", action: "ec2:CreateTags"},
		{step: "ask-approval", action: "sns:Publish", hub: true},
		{step: "verify-connection", action: "sts:AssumeRole", hub: true},
	} {
		t.Run(c.step+" "+c.action, func(t *testing.T) {
			ctx := timeout(t)
			spec := scenario.S1()
			cast(&spec, 9000+n)
			if c.step == "ask-approval" {
				spec.Accept = ""
			}
			world, err := spec.Build(ctx, engine.Config)
			if err != nil {
				t.Fatal(err)
			}
			account, role := spec.Consumer.Account, memberPrefix+c.step
			if c.beta {
				account = spec.Producer.Account
			}
			if c.hub {
				account, role = local.HubAccount, hubPrefix+c.step
			}
			withdraw(ctx, t, account, role, c.action)
			if _, err := engine.Settle(ctx, 0); err != nil {
				t.Fatal(err)
			}
			engine.Cool() // a process remembers what it read before
			engine.Story().Begin()
			if err := world.Request(ctx); err != nil {
				t.Fatal(err)
			}
			end := until(ctx, t, 1)[0]
			state := ""
			for word := range strings.SplitSeq(c.step, "-") {
				state += strings.ToUpper(word[:1]) + word[1:]
			}
			if c.goesOn {
				state = "VerifyConnection"
			}
			if end.Status != "FAILED" || end.State != state || end.Error != "Refused" {
				t.Errorf("ended %s in %s with %q, want FAILED in %s with Refused: %s", end.Status, end.State, end.Error, state, end.Cause)
			}
			if c.action == "sts:AssumeRole" { // what is lacking is the way in
				account, role = spec.Consumer.Account, memberPrefix+c.step
				c.action = "assuming"
			}
			for _, said := range []string{account, role, c.action} {
				if !strings.Contains(end.Cause, said) {
					t.Errorf("the error does not name %s: %s", said, end.Cause)
				}
			}
			t.Log(end.Cause)
		})
	}
}

// withdraw takes an action out of the inline policy of a role until the test ends, as the account's owner.
func withdraw(ctx context.Context, t *testing.T, account, role, action string) {
	t.Helper()
	policy := "step"
	if strings.HasPrefix(role, memberPrefix) {
		if policy = "change"; mode.Reads(action) {
			policy = "read"
		}
	}
	name := url.Values{"RoleName": {role}, "PolicyName": {policy}}
	answer := asIAM(ctx, t, account, "GetRolePolicy", name)
	m := regexp.MustCompile(`(?s)<PolicyDocument>(.*?)</PolicyDocument>`).FindStringSubmatch(answer)
	if m == nil {
		t.Fatalf("%s in %s has no policy: %s", role, account, answer)
	}
	whole, err := url.QueryUnescape(m[1])
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal([]byte(whole), &document); err != nil {
		t.Fatalf("reading %s: %v", whole, err)
	}
	found := false
	document.Statement = slices.DeleteFunc(document.Statement, func(s map[string]any) bool {
		actions, several := s["Action"].([]any)
		if !several {
			actions = []any{s["Action"]}
		}
		rest := slices.DeleteFunc(actions, func(a any) bool { return a == action })
		found = found || len(rest) < len(actions)
		s["Action"] = rest
		return len(rest) == 0
	})
	if !found {
		t.Fatalf("%s in %s does not allow %s: %s", role, account, action, whole)
	}
	t.Cleanup(func() {
		name.Set("PolicyDocument", whole)
		asIAM(context.WithoutCancel(ctx), t, account, "PutRolePolicy", name)
	})
	if len(document.Statement) == 0 {
		asIAM(ctx, t, account, "DeleteRolePolicy", name)
		return
	}
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	name.Set("PolicyDocument", string(text))
	asIAM(ctx, t, account, "PutRolePolicy", name)
}

// iam makes one call to IAM as an account; the engine asks for no more of a signature than who signed.
func asIAM(ctx context.Context, t *testing.T, account, action string, parameters url.Values) string {
	t.Helper()
	parameters.Set("Action", action)
	parameters.Set("Version", "2010-05-08")
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, engine.URL(), strings.NewReader(parameters.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("Authorization", fmt.Sprintf(
		"AWS4-HMAC-SHA256 Credential=%s/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0", account))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("iam:%s on %s in %s: %s: %s", action, parameters.Get("RoleName"), account, answer.Status, body)
	}
	return string(body)
}
