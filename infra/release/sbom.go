package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// writeBOM writes a bill of materials of cyclonedx-gomod's to the release, which it says the version of. What the tool says of the machine that it ran on
// goes: the sums of its own binary, and what it made out of the state of the checkout.
// https://cyclonedx.org/docs/1.6/json/
func writeBOM(raw []byte, version string) (string, error) {
	var bom object
	if err := json.Unmarshal(raw, &bom); err != nil {
		return "", err
	}
	metadata, _ := bom["metadata"].(object)
	component, _ := metadata["component"].(object)
	was, _ := component["bom-ref"].(string)
	components, _ := bom["components"].([]any)
	if was == "" || len(components) == 0 {
		return "", fmt.Errorf("the bill of materials says nothing of Drawbridge, or of what it is made of")
	}
	tools, _ := metadata["tools"].([]any)
	for _, t := range tools {
		delete(t.(object), "hashes")
	}
	name, _ := component["name"].(string)
	is := "pkg:golang/" + name + "@v" + version
	component["version"], component["purl"] = "v"+version, is
	text, err := pretty(bom)
	return strings.ReplaceAll(text, `"`+was+`"`, `"`+is+`"`), err
}

// addBOM reads a bill of materials and writes it into a release.
func addBOM(from, version, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	text, err := writeBOM(raw, version)
	if err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	return os.WriteFile(to, []byte(text), 0o644)
}
