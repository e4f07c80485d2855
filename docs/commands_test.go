package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// python is that of the venv with the AWS CLI, which the Makefile sets up.
const python = "../.venv-docs/bin/python"

// values stand for the words in capitals in the commands of deploy.md.
var values = strings.NewReplacer(
	"HUB_ACCOUNT", local.HubAccount, "HUB_REGION", local.DefaultRegion, "HOME_REGION", local.DefaultRegion, "NEXT_REGION", "eu-west-1",
	"ORGANIZATION_ID", local.Organization, "EXTERNAL_ID", local.ExternalID, "UNIT_ID", "ou-draw-bridge000", "OPERATION_ID", "0c9f1c5a-1d2e-4c7b-9a50-2b1f7d6f0e11",
	"TRAIL_ARN", "arn:aws:cloudtrail:us-east-1:999988887777:trail/organization", "MEMBER_ACCOUNT", "111111111111",
	"BUS_ARN", "arn:aws:events:us-east-1:123456789012:event-bus/drawbridge", "BUCKET", "drawbridge-templates", "BOUNDARY", "platform-boundary", "QUALIFIER", "platform01",
)

// command is one command of deploy.md.
type command struct {
	line  string
	words []string
}

// indents are those of a block of code: at the edge, inside a list, inside a numbered list.
var indents = []int{4, 6, 7}

// commands returns the commands of deploy.md: the lines of its indented blocks, continued by a backslash, and those of the
// AWS CLI in its sentences.
func commands(t *testing.T) []command {
	t.Helper()
	var all []command
	var lines []string
	text := strings.ReplaceAll(fence.ReplaceAllString(documents(t)["docs/deploy.md"], ""), "\\\n", " ")
	for line := range strings.Lines(text) {
		code := strings.TrimRight(strings.TrimLeft(line, " "), "\n")
		if indent := len(line) - len(strings.TrimLeft(line, " ")); slices.Contains(indents, indent) && code != "" {
			lines = append(lines, code)
		}
	}
	for _, m := range regexp.MustCompile("`(aws [^`\n]+)`").FindAllStringSubmatch(text, -1) {
		lines = append(lines, m[1])
	}
	for _, line := range lines {
		c, code := command{line: line}, values.Replace(line)
		if m := regexp.MustCompile(`\b[A-Z]+_[A-Z_]+\b`).FindString(code); m != "" && m != "DELEGATED_ADMIN" {
			t.Errorf("deploy.md: %s: nobody says what %s stands for", line, m)
		}
		words := split(t, code)
		if i := slices.Index(words, "#"); i >= 0 {
			words = words[:i]
		}
		c.words = words
		all = append(all, c)
	}
	if len(all) < 20 {
		t.Fatalf("deploy.md has %d commands, want many", len(all))
	}
	return all
}

