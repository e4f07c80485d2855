package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Bash itself completes lines, by the script and the command.
func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash on this machine")
	}
	script, _, exit := ran(t, "completion", "bash")
	if exit != 0 {
		t.Fatal("no script")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "drawbridge")); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{"drawbridge hist": "history", "drawbridge policy ": "test apply", "drawbridge status -o ": "table json yaml", "drawbridge status --watc": "--watch", "drawbridge report --output=h": "html", "drawbridge status pcx-": ""} {
		run := exec.Command(bash, "--norc", "-c", script+"\nCOMP_LINE=$1 COMP_POINT=${#1}\n_drawbridge\necho \"${COMPREPLY[*]}\"", "bash", line)
		run.Env = append(os.Environ(), "BE_DRAWBRIDGE=1", "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := run.CombinedOutput()
		if got := strings.Join(strings.Fields(string(out)), " "); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", line, got, err, want)
		}
	}
}

// There is a page for each command, of the text of its help.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, exit := ran(t, "man", "--dir", dir); exit != 0 {
		t.Fatal(stderr)
	}
	for _, name := range []string{"drawbridge", "drawbridge-status", "drawbridge-release-brake", "drawbridge-policy-test"} {
		page, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil || !strings.Contains(string(page), ".SH DESCRIPTION") || name != "drawbridge" && !strings.Contains(string(page), ".SH EXAMPLES") {
			t.Errorf("%s: %v\n%s", name, err, page)
		}
	}
}
