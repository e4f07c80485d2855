package main

import (
	"archive/zip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
)

// built is a folder of stand-ins for the built functions of the hub, as old as is said.
func built(t *testing.T, at time.Time) string {
	t.Helper()
	dir := t.TempDir()
	names := regexp.MustCompile(`"FunctionName": "drawbridge-([a-z-]+)"`).FindAllStringSubmatch(template.Hub, -1)
	if len(names) < 50 {
		t.Fatalf("the hub has %d functions", len(names))
	}
	for _, n := range names {
		path := filepath.Join(dir, n[1], "bootstrap")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Repeat(n[1], 1000)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func released(t *testing.T, at time.Time) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "release")
	if err := write("1.2.0", built(t, at), out); err != nil {
		t.Fatal(err)
	}
	if err := writeSums(out); err != nil {
		t.Fatal(err)
	}
	return out
}

// The sums name every file, and are the same wherever and whenever the release is made.
func TestTwoReleasesAreAlike(t *testing.T) {
	one, other := released(t, time.Now()), released(t, time.Date(1999, 1, 2, 3, 4, 5, 0, time.UTC))
	var sums [2]string
	for n, dir := range []string{one, other} {
		text, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[n] = string(text)
	}
	if lines := strings.Count(sums[0], "\n"); sums[0] != sums[1] || lines < 55 {
		t.Errorf("two releases of %d files differ:\n%s\n%s", lines, sums[0], sums[1])
	}
}

