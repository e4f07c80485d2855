package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
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

func TestTheStackSetCarriesTheMemberStack(t *testing.T) {
	assembly := synth(t, local)
	properties := stackSet(t, assembly)
	var carried map[string]any
	url, _ := properties["TemplateURL"].(map[string]any)
	body, err := os.ReadFile(asset(t, assembly, url["Fn::Sub"].(string)))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &carried); err != nil {
		t.Fatal(err)
	}
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
		CallAs: "SELF", Policy: local.Policy,
	}
	empty, err := LoadConfig(lookup(nil))
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
