package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"
)

var update = flag.Bool("update", false, "rewrite the files in infra/template")

// TestMain runs the tests with the Node.js that package.json pins. jsii starts Node.js before this function, so the
// tests start over with it on the PATH.
func TestMain(m *testing.M) {
	dir, err := root()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	pinned := filepath.Join(dir, "node_modules", "node", "bin", "node")
	if _, err := os.Stat(pinned); err == nil && os.Getenv("JSII_NODE") == "" {
		jsii.Close()
		err := syscall.Exec(os.Args[0], os.Args, append(os.Environ(), "JSII_NODE="+pinned))
		fmt.Fprintln(os.Stderr, "starting over with", pinned+":", err)
		os.Exit(1)
	}
	if err := checkNode(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if made, err = os.MkdirTemp("", "drawbridge-synth-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	closeNode()
	_ = os.RemoveAll(made)
	os.Exit(code)
}

// local is the configuration that the files in infra/template are made with: the hub of the local engine.
var local = Config{
	HubAccount: "123456789012", HubRegion: "us-east-1",
	OrganizationID: "o-drawbridge0", ExternalID: "drawbridge-local",
	HomeRegion: "us-east-1", Regions: []string{"us-east-1", "eu-west-1"},
	TargetOrganizationalUnits: []string{"ou-draw-bridge000"}, CallAs: "DELEGATED_ADMIN",
	ApprovalPatience: "3", SweepSchedule: "rate(1 day)",
	LedgerTable: ledgerName, Mode: "full", ObserveOnly: "false", BrakeConnections: "5", BrakePercent: "5",
	Policy: "pkg/policy/default.cedar",
}

// made is the folder in which the tests synthesize, and assemblies are what they did, by what it was made of: tests only read them.
var (
	made       string
	assemblies = map[string]cxapi.CloudAssembly{}
)

// synth makes all the stacks with the feature flags of cdk.json and stand-ins for the built functions: once for each configuration.
func synth(t *testing.T, c Config) cxapi.CloudAssembly { return synthWith(t, c, nil) }

// synthWith is synth with more in the context.
func synthWith(t *testing.T, c Config, more map[string]any) cxapi.CloudAssembly {
	t.Helper()
	of, err := json.Marshal([]any{c, more})
	if err != nil {
		t.Fatal(err)
	}
	have := assemblies[string(of)]
	if have == nil {
		have = synthesized(t, c, more)
		assemblies[string(of)] = have
	}
	return have
}

// look looks at folders of the repository with what other programs read that the tests start, and at what these programs are: `go test` takes an earlier
// result as long as no file has changed that the test looked at itself.
func look(t *testing.T, folders ...string) {
	t.Helper()
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if _, err := os.ReadDir(filepath.Join(dir, folder)); err != nil {
			t.Fatal(err)
		}
	}
	for _, installed := range []string{".venv/ready", "node_modules/ready"} {
		if _, err := os.Stat(filepath.Join(dir, installed)); err != nil {
			t.Log(err)
		}
	}
}

func synthesized(t *testing.T, c Config, more map[string]any) cxapi.CloudAssembly {
	t.Helper()
	look(t, "infra") // policies.py
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.MkdirTemp(made, "")
	if err != nil {
		t.Fatal(err)
	}
	c.Functions = filepath.Join(own, "functions")
	if err := os.Mkdir(c.Functions, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, state := range functionNames() {
		folder := filepath.Join(c.Functions, kebab(state))
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "bootstrap"), []byte(state), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	context := contextFile(t, dir)
	maps.Copy(context, more)
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir: jsii.String(filepath.Join(own, "out")), AnalyticsReporting: jsii.Bool(false), Context: &context,
	})
	if err := stacks(app, c, dir); err != nil {
		t.Fatal(err)
	}
	return app.Synth(nil)
}

// contextFile returns the context in cdk.json.
func contextFile(t *testing.T, root string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "cdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	var settings struct{ Context map[string]any }
	if err := json.Unmarshal(text, &settings); err != nil {
		t.Fatal(err)
	}
	return settings.Context
}

