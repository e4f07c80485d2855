package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completed are lines, and what completes them: "" stands for the files that begin so, of which there are none.
var completed = map[string]string{"drawbridge hist": "history", "drawbridge policy ": "apply test", "drawbridge status -o ": "json table yaml", "drawbridge status --watc": "--watch",
	"drawbridge report --output=h": "html", "drawbridge status pcx-": ""}

// inShell returns how a shell runs in which drawbridge is this test's command and its completion is read from a file; the test is skipped where the
// shell is missing.
func inShell(t *testing.T, name string) func(args ...string) string {
	t.Helper()
	shell, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("there is no %s on this machine", name)
	}
	script, _, exit := ran(t, "completion", name)
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
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) string {
		run := exec.Command(shell, args...)
		run.Dir = dir
		run.Env = append(os.Environ(), "BE_DRAWBRIDGE=1", "PATH="+dir+":"+os.Getenv("PATH"), "SCRIPT="+file, "HOME="+dir, "TERM=dumb")
		out, err := run.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
}

// words are those of a text, in the order of the alphabet.
func words(text string) string {
	return strings.Join(slices.Sorted(slices.Values(strings.Fields(text))), " ")
}

// Bash itself completes lines, by the script and the command.
func TestBashCompletes(t *testing.T) {
	bash := inShell(t, "bash")
	for line, want := range completed {
		if got := words(bash("--norc", "-c", `source "$SCRIPT"; COMP_LINE=$1 COMP_POINT=${#1}; _drawbridge; echo "${COMPREPLY[*]}"`, "bash", line)); got != want {
			t.Errorf("%q: %q; want %q", line, got, want)
		}
	}
}

// So does fish, which shows what each word means, and takes = for a part of it.
func TestFishCompletes(t *testing.T) {
	fish := inShell(t, "fish")
	for line, want := range completed {
		var got []string
		for one := range strings.Lines(fish("--no-config", "-c", `source $SCRIPT; complete -C $argv[1]`, line)) {
			word, help, _ := strings.Cut(strings.TrimSpace(one), "\t")
			got = append(got, strings.TrimPrefix(word, "--output="))
			if line == "drawbridge hist" && help == "" {
				t.Errorf("%q has no help", word)
			}
		}
		if got := words(strings.Join(got, " ")); got != want {
			t.Errorf("%q: %q; want %q", line, got, want)
		}
	}
}

// interactive types a line and a tab into a zsh with a terminal, as a person does, and prints what the line is then, and what is listed below it.
const interactive = `zmodload zsh/zpty; zpty -b z zsh -f -i
zpty -w z 'PROMPT=; autoload -Uz compinit; compinit -u -D; source $SCRIPT; bindkey "^I" complete-word; LISTMAX=0; setopt no_beep; echo rea""dy'
zpty -r z out "*ready*"
zpty -w z 'shown() { print -r -- ">>$BUFFER<<" }; zle -N shown; bindkey "^X" shown; echo rea""dy'
zpty -r z out "*ready*"
zpty -w -n z "$1"$'\t'$'\x18'
zpty -r z out "*<<*"; print -r -- $out`

// So does zsh, which completes the line where one word is left.
func TestZshCompletes(t *testing.T) {
	zsh := inShell(t, "zsh")
	for line, want := range completed {
		got := zsh("-f", "-c", interactive, "zsh", line)
		for _, word := range strings.Fields(want) {
			if !strings.Contains(got, word) {
				t.Errorf("%q: %q; want %q", line, got, word)
			}
		}
		if _, after, _ := strings.Cut(got, ">>"); len(strings.Fields(want)) < 2 && !strings.HasPrefix(strings.TrimPrefix(after, "--output="), line[:strings.LastIndexAny(line, " =")+1]+want) {
			t.Errorf("the line %q is %q", line, got)
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
