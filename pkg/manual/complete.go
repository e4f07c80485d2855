// Package manual is what is made from the command's own grammar and help, so that it never says something else: what completes a line in a shell, and
// man pages.
//
// The libraries that do so for kong had no release for years (kong-completion 2022, kongplete 2023, mango-kong 2022); what is needed of them is small.
//
//	complete.go  what may follow, and the scripts by which shells ask for it
//	man.go       a page for each command
package manual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Candidate is a word that may stand at the end of a line, with what it means.
type Candidate struct{ Word, Help string }

// Complete returns what may stand in place of the last of words, which are those of the line after the command's own; that one may be empty or begun.
// Nothing is returned where a file, or somebody's name for a thing, belongs: the shell has its own way with files.
func Complete(app *kong.Node, words []string) []Candidate {
	if len(words) == 0 {
		words = []string{""}
	}
	node, last := app, words[len(words)-1]
	var open *kong.Flag // a flag that waits for its value
	for _, w := range words[:len(words)-1] {
		switch {
		case open != nil:
			open = nil
		case w == "--":
			return nil
		case strings.HasPrefix(w, "-") && !strings.Contains(w, "="):
			if f := flag(node, w); f != nil && !f.IsBool() && !f.IsCounter() {
				open = f
			}
		case strings.HasPrefix(w, "-"):
		default:
			if n := slices.IndexFunc(node.Children, func(c *kong.Node) bool { return c.Name == w || slices.Contains(c.Aliases, w) }); n >= 0 {
				node = node.Children[n]
			}
		}
	}
	name, value, assigned := strings.Cut(last, "=")
	switch {
	case open != nil:
		return begun(values(open, ""), last)
	case assigned && strings.HasPrefix(name, "-"):
		if f := flag(node, name); f != nil {
			return begun(values(f, name+"="), name+"="+value)
		}
		return nil
	case strings.HasPrefix(last, "-"):
		var out []Candidate
		for _, group := range node.AllFlags(true) {
			for _, f := range group {
				out = append(out, Candidate{"--" + f.Name, first(f.Help)})
			}
		}
		return begun(out, last)
	}
	var out []Candidate
	for _, c := range node.Children {
		if !c.Hidden {
			out = append(out, Candidate{c.Name, first(c.Help)})
		}
	}
	return begun(out, last)
}

// flag returns the flag that a word is, at a command or above it.
func flag(node *kong.Node, word string) *kong.Flag {
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) {
				return f
			}
		}
	}
	return nil
}

// values are the words that a flag may have, if they are known.
func values(f *kong.Flag, before string) []Candidate {
	var out []Candidate
	if f.Enum == "" {
		return nil
	}
	for _, v := range f.EnumSlice() {
		if v != "" {
			out = append(out, Candidate{before + v, ""})
		}
	}
	return out
}

// begun are those that begin as the last word does.
func begun(all []Candidate, with string) []Candidate {
	return slices.DeleteFunc(all, func(c Candidate) bool { return !strings.HasPrefix(c.Word, with) })
}

// first is the first sentence of a help, in one line.
func first(help string) string {
	help, _, _ = strings.Cut(strings.Join(strings.Fields(help), " "), ". ")
	return strings.TrimSuffix(help, ".")
}

// Shells are those that are known.
var Shells = []string{"bash", "zsh", "fish"}

// Script is what a shell reads to complete the lines of a command. It asks the command itself, by its hidden command "complete", whose answer has a line
// for each candidate: the word, a tab, what it means.
func Script(shell, name string) (string, error) {
	switch shell {
	case "bash": // 4 or later; = ends a word for readline, which the words before are joined over
		return strings.ReplaceAll(`_NAME() {
  local line="${COMP_LINE:0:COMP_POINT}" words cur IFS=$'\n'
  IFS=' ' read -ra words <<< "$line"
  [[ "$line" == *' ' ]] && words+=('')
  cur="${words[-1]}"
  mapfile -t COMPREPLY < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null | cut -f1)
  if [[ "$cur" == *=* && "$COMP_WORDBREAKS" == *=* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${cur%%=*}="}")
  fi
}
complete -o default -F _NAME NAME
`, "NAME", name), nil
	case "zsh":
		return strings.ReplaceAll(`#compdef NAME
_NAME() {
  local -a found
  local line
  while IFS=$'\t' read -r word help; do
    found+=("${word//:/\\:}:$help")
  done < <("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${#found} )); then
    _describe NAME found
  else
    _files
  fi
}
compdef _NAME NAME
`, "NAME", name), nil
	case "fish":
		// -f: no names of files among what is found; where nothing is, they are what completes
		return strings.ReplaceAll(`function __NAME_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (command $words[1] complete -- $words[2..-1] 2>/dev/null)
  if set -q found[1]
    printf '%s\n' $found
  else
    __fish_complete_path $words[-1]
  end
end
complete -c NAME -f -a '(__NAME_complete)'
`, "NAME", name), nil
	}
	return "", fmt.Errorf("there is no completion for %s; there is for %s", shell, strings.Join(Shells, ", "))
}
