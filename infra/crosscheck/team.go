package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/drawbridge-cloud/drawbridge/infra/crosscheck/terraform"
)

// team is Terraform, as a team uses it that owns its network in code.
type team struct {
	root string
	name string
}

func (t *team) Name() string {
	if t.name == "" {
		return "Terraform"
	}
	return t.name
}

// Brought says that Terraform is asked where it is installed: its licence and its size are no part of this repository's set-up.
func (t *team) Brought() bool { return true }

// Get looks whether Terraform and its provider are installed.
func (t *team) Get(context.Context) error {
	return terraform.Installed(t.root, io.Discard, io.Discard).Check()
}

func (t *team) Judge(ctx context.Context, r *report) error {
	if err := os.MkdirAll(filepath.Join(t.root, "out"), 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(t.root, "out", "terraform.log"))
	if err != nil {
		return err
	}
	o := terraform.Installed(t.root, io.Discard, log)
	said, err := terraform.Run(ctx, o)
	t.name = said.Judge
	taken, failed := terraform.TakeOver(ctx, o)
	err = errors.Join(err, failed)
	for _, j := range append(said.Judgements, taken.Judgements...) {
		r.Held(j.Held, "%s: %s", j.What, j.Detail)
	}
	r.Left("CloudTrail's delay", "Drawbridge's calls wait until an apply is done; on AWS the records come minutes later")
	if err := errors.Join(err, log.Close()); err != nil {
		return fmt.Errorf("%w; see out/terraform.log", err)
	}
	return nil
}
