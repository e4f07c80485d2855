package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
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

func TestAPolicyIsAsLongAsParameterStoreTakes(t *testing.T) {
	for size, fails := range map[int]bool{policy.MaxSize: false, policy.MaxSize + 1: true} {
		path := longPolicy(t, size)
		text, err := readPolicy("", path)
		if fails && (err == nil || !strings.Contains(err.Error(), "the policy has 8193 bytes, a parameter holds 8192; remedy: ")) {
			t.Errorf("a policy of %d bytes: %v", size, err)
		}
		if !fails && (err != nil || len(text) != size) {
			t.Errorf("a policy of %d bytes: %d bytes, %v", size, len(text), err)
		}
	}
}

// longPolicy writes the policy that comes with Drawbridge, with a comment that makes it as long as it shall be.
func longPolicy(t *testing.T, size int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", local.Policy))
	if err != nil {
		t.Fatal(err)
	}
	if len(text)+3 > size {
		t.Fatalf("the policy that comes with Drawbridge has %d bytes already", len(text))
	}
	path := filepath.Join(t.TempDir(), "long.cedar")
	long := string(text) + "//" + strings.Repeat("x", size-len(text)-3) + "\n"
	if err := os.WriteFile(path, []byte(long), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
