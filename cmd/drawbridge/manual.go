package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"github.com/drawbridge-cloud/drawbridge/pkg/manual"
)

type completionCommand struct {
	Shell string `arg:"" help:"${enum}." enum:"bash,zsh,fish"`
}

// Help is what kong shows below the options.
func (completionCommand) Help() string {
	return `Commands, flags and their values are completed.

Examples:

  drawbridge completion bash > /etc/bash_completion.d/drawbridge
  source <(drawbridge completion zsh)
  drawbridge completion fish > ~/.config/fish/completions/drawbridge.fish`
}

// Run implements the command.
func (c completionCommand) Run(app *kong.Kong) error {
	script, err := manual.Script(c.Shell, app.Model.Name)
	if err == nil {
		fmt.Print(script)
	}
	return err
}

type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"The words of the line after the command; the last may be begun."`
}

// Run implements the command.
func (c completeCommand) Run(app *kong.Kong) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, one := range manual.Complete(app.Model.Node, words) {
		fmt.Printf("%s\t%s\n", one.Word, one.Help)
	}
	return nil
}

type manCommand struct {
	Dir string `help:"Write the page of each command into this folder." type:"existingdir" placeholder:"DIR"`
}

// Help is what kong shows below the options.
func (manCommand) Help() string {
	return `Its text is that of --help. With --dir it writes the page of every command.

Examples:

  drawbridge man | man -l -
  drawbridge man --dir /usr/local/share/man/man1`
}

// Run implements the command.
func (c manCommand) Run(app *kong.Kong) error {
	if c.Dir == "" {
		fmt.Print(manual.Page(app.Model, app.Model.Node))
		return nil
	}
	for _, node := range manual.Nodes(app.Model) {
		path := filepath.Join(c.Dir, manual.Name(app.Model, node)+".1")
		if err := os.WriteFile(path, []byte(manual.Page(app.Model, node)), 0o644); err != nil {
			return fmt.Errorf("writing the man pages: %w", err)
		}
	}
	return nil
}
