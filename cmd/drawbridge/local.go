package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/picture"
)

// usualAddress is where an engine listens that other commands find by --local alone.
const usualAddress = "127.0.0.1:4566"

var errEngineEnded = errors.New("the emulation of AWS ended by itself: run again with --verbose to see why")

type localCommand struct {
	Listen    string   `help:"Loopback address for AWS clients." default:"127.0.0.1:4566" placeholder:"HOST:PORT"`
	Region    string   `help:"Region of the hub; it says what partition all is in (${default})." default:"${region}" placeholder:"REGION"`
	Outside   []string `help:"Accounts that do not belong to the organization." placeholder:"ACCOUNT,…"`
	Picture   string   `help:"Loopback address for the picture of what connects, live (a free port)." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	Trace     string   `help:"Write one JSON line for each AWS call that Drawbridge makes." placeholder:"FILE"`
	WaitScale float64  `help:"Fraction of its time that a wait takes; 1 is real time." default:"0.02" placeholder:"FRACTION"`
	Verbose   bool     `help:"Show what the functions and the emulation of AWS print." short:"v"`
}

// Help is what kong shows below the options.
func (localCommand) Help() string {
	return `Runs Drawbridge as it is deployed, over an emulation of AWS that the AWS CLI and any SDK can use; only this machine reaches it. It prints the address of the picture.
Ctrl-C ends it, and leaves nothing.

Examples:

  drawbridge local --listen 127.0.0.1:4566
  drawbridge local --listen 127.0.0.1:4566 --trace calls.jsonl`
}

// Run implements the command.
func (c localCommand) Run(ctx context.Context, env environment) (err error) {
	o := local.Options{Root: env.root, Listen: c.Listen, Region: c.Region, Outside: c.Outside, WaitScale: c.WaitScale}
	if c.WaitScale == 0 {
		o.WaitScale = 1e-9 // as good as nothing
	}
	if c.Verbose {
		o.Log = os.Stderr
	}
	if err := o.Check(); err != nil {
		return err
	}
	var trace func(awscall.Call)
	if c.Trace != "" {
		file, err := os.Create(c.Trace)
		if err != nil {
			return fmt.Errorf("opening the trace: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		trace = lines(file)
	}
	engine, err := local.Start(ctx, o)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	if err != nil {
		return err
	}
	defer engine.Close()
	if trace != nil {
		engine.Story().Trace(trace)
	}
	engine.Story().Forget() // it may run for days
	engine.Story().Watch(story.NewLive(os.Stderr, terminal(os.Stderr), o.WaitScale).Tell)
	shown := make(chan error, 1)
	url, err := c.show(ctx, engine, shown)
	if err != nil {
		return err
	}
	fmt.Printf("ready %s hub %s region %s organization %s waits shortened to %g picture %s\n", engine.URL(), local.HubAccount, c.Region, local.Organization, c.WaitScale, url)
	select {
	case <-ctx.Done():
		return nil
	case err := <-shown:
		return err
	case <-engine.Done():
		return errEngineEnded
	}
}

// show serves the picture of the engine's ledger until ctx ends, and returns where.
func (c localCommand) show(ctx context.Context, engine *local.Engine, shown chan<- error) (string, error) {
	h, err := hubFlags{}.in(ctx, engine.Config(local.HubAccount, c.Region))
	if err != nil {
		return "", err
	}
	server := &picture.Server{Read: h.pictured(), Every: time.Second}
	run, url, err := server.Listen(ctx, c.Picture)
	if err != nil {
		return "", err
	}
	go func() { shown <- run() }()
	return url, nil
}

// lines writes each call as one line of JSON.
func lines(w io.Writer) func(awscall.Call) {
	encoder := json.NewEncoder(w)
	return func(c awscall.Call) {
		if err := encoder.Encode(c); err != nil {
			fmt.Fprintln(os.Stderr, "writing the trace:", err)
		}
	}
}
