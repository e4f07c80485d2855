package manual

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// Page is the man page of a command, in the macros of man(7), from the same text that its --help prints. The page of the application lists the commands.
func Page(app *kong.Application, node *kong.Node) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	name := Name(app, node)
	help, path, summary := app.Help, app.Name, "COMMAND [flags]"
	if node != app.Node {
		help, path = node.Help, node.FullPath()
		summary = strings.TrimSpace(strings.TrimPrefix(node.Summary(), node.Path()))
	}
	line(".TH %s 1 \"\" \"%s\" \"User Commands\"", quote(strings.ToUpper(name)), app.Name)
	line(".SH NAME\n%s \\- %s", escape(name), escape(first(help)))
	line(".SH SYNOPSIS\n.B %s\n%s", escape(path), escape(summary))
	line(".SH DESCRIPTION")
	detail, examples, _ := strings.Cut(node.Detail, "\nExamples:\n")
	if detail == "" {
		detail = help
	}
	for n, paragraph := range strings.Split(strings.TrimSpace(detail), "\n\n") {
		if n > 0 {
			line(".PP")
		}
		line("%s", escape(strings.Join(strings.Fields(paragraph), " ")))
	}
	commands(line, app, node)
	options(line, node)
	if examples = strings.Trim(examples, "\n"); examples != "" {
		line(".SH EXAMPLES\n.nf")
		for text := range strings.Lines(examples) {
			line("%s", escape(strings.TrimPrefix(strings.TrimRight(text, "\n"), "  ")))
		}
		line(".fi")
	}
	return b.String()
}

// commands writes those below a command, with the names of their pages.
func commands(line func(string, ...any), app *kong.Application, node *kong.Node) {
	if len(node.Children) == 0 {
		return
	}
	line(".SH COMMANDS")
	for _, c := range node.Children {
		if !c.Hidden {
			line(".TP\n.B %s\n%s See\n.BR %s (1).", escape(c.Name), escape(c.Help), escape(Name(app, c)))
		}
	}
}

// options writes the arguments and flags of a command.
func options(line func(string, ...any), node *kong.Node) {
	if len(node.Positional) > 0 {
		line(".SH ARGUMENTS")
		for _, p := range node.Positional {
			line(".TP\n.I %s\n%s", escape(strings.ToUpper(p.Name)), escape(p.Help))
		}
	}
	line(".SH OPTIONS")
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			names := "\\fB" + escape("--"+f.Name) + "\\fR"
			if f.Short != 0 {
				names = "\\fB" + escape("-"+string(f.Short)) + "\\fR, " + names
			}
			if !f.IsBool() && !f.IsCounter() {
				names += " \\fI" + escape(f.FormatPlaceHolder()) + "\\fR"
			}
			line(".TP\n%s\n%s", names, escape(f.Help))
		}
	}
}

// Name is what a command's page is called: its words with hyphens between, as drawbridge-policy-test.
func Name(app *kong.Application, node *kong.Node) string {
	if node == app.Node || node == nil {
		return app.Name
	}
	return strings.ReplaceAll(node.FullPath(), " ", "-")
}

// Nodes are the application and all its commands that are shown, in the order of its help.
func Nodes(app *kong.Application) []*kong.Node {
	out := []*kong.Node{app.Node}
	var walk func(*kong.Node)
	walk = func(n *kong.Node) {
		for _, c := range n.Children {
			if !c.Hidden {
				out = append(out, c)
				walk(c)
			}
		}
	}
	walk(app.Node)
	return out
}

// escape is text as roff takes it for itself: a backslash and hyphens as they are, and no request at the beginning.
// https://man7.org/linux/man-pages/man7/man-pages.7.html
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", `\(ga`, "'", `\(aq`, "✓", "\\[u2713]", "✗", "\\[u2717]", "…", "\\[u2026]").Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

func quote(text string) string { return `"` + strings.ReplaceAll(text, `"`, "") + `"` }
