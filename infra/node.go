package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// oldestNode is the oldest major version of Node.js that jsii, which runs the CDK for Go, supports.
const oldestNode = 22

// useNode makes jsii run the Node.js that package.json pins, or the one on the PATH if it is new enough.
func useNode(root string) error {
	if os.Getenv("JSII_NODE") != "" || os.Getenv("JSII_RUNTIME") != "" {
		return nil
	}
	pinned := filepath.Join(root, "node_modules", "node", "bin", "node")
	if _, err := os.Stat(pinned); err == nil {
		return os.Setenv("JSII_NODE", pinned)
	}
	version, err := exec.Command("node", "--version").Output()
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(version)), "v"), ".")
	if n, _ := strconv.Atoi(major); err != nil || n < oldestNode {
		return fmt.Errorf("the CDK needs Node.js %d or newer: run `npm ci` in %s, which installs one there", oldestNode, root)
	}
	return nil
}
