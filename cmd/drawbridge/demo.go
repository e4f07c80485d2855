package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle/netproof"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/why"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type demoCommand struct {
	Scenario  string  `help:"Scenario to play: ${enum}." enum:"s1,s2,s3,s4,s5" default:"s1"`
	Stay      bool    `help:"Stay after the scenario, at 127.0.0.1:4566, until Ctrl-C: other commands ask it with --local."`
	Out       string  `help:"Folder for report.json; by default out/demo in the repository." placeholder:"DIR"`
	WaitScale float64 `help:"Fraction of its time that a wait takes; 1 is real time." default:"0.01" placeholder:"FRACTION"`
	Verbose   bool    `help:"Show what the functions and the emulation of AWS print." short:"v"`
}

// patience is how long the demo waits for the end, beyond the waits of the
// machine.
const patience = time.Minute

// Help is what kong shows below the options.
func (demoCommand) Help() string {
	return `Makes the accounts of a scenario on the engine, plays it, and reads back what became of it.

Examples:

  drawbridge demo
  drawbridge demo --scenario s3
  drawbridge demo --stay`
}

// Run implements the command.
func (c demoCommand) Run(ctx context.Context, env environment) error {
	o := local.Options{Root: env.root, WaitScale: c.WaitScale, Partly: c.Scenario == "s1"} // make demo builds what that one plays
	if c.Stay {
		o.Listen = usualAddress
	}
	if c.Verbose {
		o.Log = os.Stderr
	}
	if err := o.Check(); err != nil {
		return err
	}
	p := &performance{demoCommand: c, root: env.root, began: time.Now()}
	say("Starting AWS and Drawbridge on this machine.")
	if layout, ends := layouts[c.Scenario]; ends {
		p.stage = netproof.Prepare(ctx, layout)
		defer p.stage.Close()
	}
	var err error
	if p.engine, err = local.Start(ctx, o); err != nil {
		return err
	}
	defer p.engine.Close()
	play := map[string]func(context.Context) error{"s1": p.runS1, "s2": p.runS2, "s3": p.runS3, "s4": p.runS4, "s5": p.runS5}[c.Scenario]
	if err := play(ctx); err != nil {
		return err
	}
	if !c.Stay {
		p.engine.Story().Watch(nil) // what is still going on is not told after the end
	}
	if err := p.picture(ctx); err != nil || !c.Stay {
		return err
	}
	return p.stay(ctx)
}

// layouts are those of the scenarios that end on a real network.
var layouts = map[string]netproof.Layout{"s1": netproof.Peered, "s5": netproof.Gateway}

// A performance is a demo that is being played.
type performance struct {
	demoCommand
	engine *local.Engine
	root   string
	began  time.Time
	stage  *netproof.Stage // on which the last hop is proven; nil: on none
	asked  time.Time       // when the last call was made that set Drawbridge in motion
}

// runS1 plays the scenario of a peering.
func (p *performance) runS1(ctx context.Context) error {
	spec := scenario.S1()
	say("Account %s (%s) has a notebook in %s, account %s (%s) a %s database in %s. Nothing connects them.",
		spec.Consumer.Account, spec.Consumer.Name, spec.Consumer.Subnets[0],
		spec.Producer.Account, spec.Producer.Name, spec.Database.Engine, spec.Producer.CIDR)
	world, err := spec.Build(ctx, p.engine.Config)
	if err != nil {
		return err
	}
	if p.WaitScale != 1 {
		say("Waits of the machine are shortened to %g of their time.", p.WaitScale)
	}
	say("Now %s makes one call: ec2 CreateVpcPeeringConnection. The rest is Drawbridge.\n", spec.Consumer.Name)
	if err := p.watch(ctx, p.tell()); err != nil {
		return err
	}
	end, err := p.play(ctx, world.Request, "drawbridge-peering")
	if err != nil {
		return err
	}
	verdict, err := world.Verdict(ctx)
	if err != nil {
		return err
	}
	if err := p.conclude(end, "Connected", verdict); err != nil {
		return err
	}
	p.engine.Story().Watch(nil)
	say("\nThe policy lets nobody restart a notebook that runs. So %s stops and starts %s by itself.", spec.Consumer.Name, world.Notebook.Name)
	restarted := make(chan error, 1)
	go func() { restarted <- world.Restart(ctx) }() // it takes as long as the proof
	if err := p.prove(ctx, world, "on-start.sh"); err != nil {
		return err
	}
	if err := <-restarted; err != nil {
		return fmt.Errorf("restarting the notebook: %w", err)
	}
	return p.why(ctx, scenario.Alpha+"/research", scenario.Beta+"/sales")
}

// why judges a path as drawbridge why does, and prints the answer.
func (p *performance) why(ctx context.Context, from, to string) error {
	d := door{reach: reach{access: access{Local: localAddress(p.engine.URL())}}, ctx: ctx, home: event.Place{Account: local.HubAccount, Region: p.engine.Region()}, open: map[event.Place]aws.Config{}}
	finder := why.Finder{Enter: d.enter, Home: d.home}
	q, _, err := finder.Find(ctx, from, to)
	if err != nil {
		return err
	}
	fmt.Println()
	say("drawbridge why %s %s:\n", from, to)
	a := why.Judge(q)
	if err := show(a, answer.Table); err != nil {
		return err
	}
	if a.Answer != "yes" {
		return fmt.Errorf("drawbridge why does not say that %s reaches %s", from, to)
	}
	return nil
}

