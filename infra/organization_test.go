package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"
)

// stackSet returns the properties of the one StackSet.
func stackSet(t *testing.T, assembly cxapi.CloudAssembly) map[string]any {
	t.Helper()
	for _, r := range template(t, assembly, organizationStackName)["Resources"].(map[string]any) {
		if r := r.(map[string]any); r["Type"] == "AWS::CloudFormation::StackSet" {
			return r["Properties"].(map[string]any)
		}
	}
	t.Fatal("no StackSet in the template")
	return nil
}

// carried returns the template that the StackSet carries.
func carried(t *testing.T, assembly cxapi.CloudAssembly) map[string]any {
	t.Helper()
	url, _ := stackSet(t, assembly)["TemplateURL"].(map[string]any)
	body, err := os.ReadFile(asset(t, assembly, url["Fn::Sub"].(string)))
	if err != nil {
		t.Fatal(err)
	}
	var template map[string]any
	if err := json.Unmarshal(body, &template); err != nil {
		t.Fatal(err)
	}
	return template
}

func TestTheStackSetCarriesTheMemberStack(t *testing.T) {
	assembly := synth(t, local)
	properties, carried := stackSet(t, assembly), carried(t, assembly)
	plain := template(t, assembly, memberStackName)
	delete(plain, "Metadata")
	defaults := 0
	for _, p := range plain["Parameters"].(map[string]any) {
		delete(p.(map[string]any), "Default")
		defaults++
	}
	if got, want := pretty(t, carried), pretty(t, plain); got != want {
		t.Errorf("the StackSet carries\n%s, the plain stack is\n%s", got, want)
	}

	var given []string
	for _, p := range properties["Parameters"].([]any) {
		given = append(given, p.(map[string]any)["ParameterKey"].(string))
	}
	for name := range plain["Parameters"].(map[string]any) {
		if !slices.Contains(given, name) {
			t.Errorf("the StackSet gives no %s", name)
		}
	}
	if len(given) != defaults || defaults == 0 {
		t.Errorf("the StackSet gives %v to %d parameters", given, defaults)
	}
}

