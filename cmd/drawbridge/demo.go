package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle/netproof"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

type demoCommand struct {
	Scenario  string  `help:"Scenario to play: ${enum}." enum:"s1,s2,s3,s5" default:"s1"`
	Out       string  `help:"Folder for report.json; by default out/demo in the repository." placeholder:"DIR"`
	WaitScale float64 `help:"Fraction of its time that a wait takes; 1 is real time." default:"0.01" placeholder:"FRACTION"`
	Verbose   bool    `help:"Show what the functions and the emulation of AWS print." short:"v"`
}

// patience is how long the demo waits for the end, beyond the waits of the
// machine.
const patience = time.Minute

// Run implements the command.
func (c demoCommand) Run(ctx context.Context, env environment) error {
	o := local.Options{Root: env.root, WaitScale: c.WaitScale}
	if c.Verbose {
		o.Log = os.Stderr
	}
	if err := o.Check(); err != nil {
		return err
	}
	began := time.Now()
	say("Starting AWS and Drawbridge on this machine.")
	engine, err := local.Start(ctx, o)
	if err != nil {
		return err
	}
	defer engine.Close()
	if c.Scenario == "s3" {
		return c.dataAPI(ctx, env, engine, began)
	}

	if c.Scenario == "s2" {
		return c.runS2(ctx, engine, env.root)
	}
	if c.Scenario == "s5" {
		return c.runS5(ctx, env, engine, began)
	}
	spec := scenario.S1()
	say("Account %s (%s) has a notebook in %s, account %s (%s) a %s database in %s. Nothing connects them.",
		spec.Consumer.Account, spec.Consumer.Name, spec.Consumer.Subnets[0],
		spec.Producer.Account, spec.Producer.Name, spec.Database.Engine, spec.Producer.CIDR)
	world, err := spec.Build(ctx, engine.Config)
	if err != nil {
		return err
	}
	if c.WaitScale != 1 {
		say("Waits of the machine are shortened to %g of their time.", c.WaitScale)
	}
	say("Now %s makes one call: ec2 CreateVpcPeeringConnection. The rest is Drawbridge.\n", spec.Consumer.Name)
	if _, err := engine.Settle(ctx, 0); err != nil {
		return err
	}
	engine.Story().Begin()
	engine.Story().Watch(story.NewLive(os.Stdout, terminal(os.Stdout), c.WaitScale).Tell)
	asked := time.Now()
	if err := world.Request(ctx); err != nil {
		return err
	}
	limit, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the execution has not ended after %v", patience))
	defer cancel()
	end, err := engine.Story().First(limit, func(e story.End) bool { return e.Machine == "drawbridge-peering" })
	wall := time.Since(asked)
	if err != nil {
		return fmt.Errorf("waiting for the end: %w", err)
	}
	verdict, err := world.Verdict(ctx)
	if err != nil {
		return err
	}
	report := engine.Story().Report(end, verdict, wall)
	out := c.Out
	if out == "" {
		out = filepath.Join(env.root, "out", "demo")
	}
	path := filepath.Join(out, "report.json")
	if err := report.Write(path); err != nil {
		return err
	}
	conclude(report, path, time.Since(began))
	if end.Status != "SUCCEEDED" || report.Result != "Connected" {
		return fmt.Errorf("the execution ended with %s", report.Result)
	}
	if !scenario.Holds(verdict) {
		return errors.New("not every hop holds")
	}
	return prove(ctx, world, netproof.Peered, filepath.Join(out, "on-start.sh"))
}

// prove runs the on-start script that Drawbridge left in the emulated account on a real network, where this machine
// can make one.
func prove(ctx context.Context, world *scenario.World, layout netproof.Layout, path string) error {
	text, err := world.OnStart(ctx, world.Notebook.LifecycleConfig)
	if err != nil {
		return err
	}
	script := []byte(text)
	if err := os.WriteFile(path, script, 0o755); err != nil {
		return fmt.Errorf("writing the on-start script: %w", err)
	}
	fmt.Println()
	say("The last hop on a real network: this machine plays the notebook, the %s and the database in network namespaces, and runs the on-start script.\n", layout)
	result, err := netproof.Run(ctx, layout, script, os.Stdout)
	if errors.Is(err, netproof.ErrUnavailable) {
		say("Not proven on this machine: %v.", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("proving the last hop: %w", err)
	}
	fmt.Println()
	if !result.OK() {
		return errors.New("the last hop does not hold on a real network")
	}
	say("Proven with %s, in %.1f s.", result.Means, result.Took.Seconds())
	return nil
}

// hopColumn is where the details of a verdict begin.
const hopColumn = 20

// conclude prints the verdict and the numbers.
func conclude(r story.Report, path string, total time.Duration) {
	fmt.Println("\nRead back from the accounts, hop by hop:")
	hops(r.Verdict)
	fmt.Println()
	say("%s after %d ms: %d AWS calls (%d without AssumeRole and polls), %d state transitions, %d invocations, %d cold starts. In all %.1f s.",
		r.Result, r.WallMS, len(r.Calls), story.Work(r.Calls), r.Transitions, r.Invocations, r.ColdStarts, total.Seconds())
	say("Report: %s", path)
}

// hops prints a verdict.
func hops(verdict []story.Hop) {
	for _, h := range verdict {
		head := fmt.Sprintf("  %s %-15s ", story.Mark(h.OK), h.Hop)
		for i, line := range story.Wrap(h.Detail, story.Width-hopColumn, 0) {
			if i > 0 {
				head = strings.Repeat(" ", hopColumn)
			}
			fmt.Println(head + line)
		}
	}
}

// say prints a sentence in lines that fit.
func say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Println(strings.Join(story.Wrap(text, story.Width, 0), "\n"))
	if strings.HasSuffix(text, "\n") {
		fmt.Println()
	}
}