// split returns the words of a shell command as the shell itself splits them.
func split(t *testing.T, line string) []string {
	t.Helper()
	out, err := exec.Command("bash", "-c", `set -f; eval "set -- $1"; printf '%s\0' "$@"`, "bash", strings.ReplaceAll(line, " # ", " '#' ")).Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// beside is a folder with the files that the commands name.
func beside(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cedar, err := os.ReadFile("../pkg/policy/default.cedar")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"policy.cedar": cedar, "delegation.json": delegation(t)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ready says whether a tool is there; on CI it must be.
func ready(t *testing.T, path, target string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("%v: run `make %s`", err, target)
	}
}

// TestTheCommandsOfTheAWSCLI holds them against the AWS CLI itself: services, operations, options, values, and that a
// query finds something in the answer.
func TestTheCommandsOfTheAWSCLI(t *testing.T) {
	ready(t, python, ".venv-docs/ready")
	heldByTheCLI(t, slices.DeleteFunc(commands(t), func(c command) bool { return c.words[0] != "aws" }))
}

// heldByTheCLI holds commands against the AWS CLI.
func heldByTheCLI(t *testing.T, asked []command) {
	t.Helper()
	var words [][]string
	for _, c := range asked {
		words = append(words, c.words)
	}
	script, err := filepath.Abs("check_commands.py")
	if err != nil {
		t.Fatal(err)
	}
	interpreter, err := filepath.Abs(python)
	if err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(words)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(interpreter, script)
	run.Dir, run.Stdin, run.Stderr = beside(t), bytes.NewReader(input), os.Stderr
	out, err := run.Output()
	if err != nil {
		t.Fatal(err)
	}
	var wrong []*string
	if err := json.Unmarshal(out, &wrong); err != nil || len(wrong) != len(asked) || len(asked) < 10 {
		t.Fatalf("%d answers to %d commands: %v", len(wrong), len(asked), err)
	}
	for i, w := range wrong {
		if w != nil {
			t.Errorf("%s\n%s", asked[i].line, *w)
		}
	}
	t.Logf("%d commands of the AWS CLI", len(asked))
}

// TestTheOtherCommands holds them against the CDK's own help, and against the Makefile.
func TestTheOtherCommands(t *testing.T) {
	ready(t, "../node_modules/.bin/cdk", "node_modules/ready")
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	help := map[string]string{}
	held := map[string]int{}
	for _, c := range commands(t) {
		held[c.words[0]]++
		switch c.words[0] {
		case "aws":
		case "make":
			for _, word := range c.words[1:] {
				name, _, sets := strings.Cut(word, "=")
				form := `(?m)^(\S+ )*` + regexp.QuoteMeta(name) + `( \S+)*:[^=]`
				if sets {
					form = `(?m)^` + regexp.QuoteMeta(name) + ` *\?=`
				}
				if !regexp.MustCompile(form).Match(makefile) {
					t.Errorf("deploy.md: %s: the Makefile has no %s", c.line, name)
				}
			}
		case "node_modules/.bin/cdk":
			verb := c.words[1]
			if help[verb] == "" {
				run := exec.Command("node_modules/.bin/cdk", verb, "--help")
				run.Dir, run.Env = "..", append(os.Environ(), "PATH="+pinnedNode(t)+":"+os.Getenv("PATH"), "CI=")
				out, err := run.CombinedOutput()
				if err != nil || !strings.Contains(string(out), "cdk "+verb) {
					t.Errorf("deploy.md: %s: the CDK has no %s: %v", c.line, verb, err)
					continue
				}
				help[verb] = string(out)
			}
			for _, word := range c.words[2:] {
				option, _, _ := strings.Cut(word, "=")
				if strings.HasPrefix(option, "-") && !regexp.MustCompile(`(?m)(^| )`+regexp.QuoteMeta(option)+`(,| |$)`).MatchString(help[verb]) {
					t.Errorf("deploy.md: %s: cdk %s has no %s", c.line, verb, option)
				}
			}
		case "./deploy.sh": // of a release; infra/release plays it
			text := map[string]string{"hub": template.Hub, "member": template.Member, "organization": template.Organization + sources(t, "../infra/release/template.go")}[c.words[1]]
			for _, word := range c.words[3:] {
				if name, _, sets := strings.Cut(word, "="); !sets || !strings.Contains(text, `"`+name+`"`) {
					t.Errorf("deploy.md: %s: the template has no parameter %s", c.line, name)
				}
			}
		case "infra/deploy-member.sh": // pkg/local plays it
			if file, err := os.Stat("../infra/deploy-member.sh"); err != nil || file.Mode()&0o111 == 0 {
				t.Errorf("deploy.md: %s: no such command: %v", c.line, err)
			}
			if len(c.words) < 2 || slices.ContainsFunc(c.words[1:], func(region string) bool { return !arn.IsRegion(region) }) {
				t.Errorf("deploy.md: %s: it takes Regions", c.line)
			}
		default:
			t.Errorf("deploy.md: %s: nobody checks a command of %s", c.line, c.words[0])
		}
	}
	for _, tool := range []string{"aws", "make", "node_modules/.bin/cdk"} {
		if held[tool] == 0 {
			t.Errorf("deploy.md has no command of %s", tool)
		}
	}
}

func pinnedNode(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../node_modules/node/bin")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// played are the calls of deploy.md that the local engine answers, in the hub account.
var played = []string{
	"sts get-caller-identity", "organizations describe-organization", "organizations list-roots", "sns subscribe", "ssm put-parameter",
	"stepfunctions start-execution", "stepfunctions list-executions", "events list-rules",
}

// TestTheCommandsThatTheLocalEngineKnows plays them with the AWS CLI.
func TestTheCommandsThatTheLocalEngineKnows(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it plays on the local engine")
	}
	ready(t, python, ".venv-docs/ready")
	options := local.Options{Root: "..", WaitScale: 0.01}
	if err := options.Check(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	engine, err := local.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	interpreter, err := filepath.Abs(python)
	if err != nil {
		t.Fatal(err)
	}
	dir, done := beside(t), map[string]int{}
	for _, c := range commands(t) {
		if c.words[0] != "aws" || !slices.Contains(played, c.words[1]+" "+c.words[2]) {
			continue
		}
		run := exec.Command(interpreter, append([]string{"-m", "awscli"}, c.words[1:]...)...)
		run.Dir = dir
		run.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+engine.URL(), "AWS_ACCESS_KEY_ID="+local.HubAccount, "AWS_SECRET_ACCESS_KEY=any",
			"AWS_DEFAULT_REGION="+local.DefaultRegion)
		out, err := run.CombinedOutput()
		if err != nil {
			t.Errorf("deploy.md: %s: %v\n%s", c.line, err, out)
		}
		if slices.Contains(c.words, "--query") && strings.TrimSpace(string(out)) == "null" {
			t.Errorf("deploy.md: %s: the query finds nothing", c.line)
		}
		done[c.words[1]+" "+c.words[2]]++
	}
	for _, call := range played {
		if done[call] == 0 {
			t.Errorf("deploy.md has no %s to play", call)
		}
	}
}

// delegation returns the delegation policy of deploy.md.
func delegation(t *testing.T) []byte {
	t.Helper()
	fenced := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(documents(t)["docs/deploy.md"], -1)
	if len(fenced) != 1 {
		t.Fatalf("docs/deploy.md has %d pieces of JSON, want the one policy", len(fenced))
	}
	return []byte(values.Replace(fenced[0][1]))
}

// TestTheDelegationPolicyAllowsWhatTheFunctionsCall holds it to the roles of the hub, both ways.
func TestTheDelegationPolicyAllowsWhatTheFunctionsCall(t *testing.T) {
	var document struct {
		Statement []struct {
			Effect, Resource string
			Principal        map[string]string
			Action           []string
		}
	}
	if err := json.Unmarshal(delegation(t), &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Statement) != 1 || document.Statement[0].Principal["AWS"] != "arn:aws:iam::"+local.HubAccount+":root" {
		t.Fatalf("the policy is %+v", document)
	}
	called := map[string]bool{}
	for _, m := range regexp.MustCompile(`"(organizations:\w+)"`).FindAllStringSubmatch(template.Hub, -1) {
		called[m[1]] = true
	}
	if got, want := slices.Sorted(slices.Values(document.Statement[0].Action)), slices.Sorted(maps.Keys(called)); !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("the delegation policy allows %q, the functions call %q", got, want)
	}
}

