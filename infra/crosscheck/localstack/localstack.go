// Package localstack lets an EventBridge, a Step Functions and a CloudFormation that nobody here wrote judge Drawbridge.
//
// LocalStack (its community version, as published on PyPI) deploys the synthesized templates, and then plays scenarios of
// Drawbridge: its rules match and forward the events, its interpreter runs the machines. Its Lambda cannot run functions
// without containers, so it hands each invocation to the local engine, which runs the compiled function (serve.py); the
// accounts of the members are the engine's too. The engine's own hub hears nothing: its rules are switched off, and a bridge
// copies each event to the bus of the same account in LocalStack.
//
//	a call in a member (engine) → its record on the default bus (engine) ─ bridge → default bus (LocalStack)
//	  → forwarding rule → bus of the hub → rule → machine (all LocalStack) → function (engine) → AWS calls (engine)
//
// What is judged, what is changed for LocalStack and what it cannot play is in docs/decisions/0067-localstack-judges.md.
package localstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/drawbridge-cloud/drawbridge/infra/crosscheck/judgement"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// Options say what a run needs and where it tells of itself.
type Options struct {
	// Root is the root of the repository, where bin/functions, .venv and Python are.
	Root string
	// Python is that of the virtual environment in which LocalStack is installed.
	Python string
	// Out gets a line for each judgement when it is made.
	Out io.Writer
	// Log gets what LocalStack and the engine print.
	Log io.Writer
}

// Check says in one sentence what is missing and how to get it.
func (o Options) Check() error {
	if _, err := os.Stat(o.Python); err != nil {
		return fmt.Errorf("LocalStack is not installed (%s): run `make .crosscheck/localstack/ready`, which sets it up", o.Python)
	}
	return local.Options{Root: o.Root}.Check()
}

// Note is something that a reader of the judgements must know, and why it is so.
type Note struct{ What, Why string }

// Report is what came of a run.
type Report struct {
	judgement.Report
	// Changes are what the deployed copy of the templates does not have as synthesized.
	Changes []Note
	// NotPlayed is what this judge cannot judge.
	NotPlayed []Note
}

// Run starts LocalStack and the engine, lets the one judge what the other plays, and ends both. An error means that not all
// could be judged; the report then has what was.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &Report{}
	if err := o.Check(); err != nil {
		return r, err
	}
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return r, err
	}
	o.Root = root
	// Each is told of the other before either runs.
	judge, err := freeAddress()
	if err != nil {
		return r, err
	}
	front, err := freeAddress()
	if err != nil {
		return r, err
	}
	var (
		b     bridge
		trial sabotage
		ls    *server
		e     *local.Engine
		fails [2]error
		both  sync.WaitGroup
	)
	both.Go(func() { ls, fails[0] = startServer(ctx, o, judge, "http://"+front) })
	both.Go(func() {
		e, fails[1] = local.Start(ctx, local.Options{
			Root: o.Root, Listen: front, WaitScale: 0.01, Log: o.Log, Event: b.take, Fault: trial.strike,
			// What a function asks Step Functions, it asks where the executions are.
			// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
			Environment: map[string]string{"AWS_ENDPOINT_URL_SFN": "http://" + judge},
		})
	})
	both.Wait()
	if ls != nil {
		defer ls.stop()
	}
	if e != nil {
		defer e.Close()
	}
	if err := errors.Join(fails[:]...); err != nil {
		return r, err
	}
	r.Judge = "LocalStack " + ls.version
	p := &play{options: o, report: r, engine: e, judge: ls, bridge: &b, sabotage: &trial, known: map[string]bool{}}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-ls.child.Exited():
			cancel(errors.New("LocalStack ended by itself"))
		case <-e.Done():
			cancel(errors.New("the emulation of AWS ended by itself"))
		case <-ctx.Done():
		}
	}()
	err = p.perform(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err == nil && len(r.Judgements) == 0 {
		err = errors.New("no judgement was made")
	}
	return r, err
}

// freeAddress finds a loopback address on which nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
