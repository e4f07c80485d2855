package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// TestTemplatesPassCfnLint holds the templates to cfn-lint. One check is left out: W3005, since the CDK writes a
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
	assembly := synth(t, local)
	args := []string{"--ignore-checks", "W3005", "--"}
	for _, stack := range []string{hubStackName, organizationStackName, memberStackName} {
		args = append(args, *assembly.GetStackByName(jsii.String(stack)).TemplateFullPath())
	}
	if out, err := exec.Command(lint, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