// picture draws what the demo leaves.
func (p *performance) picture(ctx context.Context) error {
	h, err := hubFlags{}.in(ctx, p.engine.Config(local.HubAccount, p.engine.Region()))
	if err != nil {
		return err
	}
	m, err := h.pictured()(ctx)
	if err != nil {
		return err
	}
	if err := drawInto(m, "html", p.out("map.html")); err != nil {
		return err
	}
	fmt.Printf("\nPicture: %s\n", p.out("map.html"))
	return nil
}

// stay keeps what the scenario left running until ctx ends, for questions of other commands.
func (p *performance) stay(ctx context.Context) error {
	say("\nIt stays at %s until Ctrl-C. Ask it in another terminal, such as: drawbridge status --local", p.engine.URL())
	if _, err := os.Stat(filepath.Join(p.root, "bin", "functions", "ready")); err != nil {
		say("Only the functions of this scenario are built. For what else you want to do there, run `make build` first.")
	}
	select {
	case <-ctx.Done():
		return nil
	case <-p.engine.Done():
		return errEngineEnded
	}
}

// tell writes what happens to the terminal.
func (p *performance) tell() func(story.Fact) {
	return story.NewLive(os.Stdout, terminal(os.Stdout), p.WaitScale).Tell
}

// watch lets what goes on come to its end, and shows what happens from then on.
func (p *performance) watch(ctx context.Context, tell func(story.Fact)) error {
	if _, err := p.engine.Settle(ctx, 0); err != nil {
		return err
	}
	p.engine.Story().Begin()
	p.engine.Story().Watch(tell)
	return nil
}

// play does what somebody does, and returns the end of the first execution of the machine since [performance.watch].
func (p *performance) play(ctx context.Context, do func(context.Context) error, machine string) (story.End, error) {
	p.asked = time.Now()
	if err := do(ctx); err != nil {
		return story.End{}, err
	}
	limit, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the execution has not ended after %v", patience))
	defer cancel()
	end, err := p.engine.Story().First(limit, func(e story.End) bool { return e.Machine == machine })
	if err != nil {
		return end, fmt.Errorf("waiting for the end: %w", err)
	}
	return end, nil
}

// ended says whether an execution came to the end that was wanted.
func ended(end story.End, want string) error {
	switch {
	case end.Status != "SUCCEEDED":
		return fmt.Errorf("the execution of %s failed in %s: %s", end.Machine, end.State, end.Error)
	case end.State != want:
		return fmt.Errorf("the execution of %s ended with %s", end.Machine, end.State)
	}
	return nil
}

// out is a path in the folder of the report.
func (p *performance) out(name string) string {
	if p.Out == "" {
		return filepath.Join(p.root, "out", "demo", name)
	}
	return filepath.Join(p.Out, name)
}

// conclude writes the report, prints the verdict and the numbers, and fails if the end is not the one that was wanted or a
// hop does not hold.
func (p *performance) conclude(end story.End, want string, verdict []story.Hop) error {
	path := p.out("report.json")
	r := p.engine.Story().Report(end, verdict, time.Since(p.asked))
	if err := r.Write(path); err != nil {
		return err
	}
	fmt.Println("\nRead back from the accounts, hop by hop:")
	hops(verdict)
	fmt.Println()
	say("%s after %d ms: %d AWS calls (%d without AssumeRole and polls), %d state transitions, %d invocations, %d cold starts. In all %.1f s.",
		r.Result, r.WallMS, len(r.Calls), story.Work(r.Calls), r.Transitions, r.Invocations, r.ColdStarts, time.Since(p.began).Seconds())
	say("Report: %s", path)
	if err := ended(end, want); err != nil {
		return err
	}
	if !scenario.Holds(verdict) {
		return errors.New("not every hop holds")
	}
	return nil
}

// prove runs the on-start script that Drawbridge left in the emulated account on a real network, where this machine
// can make one, and keeps it in the file.
func (p *performance) prove(ctx context.Context, world *scenario.World, file string) error {
	text, err := world.OnStart(ctx, world.Notebook.LifecycleConfig)
	if err != nil {
		return err
	}
	script := []byte(text)
	if err := os.WriteFile(p.out(file), script, 0o755); err != nil {
		return fmt.Errorf("writing the on-start script: %w", err)
	}
	there, back, from, err := world.Given(ctx)
	if err != nil {
		return err
	}
	plan := &netproof.Plan{There: there, Back: back}
	for _, f := range from {
		plan.Admits = append(plan.Admits, netproof.Admission{From: f, Port: int(world.Database.Port)})
	}
	fmt.Println()
	say("The last hop on a real network: this machine plays the notebook, the %s and the database in network namespaces, with the routes and rules of the plan, and runs the on-start script.\n", layouts[p.Scenario])
	result, err := p.stage.Prove(ctx, plan, script, os.Stdout)
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

// hops prints a verdict.
func hops(verdict []story.Hop) {
	for _, h := range verdict {
		head := fmt.Sprintf("  %s %-15s ", h.Mark(), h.Hop)
		for i, line := range story.Wrap(h.Detail, story.Width-hopColumn, 0) {
			if i > 0 {
				head = strings.Repeat(" ", hopColumn)
			}
			fmt.Println(head + line)
		}
	}
}

// paths prints the paths of a connection as the execution that set it up judged them; nothing for one that judged none.
func paths(output json.RawMessage) {
	var out struct{ Verdict []workflow.Path }
	if json.Unmarshal(output, &out) != nil {
		return
	}
	for _, p := range out.Verdict {
		if len(p.Hops) == 0 {
			continue
		}
		fmt.Printf("%s %s\n", p.Hop.Hop, p.Mark())
		var all []story.Hop
		for _, h := range p.Hops {
			all = append(all, story.Hop(h))
		}
		hops(all)
		fmt.Println()
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
