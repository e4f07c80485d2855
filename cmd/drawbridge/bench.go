package main

import "context"

type benchCommand struct{}

// Run implements the command.
func (c benchCommand) Run(context.Context, environment) error { return nil }