// Each function's code is a zip of the release, with one file that may be executed.
func TestTheHubsCodeIsInTheRelease(t *testing.T) {
	dir := released(t, time.Now())
	text, err := os.ReadFile(filepath.Join(dir, "drawbridge-hub.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`"S3Key": \{\s*"Fn::Sub": "\$\{CodePrefix\}([^"]+)"`).FindAllStringSubmatch(string(text), -1)
	if functions := strings.Count(string(text), `"AWS::Lambda::Function"`); len(keys) != functions || functions < 50 {
		t.Fatalf("%d functions have their code in %d places", functions, len(keys))
	}
	for _, k := range keys {
		archive, err := zip.OpenReader(filepath.Join(dir, k[1]))
		if err != nil {
			t.Fatal(err)
		}
		if len(archive.File) != 1 || archive.File[0].Name != "bootstrap" || archive.File[0].Mode() != 0o755 {
			t.Errorf("%s holds %v", k[1], archive.File)
		}
		archive.Close()
	}
}

// Nothing of the local engine's, and of the CDK's bucket, is left in what everybody deploys.
func TestAReleaseIsNobodys(t *testing.T) {
	dir := released(t, time.Now())
	for _, name := range []string{"hub", "organization", "member"} {
		text, err := os.ReadFile(filepath.Join(dir, "drawbridge-"+name+".template.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, not := range []string{"123456789012", "o-drawbridge0", "drawbridge-local", "ou-draw-bridge000", "cdk-hnb659fds", `"us-east-1,eu-west-1"`, `"us-east-1",`} {
			if strings.Contains(string(text), not) {
				t.Errorf("%s has %s in it", name, not)
			}
		}
		var whole struct {
			Metadata struct{ Drawbridge struct{ Version string } }
		}
		if err := json.Unmarshal(text, &whole); err != nil || whole.Metadata.Drawbridge.Version != "1.2.0" {
			t.Errorf("%s is of the version %q, %v", name, whole.Metadata.Drawbridge.Version, err)
		}
	}
}

func TestWhatNoReleaseIsMadeOf(t *testing.T) {
	functions := built(t, time.Now())
	for _, version := range []string{"", "v1.2.0", "1.2", "1.2.0; rm -rf /"} {
		if err := write(version, functions, t.TempDir()); err == nil || !strings.Contains(err.Error(), "make release VERSION=") {
			t.Errorf("the version %q: %v", version, err)
		}
	}
	if err := os.RemoveAll(filepath.Join(functions, "add-routes")); err != nil {
		t.Fatal(err)
	}
	if err := write("1.2.0", functions, t.TempDir()); err == nil || !strings.Contains(err.Error(), "add-routes, which was not built") {
		t.Errorf("without a function: %v", err)
	}
}

// The hub's and the member's template are linted where they come from, in infra; this one has parameters of its own.
func TestTheOrganizationsTemplatePassesCfnLint(t *testing.T) {
	lint := tool(t, ".venv/bin/cfn-lint")
	template := filepath.Join(released(t, time.Now()), "drawbridge-organization.template.json")
	if out, err := exec.Command(lint, "--", template).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing: run `make %s/ready`, which installs it", path, filepath.Dir(filepath.Dir(name)))
	}
	return path
}

// The bill of materials says the version, and nothing of the machine.
func TestTheBillOfMaterialsIsOfTheRelease(t *testing.T) {
	const raw = `{"bomFormat": "CycloneDX", "metadata": {"tools": [{"name": "cyclonedx-gomod", "hashes": [{"alg": "MD5", "content": "00"}]}],
		"component": {"bom-ref": "pkg:golang/d@v0.0.0-2026-dirty?type=module", "name": "d"}},
		"components": [{"name": "x"}], "dependencies": [{"ref": "pkg:golang/d@v0.0.0-2026-dirty?type=module"}]}`
	text, err := writeBOM([]byte(raw), "1.2.0")
	if err != nil || strings.Contains(text, "hashes") || strings.Contains(text, "dirty") || strings.Count(text, `"pkg:golang/d@v1.2.0"`) != 3 {
		t.Errorf("%v\n%s", err, text)
	}
	if _, err := writeBOM([]byte(`{"bomFormat": "CycloneDX"}`), "1.2.0"); err == nil {
		t.Error("an empty bill passes")
	}
}

// Where the database of vulnerabilities cannot be reached, there is no release, unless somebody says why; then the release says so.
func TestWithoutTheVulnerabilityDatabase(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "VULNERABILITIES.txt")
	tool := filepath.Join(dir, "go")
	for name, c := range map[string]struct {
		stdout, stderr string
		code           string
		unchecked      string
		fails          string // what the last line says
		writes         string
	}{
		"no answer":              {"", "govulncheck: no such host\nexit status 1", "1", "", "got no answer of https://vuln.go.dev (govulncheck: no such host)", ""},
		"no answer, and a why":   {"", "govulncheck: no such host\nexit status 1", "1", "no network here", "", "Not checked for known vulnerabilities: no network here"},
		"a weakness":             {"Vulnerability #1: GO-2026-0001", "exit status 3", "1", "", "found weaknesses that are called", ""},
		"a weakness, and a why":  {"Vulnerability #1: GO-2026-0001", "exit status 3", "1", "no network here", "found weaknesses that are called", ""},
		"nothing":                {"No vulnerabilities found.", "", "0", "", "", "No vulnerabilities found."},
		"nothing, for all a why": {"No vulnerabilities found.", "", "0", "no network here", "", "No vulnerabilities found."},
	} {
		t.Run(name, func(t *testing.T) {
			script := "#!/bin/sh\nprintf '%s\\n' '" + c.stdout + "'\nprintf '" + c.stderr + "\\n' >&2\nexit " + c.code + "\n"
			if err := os.WriteFile(tool, []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			command := exec.Command("sh", "vulnerabilities.sh", file, tool, "govulncheck@v1", c.unchecked)
			command.Env = append(os.Environ(), "GOVULNDB=")
			out, err := command.CombinedOutput()
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if (err != nil) != (c.fails != "") || !strings.Contains(lines[len(lines)-1], c.fails) {
				t.Errorf("%v\n%s", err, out)
			}
			if text, _ := os.ReadFile(file); c.writes != "" && strings.TrimSpace(string(text)) != c.writes {
				t.Errorf("the release says %q", text)
			}
		})
	}
}
