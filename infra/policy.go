package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxPolicy is the longest value of an advanced parameter, in bytes.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
const maxPolicy = 8192

// parsePolicy checks the text of a policy file.
var parsePolicy = func(name string, text []byte) error { return nil }

// readPolicy returns the organization's policies after parsing them, so that a broken file fails here, with its line,
// and not in an execution.
func readPolicy(root, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, name))
	if os.IsNotExist(err) && name == "pkg/policy/default.cedar" {
		return "forbid (principal, action, resource);\n", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the policy that context \"policy\" in cdk.json names: %w", err)
	}
	if err := parsePolicy(name, text); err != nil {
		return "", err
	}
	switch {
	case len(text) > maxPolicy:
		return "", fmt.Errorf("%s has %d bytes: a parameter holds %d, so shorten it", name, len(text), maxPolicy)
	case strings.Contains(string(text), "{{"):
		return "", fmt.Errorf("%s contains \"{{\": a parameter must not, so write \"{ {\"", name)
	}
	return string(text), nil
}