// TestWhatItCostsIdle holds the figures of deploy.md to the template: what is there for every month, at AWS's prices.
// https://aws.amazon.com/cloudwatch/pricing/ https://aws.amazon.com/systems-manager/pricing/
func TestWhatItCostsIdle(t *testing.T) {
	var hub struct {
		Resources map[string]struct{ Type string }
	}
	if err := json.Unmarshal([]byte(template.Hub), &hub); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range hub.Resources {
		count[r.Type]++
	}
	cedar, err := os.ReadFile("../pkg/policy/default.cedar")
	if err != nil {
		t.Fatal(err)
	}
	advanced := 0
	if len(cedar) > 4096 {
		advanced = 1
	}
	alarms, dashboards := count["AWS::CloudWatch::Alarm"], count["AWS::CloudWatch::Dashboard"]
	metrics := len(workflow.Metrics()) - 1 + len(fault.Kinds()) // one of them has a dimension
	text := strings.Join(strings.Fields(documents(t)["docs/deploy.md"]), " ")
	for _, says := range []string{
		fmt.Sprintf("| %d alarms at $0.10 | $%.2f |", alarms, float64(alarms)*0.10),
		fmt.Sprintf("| %d dashboard | $%.2f |", dashboards, float64(dashboards)*3),
		fmt.Sprintf("| %d parameter of the advanced tier", advanced),
		fmt.Sprintf("| together | $%.2f |", float64(alarms)*0.10+float64(dashboards)*3+float64(advanced)*0.05),
		fmt.Sprintf("%d functions, %d machines, %d log groups", count["AWS::Lambda::Function"], count["AWS::StepFunctions::StateMachine"], count["AWS::Logs::LogGroup"]),
		fmt.Sprintf("at most %d.", metrics),
	} {
		if !strings.Contains(text, says) {
			t.Errorf("deploy.md does not say %q", says)
		}
	}
	// What costs while it is idle must be named there, and what the execution role must be able to make.
	free := map[string]string{
		"AWS::Events": "EventBridge", "AWS::IAM": "IAM", "AWS::Lambda": "Lambda", "AWS::Logs": "Logs", "AWS::SNS": "SNS", "AWS::SQS": "SQS",
		"AWS::StepFunctions": "Step Functions", "AWS::SSM": "Systems Manager", "AWS::CloudWatch": "CloudWatch",
		"AWS::DynamoDB": "DynamoDB", // by what it holds, which is named apart
	}
	for kind := range count {
		service := kind[:strings.LastIndex(kind, "::")]
		if free[service] == "" || !strings.Contains(text, free[service]+",") && !strings.Contains(text, free[service]+";") {
			t.Errorf("the hub has an %s: does it cost anything while it is idle, and does deploy.md name %s among the rights of bootstrap's role?", kind, service)
		}
	}
}

