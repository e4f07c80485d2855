package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestABrokenPolicyFailsWithFileAndLine(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"syntax":           {"@id(\"a\")\npermit (principal action, resource);\n", ":2"},
		"an unknown word":  {"@id(\"a\")\npermit (principal, action == Drawbridge::Action::\"Fly\", resource);\n", ":2"},
		"two open braces":  {"@id(\"a\")\npermit (principal, action, resource);\n// {{\n", ":3"},
		"nothing but talk": {"// later\n", ":1"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "own.cedar")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := readPolicy("", path)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), path+c.says) {
				t.Errorf("%q does not say %s%s", err, path, c.says)
			}
		})
	}
}

func TestThePolicyThatComesWithDrawbridgeIsRead(t *testing.T) {
	text, err := readPolicy("..", "pkg/policy/default.cedar")
	if err != nil || text == "" {
		t.Fatalf("%q, %v", text, err)
	}
}

func TestAPolicyThatIsNotThereIsNamed(t *testing.T) {
	_, err := readPolicy("..", "own.cedar")
	if err == nil || !strings.Contains(err.Error(), "own.cedar") || !strings.Contains(err.Error(), `"policy" in cdk.json`) {
		t.Errorf("%v", err)
	}
}