// asset returns the file in the assembly whose asset a URL leads to.
func asset(t *testing.T, assembly cxapi.CloudAssembly, url string) string {
	t.Helper()
	var manifest struct {
		Files map[string]struct {
			Source struct{ Path string }
		}
	}
	dir := *assembly.Directory()
	text, err := os.ReadFile(filepath.Join(dir, organizationStackName+".assets.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	for hash, file := range manifest.Files {
		if strings.HasSuffix(url, "/"+hash+".json") {
			return filepath.Join(dir, file.Source.Path)
		}
	}
	t.Fatalf("no asset has the URL %s", url)
	return ""
}

func TestTheHomeRegionComesFirst(t *testing.T) {
	c := local
	c.Regions = []string{"eu-west-1", "us-east-1", "eu-central-1"}
	preferences := stackSet(t, synth(t, c))["OperationPreferences"].(map[string]any)
	order, _ := json.Marshal(preferences["RegionOrder"])
	if string(order) != `["us-east-1","eu-west-1","eu-central-1"]` || preferences["RegionConcurrencyType"] != "SEQUENTIAL" {
		t.Errorf("the Regions are deployed %v in the order %s", preferences["RegionConcurrencyType"], order)
	}
}

// The templates that the tests and the local engine see must be those of every organization, and of the configuration
// that nobody has filled in yet.
func TestOnlyParameterDefaultsDependOnTheConfiguration(t *testing.T) {
	other := Config{
		HubAccount: "210987654321", HubRegion: "eu-central-1", OrganizationID: "o-another0000", ExternalID: "another",
		HomeRegion: "eu-central-1", Regions: []string{"eu-central-1"}, TargetOrganizationalUnits: []string{"r-root"},
		CallAs: "SELF", Policy: local.Policy, ApprovalPatience: "5", SweepSchedule: "rate(2 days)",
		PrivateAccessCIDRs: []string{"10.8.0.0/16"}, StackSetOwner: "111122223333", ExcludedAccounts: []string{"444455556666"},
	}
	empty, err := LoadConfig(nil)
	if err != nil {
		t.Fatal(err)
	}
	synthesized := func(c Config, stack string) string {
		value := template(t, synth(t, c), stack)
		for _, p := range value["Parameters"].(map[string]any) {
			delete(p.(map[string]any), "Default")
		}
		return normalise(t, value)
	}
	for _, stack := range []string{hubStackName, memberStackName} {
		want := synthesized(local, stack)
		for name, c := range map[string]Config{"another": other, "the empty": empty} {
			if synthesized(c, stack) != want {
				t.Errorf("%s differs with %s configuration", stack, name)
			}
		}
	}
}

// Every parameter of every stack is set from cdk.json: two configurations that have nothing in common have no default in
// common.
func TestEveryParameterIsSetFromTheConfiguration(t *testing.T) {
	one, err := LoadConfig(map[string]any{
		"hubAccount": "210987654321", "hubRegion": "eu-central-1", "organizationId": "o-another0000", "externalId": "another",
		"homeRegion": "eu-central-1", "regions": "eu-central-1", "targetOrganizationalUnits": "r-root",
		"approvalPatience": "5", "sweepSchedule": "rate(2 days)", "privateAccessCidrs": "10.8.0.0/16,10.9.0.0/16", "ledgerTable": "drawbridge-ledger-2", "mode": "observe", "observeOnly": "true", "brakeConnections": "7", "brakePercent": "10",
	})
	if err != nil {
		t.Fatal(err)
	}
	a, b := synth(t, local), synth(t, one)
	for _, stack := range []string{hubStackName, organizationStackName, memberStackName} {
		parameters := template(t, a, stack)["Parameters"].(map[string]any)
		others := template(t, b, stack)["Parameters"].(map[string]any)
		if len(parameters) == 0 {
			t.Errorf("%s has no parameters", stack)
		}
		for name, p := range parameters {
			was, is := p.(map[string]any)["Default"], others[name].(map[string]any)["Default"]
			if was == nil || is == nil || was == is {
				t.Errorf("the parameter %s of %s is %v whatever cdk.json says (%v)", name, stack, was, is)
			}
			if form, _ := p.(map[string]any)["AllowedPattern"].(string); is != nil && form != "" && !regexp.MustCompile(form).MatchString(is.(string)) {
				t.Errorf("the parameter %s of %s does not take %v", name, stack, is)
			}
		}
	}
}

func TestAccountsCanBeLeftOut(t *testing.T) {
	targets := func(c Config) string {
		group := stackSet(t, synth(t, c))["StackInstancesGroup"].([]any)[0].(map[string]any)
		text, _ := json.Marshal(group["DeploymentTargets"])
		return string(text)
	}
	if got := targets(local); got != `{"OrganizationalUnitIds":["ou-draw-bridge000"]}` {
		t.Errorf("with nobody left out the targets are %s", got)
	}
	c := local
	c.ExcludedAccounts = []string{"444455556666"}
	if got := targets(c); got != `{"AccountFilterType":"DIFFERENCE","Accounts":["444455556666"],"OrganizationalUnitIds":["ou-draw-bridge000"]}` {
		t.Errorf("with one left out the targets are %s", got)
	}
}

// The StackSet may belong to another account than the hub, which then is no delegated administrator.
func TestAnotherAccountMayOwnTheStackSet(t *testing.T) {
	c := local
	c.StackSetOwner = "111122223333"
	assembly := synth(t, c)
	for stack, account := range map[string]string{hubStackName: c.HubAccount, organizationStackName: "111122223333"} {
		if got := *assembly.GetStackByName(jsii.String(stack)).Environment().Account; got != account {
			t.Errorf("%s is deployed in %s, want %s", stack, got, account)
		}
	}
	for _, p := range stackSet(t, assembly)["Parameters"].([]any) {
		p := p.(map[string]any)
		text, _ := json.Marshal(p["ParameterValue"])
		if strings.HasPrefix(p["ParameterKey"].(string), "Hub") && (strings.Contains(string(text), "AWS::AccountId") || !strings.Contains(string(text), "HubAccount")) {
			t.Errorf("%v is %s, not the hub's", p["ParameterKey"], text)
		}
	}
}

// What an organization asks of its CDK apps by the context holds everywhere, in the template that the StackSet carries too.
func TestABoundaryAndAQualifierReachEverything(t *testing.T) {
	assembly := synthWith(t, local, map[string]any{
		"@aws-cdk/core:permissionsBoundary": map[string]any{"name": "platform-boundary"}, "@aws-cdk/core:bootstrapQualifier": "platform01",
	})
	hub, organization := template(t, assembly, hubStackName), template(t, assembly, organizationStackName)
	for name, of := range map[string]map[string]any{"the hub": hub, "a member": carried(t, assembly)} {
		roles := 0
		for id, r := range of["Resources"].(map[string]any) {
			if r := r.(map[string]any); r["Type"] == "AWS::IAM::Role" {
				roles++
				if text, _ := json.Marshal(r["Properties"].(map[string]any)["PermissionsBoundary"]); !strings.Contains(string(text), ":policy/platform-boundary") {
					t.Errorf("the role %s of %s has the boundary %s", id, name, text)
				}
			}
		}
		if roles == 0 {
			t.Errorf("%s has no roles", name)
		}
	}
	for name, of := range map[string]map[string]any{"the hub": hub, "the organization": organization} {
		text, _ := json.Marshal(of)
		if strings.Contains(string(text), "cdk-hnb659fds") || !strings.Contains(string(text), "cdk-platform01-assets-") {
			t.Errorf("%s does not take its assets from the bucket of the qualifier", name)
		}
	}
}
