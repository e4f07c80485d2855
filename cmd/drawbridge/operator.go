package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// place is where the hub is.
func (h hub) place() event.Place { return event.Place{Account: h.at.Account, Region: h.at.Region} }

// enter lets a deed of an operator's at the hub, and nowhere else.
func (h hub) enter(event.Place) (aws.Config, error) { return h.Config, nil }

type pauseCommand struct {
	hubFlags
	deedFlags
}

// Help is what kong shows below the options.
func (pauseCommand) Help() string {
	return `Has Drawbridge do nothing at all: nothing is looked at, added or taken away, and events are kept, one for each thing, until it is resumed. Writes the hub's
parameter /drawbridge/mode (ssm:PutParameter). It asks before it acts.

Exits with 0 if it was done, or is paused already; with 2 if you said no; with 1 after an error.

Examples:

  drawbridge pause --profile hub
  drawbridge pause --profile hub --yes`
}

// Run implements the command.
func (c pauseCommand) Run(ctx context.Context) error {
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	now, err := board.ReadMode(ctx, ssm.NewFromConfig(h.Config))
	if err != nil {
		return err
	}
	return c.perform(ctx, deed.Pause(h.place(), now.Mode), h.enter)
}

type resumeCommand struct {
	Mode *string `help:"How far to go: full, add or observe; by default as before the pause." enum:"full,add,observe" placeholder:"MODE"`
	hubFlags
	deedFlags
}

// Help is what kong shows below the options.
func (resumeCommand) Help() string {
	return `How far Drawbridge goes is full; add, which takes nothing away; observe, which changes nothing. What was held back is looked at again.
Without --mode it is what it was before the pause, as the parameter's history has it (ssm:GetParameterHistory). Writes the hub's parameter /drawbridge/mode
(ssm:PutParameter). It asks before it acts.

Exits with 0 if it was done, or is so already; with 2 if you said no; with 1 after an error.

Examples:

  drawbridge resume --profile hub
  drawbridge resume --mode observe --profile hub`
}

// Run implements the command.
func (c resumeCommand) Run(ctx context.Context) error {
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	api := ssm.NewFromConfig(h.Config)
	now, err := board.ReadMode(ctx, api)
	if err != nil {
		return err
	}
	want := aws.ToString(c.Mode)
	if want == "" && now.Mode != string(mode.Stopped) {
		want = now.Mode
	}
	if want == "" {
		if want, err = before(ctx, api); err != nil {
			return err
		}
	}
	return c.perform(ctx, deed.Resume(h.place(), now.Mode, want), h.enter)
}

// before is the mode before the pause.
func before(ctx context.Context, api *ssm.Client) (string, error) {
	was := ""
	pages := ssm.NewGetParameterHistoryPaginator(api, &ssm.GetParameterHistoryInput{Name: aws.String(deed.ModeParameter)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("reading what the mode was before: %w: name it with --mode", err)
		}
		for _, p := range page.Parameters { // the oldest first
			if s := mode.Read(aws.ToString(p.Value)); s.Mode != mode.Stopped {
				was = string(s.Mode)
			}
		}
	}
	if was == "" {
		return "", errors.New("the parameter's history has no mode but the pause: name one with --mode")
	}
	return was, nil
}

type sweepCommand struct {
	Accounts []accountID `arg:"" optional:"" help:"Only these accounts."`
	hubFlags
	deedFlags
}

// Help is what kong shows below the options.
func (sweepCommand) Help() string {
	return `Has everything looked at, of all accounts or of those that are named, as the clock does once a day. Starts an execution of drawbridge-sweep
(states:StartExecution). It asks before it acts.

Exits with 0 if it was started; with 2 if you said no; with 1 after an error.

Examples:

  drawbridge sweep --profile hub
  drawbridge sweep 111111111111 222222222222 --profile hub --yes`
}

// Run implements the command.
func (c sweepCommand) Run(ctx context.Context) error {
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	var accounts []string
	for _, a := range c.Accounts {
		accounts = append(accounts, string(a))
	}
	d, err := deed.Sweep(h.place(), accounts)
	if err != nil {
		return err
	}
	return c.perform(ctx, d, h.enter)
}

type redriveCommand struct {
	Execution string `arg:"" help:"The execution: its ARN, or MACHINE/NAME, such as peering/2f0c."`
	hubFlags
	deedFlags
}

// Help is what kong shows below the options.
func (redriveCommand) Help() string {
	return `Has an execution that failed go on at the state that failed, with what was read and decided before: right when the cause was in what the step itself reads,
and is mended (docs/runbook.md). Needs states:DescribeExecution and states:RedriveExecution. It asks before it acts.

Exits with 0 if it goes on; with 2 if it did not fail, or you said no; with 1 after an error.

Examples:

  drawbridge redrive peering/8a1f0f6e-8a3b-4f0e-9c6a --profile hub`
}

// Run implements the command.
func (c redriveCommand) Run(ctx context.Context) error {
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	id, ok := deed.Execution(h.place(), c.Execution)
	if !ok {
		return &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("reading the execution: %q is none of Drawbridge's", c.Execution), Remedy: "name it by its ARN or as MACHINE/NAME"}
	}
	got, err := sfn.NewFromConfig(h.Config).DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &id})
	if fault.HasCode(err, "ExecutionDoesNotExist") {
		return &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("reading the execution: there is no %s", id), Remedy: "drawbridge history ID names the executions that were about a connection; Step Functions keeps each for 90 days"}
	}
	if err != nil {
		return fmt.Errorf("reading the execution %s: %w", id, err)
	}
	return c.perform(ctx, deed.RedriveOf(h.place(), id, string(got.Status), aws.ToString(got.Error)), h.enter)
}

type releaseBrakeCommand struct {
	LetThrough bool `help:"Take away what waits." xor:"word"`
	Dismiss    bool `help:"Leave what waits; the cause is mended." xor:"word"`
	hubFlags
	deedFlags
}

// Help is what kong shows below the options.
func (releaseBrakeCommand) Help() string {
	return `The brake stops what is to be taken away when that is more within a day than the limit says. The command shows all that waits, with its cause, and starts an
execution of drawbridge-sweep (states:StartExecution). It asks before it acts.

Exits with 0 if it was started; with 2 if nothing waits, or you said no; with 1 after an error.

Examples:

  drawbridge release-brake --dismiss --dry-run --profile hub
  drawbridge release-brake --let-through --profile hub`
}

// Validate is asked by kong: one of the two words is needed.
func (c releaseBrakeCommand) Validate() error {
	if !c.LetThrough && !c.Dismiss {
		return errors.New("say --let-through or --dismiss")
	}
	return nil
}

// Run implements the command.
func (c releaseBrakeCommand) Run(ctx context.Context) error {
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	rows, err := h.rows(ctx)
	if err != nil {
		return err
	}
	return c.perform(ctx, deed.ReleaseBrake(h.place(), rows.Waiting(), c.LetThrough), h.enter)
}
