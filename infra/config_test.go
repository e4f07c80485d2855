package main

import (
	"strings"
	"testing"
)

// lookup returns what the app reads its context with.
func lookup(context map[string]any) func(string) any {
	return func(key string) any { return context[key] }
}

func TestConfigSaysWhatIsWrongAndWhatBelongsThere(t *testing.T) {
	for name, c := range map[string]struct {
		context map[string]any
		says    []string
	}{
		"an organization that is none":    {map[string]any{"organizationId": "acme"}, []string{`"organizationId"`, `"acme"`, "describe-organization"}},
		"an account with a digit missing": {map[string]any{"hubAccount": "12345678901"}, []string{`"hubAccount"`, "12 digits"}},
		"an account as a number":          {map[string]any{"hubAccount": 123456789012.0}, []string{`"hubAccount"`, "not a text"}},
		"a Region that is none":           {map[string]any{"regions": []any{"us-east-1", "virginia"}}, []string{`"regions"`, `"virginia"`}},
		"a unit that is none":             {map[string]any{"targetOrganizationalUnits": "ou-1"}, []string{`"targetOrganizationalUnits"`, "list-roots"}},
		"a home nobody deploys to":        {map[string]any{"homeRegion": "eu-west-1"}, []string{`"homeRegion"`, `"eu-west-1"`, "us-east-1"}},
		"two hub Regions":                 {map[string]any{"hubRegion": []any{"us-east-1", "eu-west-1"}}, []string{`"hubRegion"`, "list of 2"}},
		"a caller that is none":           {map[string]any{"callAs": "ROOT"}, []string{`"callAs"`, "DELEGATED_ADMIN"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadConfig(lookup(c.context))
			if err == nil {
				t.Fatal("no error")
			}
			for _, word := range c.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is more than one sentence", err)
			}
		})
	}
}

func TestAnEmptyConfigCanBeSynthesizedAndSaysWhatADeploymentNeeds(t *testing.T) {
	c, err := LoadConfig(lookup(nil))
	if err != nil {
		t.Fatal(err)
	}
	missing := strings.Join(c.Missing(), "\n")
	for _, key := range []string{"hubAccount", "organizationId", "targetOrganizationalUnits"} {
		if !strings.Contains(missing, `"`+key+`" in cdk.json is empty`) {
			t.Errorf("nothing says that %s is missing:\n%s", key, missing)
		}
	}
	if got := len(c.Missing()); got != 3 {
		t.Errorf("%d values are missing:\n%s", got, missing)
	}
}

func TestListsMayBeWrittenWithCommas(t *testing.T) {
	c, err := LoadConfig(lookup(map[string]any{
		"regions": "us-east-1, eu-west-1", "targetOrganizationalUnits": []any{"r-abcd", "ou-abcd-12345678"},
		"externalId": "one,two",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Regions, "+"); got != "us-east-1+eu-west-1" {
		t.Errorf("regions are %s", got)
	}
	if got := strings.Join(c.TargetOrganizationalUnits, "+"); got != "r-abcd+ou-abcd-12345678" {
		t.Errorf("units are %s", got)
	}
	if c.ExternalID != "one,two" {
		t.Errorf("the external id is %s", c.ExternalID)
	}
}