// template returns the template of a stack.
func template(t *testing.T, assembly cxapi.CloudAssembly, stack string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(*assembly.GetStackByName(jsii.String(stack)).TemplateFullPath())
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

var memberHash = regexp.MustCompile(`/[0-9a-f]{64}\.json$`)

var codeHash = regexp.MustCompile(`^[0-9a-f]{64}\.zip$`)

// normalise names each function's code instead of giving its hash, and removes the notes of tools.
func normalise(t *testing.T, template map[string]any) string {
	t.Helper()
	delete(template, "Metadata")
	functions := 0
	for _, r := range template["Resources"].(map[string]any) {
		resource := r.(map[string]any)
		delete(resource, "Metadata")
		if resource["Type"] == "AWS::CloudFormation::StackSet" {
			url := resource["Properties"].(map[string]any)["TemplateURL"].(map[string]any)
			url["Fn::Sub"] = memberHash.ReplaceAllString(url["Fn::Sub"].(string), "/drawbridge-member.template.json")
		}
		if resource["Type"] != "AWS::Lambda::Function" {
			continue
		}
		functions++
		properties := resource["Properties"].(map[string]any)
		code := properties["Code"].(map[string]any)
		if !codeHash.MatchString(code["S3Key"].(string)) {
			t.Errorf("the key of %v's code is %v, not a hash", properties["FunctionName"], code["S3Key"])
		}
		code["S3Key"] = properties["FunctionName"].(string) + ".zip"
		code["S3Bucket"] = map[string]any{"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}
	}
	if functions != 0 && functions != len(functionNames()) {
		t.Errorf("the template has %d functions for %d states", functions, len(functionNames()))
	}
	return pretty(t, template)
}

// pretty returns a value as JSON for people.
func pretty(t *testing.T, value any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// readableMachine returns the definition of a state machine in a template, with ${Name} instead of every reference to a
// function.
func readableMachine(t *testing.T, template map[string]any, name string) string {
	t.Helper()
	resources := template["Resources"].(map[string]any)
	for _, r := range resources {
		properties, _ := r.(map[string]any)["Properties"].(map[string]any)
		if properties["StateMachineName"] != name {
			continue
		}
		parts := properties["DefinitionString"].(map[string]any)["Fn::Join"].([]any)[1].([]any)
		var text strings.Builder
		for _, part := range parts {
			switch p := part.(type) {
			case string:
				text.WriteString(p)
			case map[string]any:
				if p["Ref"] == "AWS::Partition" {
					text.WriteString("${AWS::Partition}")
					continue
				}
				id := p["Fn::GetAtt"].([]any)[0].(string)
				function := resources[id].(map[string]any)["Properties"].(map[string]any)["FunctionName"].(string)
				text.WriteString("${" + state(t, function) + "}")
			}
		}
		return readable(t, text.String())
	}
	t.Fatalf("no state machine %s in the template", name)
	return ""
}

// state returns the state whose function has a name.
func state(t *testing.T, function string) string {
	t.Helper()
	for s := range steps {
		if hubName(s) == function {
			return s
		}
	}
	t.Fatalf("no state has the function %s", function)
	return ""
}

// golden compares a text with a file in infra/template, or rewrites the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("template", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s differs from what the app synthesizes, first in line %d:\n  app:  %s\nRead the difference after `go test ./infra -update`.", name, i+1, g[i])
		}
	}
	t.Fatalf("%s is longer than what the app synthesizes", name)
}

func TestTemplatesAreTheGoldenOnes(t *testing.T) {
	assembly := synth(t, local)
	hub := template(t, assembly, hubStackName)
	golden(t, "hub.template.json", normalise(t, hub))
	for _, m := range machines() {
		golden(t, m.name+".asl.json", readableMachine(t, hub, "drawbridge-"+m.name))
	}
	golden(t, "organization.template.json", normalise(t, template(t, assembly, organizationStackName)))
	golden(t, "member.template.json", normalise(t, template(t, assembly, memberStackName)))
}

// The hub account may be a member too, so no name of the one stack is a name of the other.
func TestHubAndMemberFitIntoOneAccount(t *testing.T) {
	assembly := synth(t, local)
	names := func(stack string) map[string]bool {
		all := map[string]bool{}
		for _, r := range template(t, assembly, stack)["Resources"].(map[string]any) {
			r := r.(map[string]any)
			properties, _ := r["Properties"].(map[string]any)
			for _, key := range []string{"RoleName", "ManagedPolicyName", "Name"} {
				// A rule's name counts for its bus alone; the one bus that both have is the default one.
				if name, ok := properties[key].(string); ok && properties["EventBusName"] == nil {
					all[r["Type"].(string)+" "+name] = true
				}
			}
		}
		return all
	}
	hub, member := names(hubStackName), names(memberStackName)
	if len(hub) < 50 || len(member) < 50 {
		t.Fatalf("found %d and %d names", len(hub), len(member))
	}
	for name := range member {
		if hub[name] {
			t.Errorf("%s is in both stacks", name)
		}
	}
}
