package studio

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestIdentity(t *testing.T) {
	for name, c := range map[string]struct {
		wanted       bool
		unready      []string
		setting, was string
		apps         int
		want         Move
	}{
		"wanted and off":                         {true, nil, Disabled, "", 0, Set},
		"wanted and off, but apps run":           {true, nil, Disabled, "", 2, Wait},
		"wanted and on":                          {true, nil, ByProfile, "", 0, Leave},
		"wanted and on, whatever runs":           {true, []string{"role"}, ByProfile, "", 3, Leave},
		"wanted, but apps of a role would fail":  {true, []string{"role"}, Disabled, "", 0, Block},
		"blocked before it waits":                {true, []string{"role"}, Disabled, "", 1, Block},
		"not wanted, the owner's own":            {false, nil, ByProfile, "", 0, Leave},
		"not wanted, ours":                       {false, nil, ByProfile, Disabled, 0, Restore},
		"not wanted, ours, but apps run":         {false, nil, ByProfile, Disabled, 1, Wait},
		"not wanted, ours, the owner changed it": {false, nil, Disabled, Disabled, 0, Leave},
		"not wanted and off":                     {false, nil, Disabled, "", 0, Leave},
	} {
		if got := Identity(workflow.Domain{Identify: c.wanted, Unready: c.unready}, c.setting, c.was, c.apps); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestARoleIsReadyIfItsTrustSaysSo(t *testing.T) {
	for trust, want := range map[string]bool{
		`{"Statement":{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}}`:                               false,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":["sagemaker.amazonaws.com"]},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`: true,
		`{"Statement":{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:*"}}`:                                        true,
		`{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:SetSourceIdentity"}}`:                              false,
		`{"Statement":{"Effect":"Deny","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:SetSourceIdentity"}}`:                         false,
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`:                                                                 false,
		`not JSON`: false,
	} {
		if Ready(trust) != want {
			t.Errorf("Ready(%s) = %v", trust, !want)
		}
	}
}

func TestTheReadersRoleTrustsExactlyTheAdmitted(t *testing.T) {
	roles := []workflow.ExecutionRole{{ARN: "arn:aws:iam::111111111111:role/b", Admit: true}, {ARN: "arn:aws:iam::111111111111:role/a", Admit: true}, {ARN: "arn:aws:iam::333333333333:role/gone"}}
	staying := []string{"arn:aws:iam::111111111111:role/a", "arn:aws:iam::111111111111:role/b"}
	readers, err := Readers(Trust(Staying(roles)))
	if err != nil || !slices.Equal(readers, staying) {
		t.Errorf("Readers = %v, %v", readers, err)
	}
	// Who leaves is denied, and so remembered.
	const leaving = `{"Sid":"DrawbridgeLeaving","Effect":"Deny","Principal":{"AWS":["arn:aws:iam::333333333333:role/gone"]},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}`
	for _, trust := range []string{Trust(roles), Trust(roles[2:])} {
		readers, err := Readers(trust)
		if err != nil || !slices.Contains(readers, roles[2].ARN) || !strings.Contains(trust, leaving) || strings.Count(trust, roles[2].ARN) != 1 {
			t.Errorf("Readers(%s) = %v, %v", trust, readers, err)
		}
	}
	if Trust(nil) != "" {
		t.Error("a role that names nobody is written")
	}
	// IAM shows the id of a role that was deleted.
	if readers, err := Readers(`{"Statement":[{"Principal":{"AWS":["AROAEXAMPLE","arn:aws:iam::111111111111:role/a"]}}]}`); err != nil || len(readers) != 1 {
		t.Errorf("Readers = %v, %v", readers, err)
	}
}

func TestPermissionsNameNobodyButTheSessionsOwnUser(t *testing.T) {
	text := Permissions(workflow.Warehouse{Account: "222222222222", Region: "eu-west-1", ID: "sales", ARN: "arn:aws:redshift:eu-west-1:222222222222:cluster:sales", Groups: []string{"analysts"}})
	for _, want := range []string{`dbuser:sales/${aws:SourceIdentity}`, `dbgroup:sales/analysts`, `cluster:sales`, `"redshift:DbUser":["${aws:SourceIdentity}"]`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if strings.Contains(text, "dbuser:sales/*") || strings.Contains(text, "dbgroup:sales/*") {
		t.Errorf("the policy allows every user or group: %s", text)
	}
}

// One inline policy serves all warehouses; each comes and goes by itself.
func TestWarehousesComeAndGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		have := map[string]bool{}
		text := ""
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			role := rapid.SampledFrom([]string{"arn:aws:iam::2:role/drawbridge/a", "arn:aws:iam::2:role/drawbridge/b", "arn:aws:iam::3:role/drawbridge/a"}).Draw(t, "role")
			admit := rapid.Bool().Draw(t, "admit")
			roles, err := Assumed(text)
			if err != nil {
				t.Fatal(err)
			}
			if text = Assume(With(roles, role, admit)); admit {
				have[role] = true
			} else {
				delete(have, role)
			}
			roles, err = Assumed(text)
			if err != nil || len(roles) != len(have) || (text == "") != (len(have) == 0) {
				t.Fatalf("%v in %q, want %v", roles, text, have)
			}
			if again := Assume(With(roles, role, admit)); again != text {
				t.Fatalf("a second time changes %s to %s", text, again)
			}
		}
	})
}

func TestSomebodysEditOfOurPolicyIsAConflict(t *testing.T) {
	for _, text := range []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["*"]}]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow"}}`, `{`,
	} {
		if _, err := Assumed(text); fault.Of(err) != fault.Conflict {
			t.Errorf("Assumed(%s) = %v", text, err)
		}
	}
}

func TestRoleName(t *testing.T) {
	if got := RoleName("eu-west-1", "sales"); got != "drawbridge-studio-eu-west-1-sales" {
		t.Error(got)
	}
	long := strings.Repeat("x", 62)
	a, b := RoleName("eu-west-1", long+"a"), RoleName("eu-west-1", long+"b")
	if len(a) > 64 || a == b || !strings.HasPrefix(a, "drawbridge-studio-eu-west-1-xxx") {
		t.Errorf("%s and %s", a, b)
	}
}

func TestCanBeUser(t *testing.T) {
	for name, want := range map[string]bool{"ana": true, "ana.b-1_2@x": true, "Ana": false, "1ana": false, "": false, strings.Repeat("a", 65): false, "ana b": false} {
		if CanBeUser(name) != want {
			t.Errorf("CanBeUser(%q) = %v", name, !want)
		}
	}
}

func TestEnd(t *testing.T) {
	admitted, leaving := workflow.ExecutionRole{Admit: true}, workflow.ExecutionRole{}
	waiting := []workflow.IdentifyUsersOutput{{}, {Waiting: true}}
	cluster := workflow.Warehouse{ARN: "arn:aws:redshift:eu-west-1:222222222222:cluster:sales"}
	for name, c := range map[string]struct {
		warehouse workflow.Warehouse
		roles     []workflow.ExecutionRole
		domains   []workflow.IdentifyUsersOutput
		want      workflow.Result
	}{
		"all is done":            {cluster, []workflow.ExecutionRole{admitted, leaving}, nil, workflow.Identified},
		"apps are in the way":    {cluster, []workflow.ExecutionRole{admitted}, waiting, workflow.AwaitingApps},
		"nobody is left":         {cluster, []workflow.ExecutionRole{leaving}, waiting, workflow.Removed},
		"nobody was left":        {cluster, nil, nil, workflow.Removed},
		"only a domain, done":    {workflow.Warehouse{}, nil, nil, workflow.Identified},
		"only a domain, waiting": {workflow.Warehouse{}, nil, waiting, workflow.AwaitingApps},
	} {
		if got := End(c.warehouse, c.roles, c.domains); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
