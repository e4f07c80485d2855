package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// TestPoliciesPassParliament holds every policy of the templates to parliament: actions, resources and conditions that
// AWS does not know, "*" where an action knows a resource, and what can be abused. What it finds and we leave is answered
// in policies.py, with the reason.
func TestPoliciesPassParliament(t *testing.T) {
	assembly := synth(t, local)
	var paths []string
	for _, stack := range []string{hubStackName, organizationStackName, memberStackName} {
		paths = append(paths, *assembly.GetStackByName(jsii.String(stack)).TemplateFullPath())
	}
	if out, err := parliament(t, paths...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The answers in policies.py must be what makes the test above pass, not a linter that never ran.
func TestParliamentFindsWhatNoReasonAnswers(t *testing.T) {
	for finding, statement := range map[string]string{
		"RESOURCE_STAR":                `"Action": "ec2:CreateRoute", "Resource": "*"`,
		"RESOURCE_MISMATCH":            `"Action": "ec2:CreateRoute", "Resource": "arn:aws:ec2:*:*:vpc/*"`,
		"UNKNOWN_ACTION":               `"Action": "ec2:MakeRoute", "Resource": "*"`,
		"UNKNOWN_CONDITION_FOR_ACTION": `"Action": "ec2:CreateRoute", "Resource": "arn:aws:ec2:*:*:route-table/*", "Condition": {"StringEquals": {"ec2:CreateAction": "x"}}`,
		"there is no policy":           "",
	} {
		policy := `{}`
		if statement != "" {
			policy = `{"PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", ` + statement + `}]}}`
		}
		path := filepath.Join(t.TempDir(), "template.json")
		if err := os.WriteFile(path, []byte(`{"Resources": {"One": {"Type": "AWS::IAM::Policy", "Properties": `+policy+`}}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := parliament(t, path); err == nil || !strings.Contains(string(out), finding) {
			t.Errorf("%s is not found: %v\n%s", finding, err, out)
		}
	}
}

var thereIsParliament = func() func(string) error {
	var once sync.Once
	var err error
	return func(python string) error {
		once.Do(func() { err = exec.Command(python, "-c", "import parliament").Run() })
		return err
	}
}()

func parliament(t *testing.T, paths ...string) ([]byte, error) {
	t.Helper()
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(dir, ".venv", "bin", "python")
	if err := thereIsParliament(python); err != nil {
		t.Fatalf("parliament is missing in %s: run `make .venv/ready`, which installs it", python)
	}
	return exec.Command(python, append([]string{filepath.Join(dir, "infra", "policies.py")}, paths...)...).CombinedOutput()
}

// TestTemplatesPassCfnLint holds the templates, at the largest configuration, to cfn-lint, which knows many lengths, too. One check is left out: W3005, since the CDK writes a
// DependsOn for the role of a machine beside the reference that would do.
func TestTemplatesPassCfnLint(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	lint := filepath.Join(dir, ".venv", "bin", "cfn-lint")
	if _, err := os.Stat(lint); err != nil {
		t.Fatalf("%s is missing: run `make .venv/ready`, which installs it", lint)
	}
	assembly := synth(t, largest(t))
	args := []string{"--ignore-checks", "W3005", "--"}
	for _, stack := range []string{hubStackName, organizationStackName, memberStackName} {
		args = append(args, *assembly.GetStackByName(jsii.String(stack)).TemplateFullPath())
	}
	if out, err := exec.Command(lint, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
