package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/aws/jsii-runtime-go"
)

// oldestNode is the oldest major version of Node.js that jsii, which runs the CDK for Go, supports.
const oldestNode = 22

// checkNode says in one sentence what to do if the Node.js that jsii runs is too old. jsii starts it before main, so it
// must be on the PATH when this process begins: cdk.json puts there the one that package.json pins.
func checkNode() error {
	if os.Getenv("JSII_RUNTIME") != "" {
		return nil
	}
	node := os.Getenv("JSII_NODE")
	if node == "" {
		node = "node"
	}
	version, err := exec.Command(node, "--version").Output()
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(version)), "v"), ".")
	if n, _ := strconv.Atoi(major); err != nil || n < oldestNode {
		return fmt.Errorf("the CDK needs Node.js %d or newer: run `npm ci`, which installs one into node_modules", oldestNode)
	}
	return nil
}

// closeNode ends jsii's Node.js. jsii waits for it in two places, of which one then reports that there is nothing to
// wait for; nobody needs to read that.
func closeNode() {
	os.Stderr = nil
	jsii.Close()
}