// TestEveryKeyIsInTheTable holds the table of deploy.md to cdk.json, whose keys infra's tests hold to the code.
func TestEveryKeyIsInTheTable(t *testing.T) {
	text, err := os.ReadFile("../cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	var settings struct{ Context map[string]any }
	if err := json.Unmarshal(text, &settings); err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(documents(t)["docs/deploy.md"], -1) {
		said[m[1]] = true
	}
	keys := 0
	for key := range settings.Context {
		if strings.ContainsAny(key, "@:/") {
			continue
		}
		keys++
		if !said[key] {
			t.Errorf("the table of deploy.md does not have %s", key)
		}
	}
	if keys < 10 || len(said) != keys {
		t.Errorf("the table of deploy.md has %d keys, cdk.json %d", len(said), keys)
	}
}

// TestTheVersionsAreThoseOfTheTools holds what deploy.md says it was held against to what is pinned.
func TestTheVersionsAreThoseOfTheTools(t *testing.T) {
	for _, c := range []struct{ file, form, says string }{
		{"requirements.txt", `awscli==(\d+\.\d+)`, "the AWS CLI %s reads"},
		{"../package.json", `"aws-cdk": "(\d+\.\d+)`, "the CDK CLI %s and"},
		{"../go.mod", `awscdk/v2 v(\d+\.\d+)`, "by CDK %s for"},
	} {
		text, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(c.form).FindStringSubmatch(string(text))
		if m == nil {
			t.Fatalf("%s names no version", c.file)
		}
		if says := fmt.Sprintf(c.says, m[1]); !strings.Contains(strings.Join(strings.Fields(documents(t)["docs/deploy.md"]), " "), says) {
			t.Errorf("deploy.md does not say %q", says)
		}
	}
}

// TestThePolicyThatAllowsNothingCanBeRead reads the one that deploy.md tells to write before Drawbridge is removed.
func TestThePolicyThatAllowsNothingCanBeRead(t *testing.T) {
	found := regexp.MustCompile("`(@id[^`]+)`").FindAllStringSubmatch(documents(t)["docs/deploy.md"], -1)
	if len(found) != 1 {
		t.Fatalf("deploy.md has %d policies, want one", len(found))
	}
	if _, err := policy.Parse("policy.cedar", []byte(found[0][1])); err != nil {
		t.Error(err)
	}
}

// TestTheTrailMustLogEveryServiceThatRulesListenTo holds the services that deploy.md names for a trail with advanced
// selectors to the forwarding rules.
func TestTheTrailMustLogEveryServiceThatRulesListenTo(t *testing.T) {
	var member struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				EventPattern struct {
					Source     []string `json:"source"`
					DetailType []string `json:"detail-type"`
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(template.Member), &member); err != nil {
		t.Fatal(err)
	}
	listened := map[string]bool{}
	for _, r := range member.Resources {
		if r.Type == "AWS::Events::Rule" && slices.Contains(r.Properties.EventPattern.DetailType, event.CallRecorded) {
			for _, source := range r.Properties.EventPattern.Source {
				listened[strings.TrimPrefix(source, "aws.")] = true
			}
		}
	}
	_, list, found := strings.Cut(strings.Join(strings.Fields(documents(t)["docs/deploy.md"]), " "), "a list of what is included must have ")
	list, _, _ = strings.Cut(list, ", each with")
	var said []string
	for _, m := range regexp.MustCompile("`([a-z0-9-]+)`").FindAllStringSubmatch(list, -1) {
		said = append(said, m[1])
	}
	if want := slices.Sorted(maps.Keys(listened)); !found || len(want) == 0 || !slices.Equal(slices.Sorted(slices.Values(said)), want) {
		t.Errorf("deploy.md says that the trail must log %q, the rules listen to %q", said, want)
	}
}
