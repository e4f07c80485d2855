package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// readPolicy returns the organization's policies after parsing them, so that a broken file fails here, with its line,
// and not in an execution.
func readPolicy(root, name string) (string, error) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(root, name)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the policy that context \"policy\" in cdk.json names: %w", err)
	}
	if _, err := policy.Parse(name, text); err != nil {
		return "", err
	}
	// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
	if before, _, found := strings.Cut(string(text), "{{"); found {
		return "", fmt.Errorf("%s:%d: a parameter may not contain \"{{\"; remedy: put a space between the braces",
			name, strings.Count(before, "\n")+1)
	}
	return string(text), nil
}
