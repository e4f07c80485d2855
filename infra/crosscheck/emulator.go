package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/infra/crosscheck/localstack"
)

// emulator is LocalStack: another emulator of AWS, with a CloudFormation, an EventBridge and an interpreter of machines of its own.
type emulator struct {
	root string
	name string
}

const emulatorVenv = ".crosscheck/localstack"

func (e *emulator) Name() string {
	if e.name == "" {
		return "LocalStack"
	}
	return e.name
}

// Get has make set up its virtual environment.
func (e *emulator) Get(ctx context.Context) error {
	said, err := exec.CommandContext(ctx, "make", "--no-print-directory", emulatorVenv+"/ready").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(said)))
	}
	return e.options(io.Discard, io.Discard).Check()
}

func (e *emulator) options(out, log io.Writer) localstack.Options {
	return localstack.Options{Root: e.root, Python: filepath.Join(e.root, emulatorVenv, "bin/python"), Out: out, Log: log}
}

func (e *emulator) Judge(ctx context.Context, r *report) error {
	if err := os.MkdirAll(filepath.Join(e.root, "out"), 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(e.root, "out", "localstack.log"))
	if err != nil {
		return err
	}
	said, err := localstack.Run(ctx, e.options(io.Discard, log))
	e.name = said.Judge
	for _, j := range said.Judgements {
		r.Held(j.Held, "%s: %s", j.What, j.Detail)
	}
	for _, n := range append(said.Changes, said.NotPlayed...) {
		r.Left(n.What, n.Why)
	}
	if err := errors.Join(err, log.Close()); err != nil {
		return fmt.Errorf("%w; see out/localstack.log", err)
	}
	return nil
}
