package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestConfigSaysWhatIsWrongAndWhatBelongsThere(t *testing.T) {
	for name, c := range map[string]struct {
		context map[string]any
		says    []string
	}{
		"an organization that is none":     {map[string]any{"organizationId": "acme"}, []string{`"organizationId"`, `"acme"`, "describe-organization"}},
		"an account with a digit missing":  {map[string]any{"hubAccount": "12345678901"}, []string{`"hubAccount"`, "12 digits"}},
		"an account as a number":           {map[string]any{"hubAccount": 123456789012.0}, []string{`"hubAccount"`, "not a text"}},
		"a Region that is none":            {map[string]any{"regions": []any{"us-east-1", "virginia"}}, []string{`"regions"`, `"virginia"`}},
		"a unit that is none":              {map[string]any{"targetOrganizationalUnits": "ou-1"}, []string{`"targetOrganizationalUnits"`, "list-roots"}},
		"a home nobody deploys to":         {map[string]any{"homeRegion": "eu-west-1"}, []string{`"homeRegion"`, `"eu-west-1"`, "us-east-1"}},
		"two hub Regions":                  {map[string]any{"hubRegion": []any{"us-east-1", "eu-west-1"}}, []string{`"hubRegion"`, "list of 2"}},
		"an excluded account that is none": {map[string]any{"excludedAccounts": "12345"}, []string{`"excludedAccounts"`, "12 digits"}},
		"a patience that AWS has not":      {map[string]any{"approvalPatience": "7"}, []string{`"approvalPatience"`, "0 to 6"}},
		"a schedule that is none":          {map[string]any{"sweepSchedule": "daily"}, []string{`"sweepSchedule"`, "rate(1 day)"}},
		"a range that is none":             {map[string]any{"privateAccessCidrs": "10.0.0.0"}, []string{`"privateAccessCidrs"`, "10.8.0.0/16"}},
		"a misspelt Region":                {map[string]any{"hubRegion": "us-wset-2"}, []string{`"hubRegion"`, `"us-wset-2"`, `did you mean "us-west-2"`}},
		"a misspelt Region among others":   {map[string]any{"regions": "us-east-1,eu-cental-1"}, []string{`"regions"`, `did you mean "eu-central-1"`}},
		"two partitions":                   {map[string]any{"regions": "us-east-1,cn-north-1"}, []string{`"regions"`, "cn-north-1", "aws-cn", `"hubRegion" is us-east-1`}},
		"a misspelt key":                   {map[string]any{"hubaccount": "123456789012"}, []string{`"hubaccount"`, `did you mean "hubAccount"`}},
		"a key in British English":         {map[string]any{"targetOrganisationalUnits": "r-abcd"}, []string{`"targetOrganisationalUnits"`, `did you mean "targetOrganizationalUnits"`}},
		"a caller that is none":            {map[string]any{"callAs": "ROOT"}, []string{`"callAs"`, "DELEGATED_ADMIN"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadConfig(c.context)
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
	c, err := LoadConfig(nil)
	if err != nil {
		t.Fatal(err)
	}
	missing := c.Missing()
	for _, key := range []string{"hubAccount", "organizationId", "targetOrganizationalUnits"} {
		if !strings.Contains(missing, `"`+key+`": `) {
			t.Errorf("nothing says that %s is missing: %s", key, missing)
		}
	}
	if got := strings.Count(missing, `": `); got != 3 {
		t.Errorf("%d values are missing: %s", got, missing)
	}
	c.HubAccount, c.OrganizationID, c.TargetOrganizationalUnits = "123456789012", "o-drawbridge0", []string{"r-abcd"}
	if got := c.Missing(); got != "" {
		t.Errorf("with all values something is missing: %s", got)
	}
}

// The values of cdk.json itself are those that count when nobody says anything, and it shows every key.
func TestTheFileInTheRepositoryShowsEveryKey(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	context := contextFile(t, dir)
	shown, err := LoadConfig(context)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := LoadConfig(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(shown, empty) {
		t.Errorf("cdk.json says %+v, the code %+v", shown, empty)
	}
	for _, f := range fields {
		if _, ok := context[f.key]; !ok {
			t.Errorf("cdk.json does not show %s", f.key)
		}
	}
}

// Keys of the CDK and of others who use the context are none of our business.
func TestKeysOfTheCDKPass(t *testing.T) {
	for _, key := range []string{"@aws-cdk/core:bootstrapQualifier", "aws:cdk:enable-path-metadata", "vpc-provider:account=1:region=x", "cli-telemetry", "acknowledged-issue-numbers"} {
		if _, err := LoadConfig(map[string]any{key: "x"}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestRegionsAreHeldAgainstTheSDKsList(t *testing.T) {
	for _, c := range []struct{ hub, regions, home, note string }{
		{"us-east-1", "us-east-1,eu-west-1", "us-east-1", ""},
		{"eu-west-1", "eu-west-1", "eu-west-1", "lacks us-east-1, where CloudTrail records the calls of IAM"},
		{"us-gov-east-1", "us-gov-east-1", "us-gov-east-1", "lacks us-gov-west-1"},
		{"us-gov-west-1", "us-gov-west-1", "us-gov-west-1", ""},
		{"cn-northwest-1", "cn-northwest-1", "cn-northwest-1", "lacks cn-north-1"},
		{"eusc-de-east-1", "eusc-de-east-1", "eusc-de-east-1", ""},
		{"us-east-1", "us-east-1,us-west-3", "us-east-1", "us-west-3 is not among those that the SDK knows, of which the nearest is us-west-1"},
		{"us-east-1", "us-east-1,br-north-1", "us-east-1", "br-north-1 is not among"},
	} {
		got, err := LoadConfig(map[string]any{"hubRegion": c.hub, "regions": c.regions, "homeRegion": c.home})
		if err != nil {
			t.Errorf("%s: %v", c.regions, err)
			continue
		}
		notes := strings.Join(got.regionNotes(), "; ")
		if (c.note == "") != (notes == "") || !strings.Contains(notes, c.note) {
			t.Errorf("hub in %s, Regions %s: the notes are %q, want %q", c.hub, c.regions, notes, c.note)
		}
	}
}

func TestListsMayBeWrittenWithCommas(t *testing.T) {
	c, err := LoadConfig(map[string]any{
		"regions": "us-east-1, eu-west-1", "targetOrganizationalUnits": []any{"r-abcd", "ou-abcd-12345678"},
		"externalId": "one,two",
	})
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
