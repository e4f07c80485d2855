package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/doctor"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

type statusCommand struct {
	ID    string       `arg:"" optional:"" help:"Only this entry of the ledger, with all that was added for it."`
	Watch bool         `help:"Look again every few seconds, until you press Ctrl-C." short:"w"`
	Serve serveAddress `help:"Show the picture of it, live, at a loopback address (a free port), until you press Ctrl-C." placeholder:"[HOST:PORT]"`
	hubFlags
	reach
}

// Help is what kong shows below the options.
func (statusCommand) Help() string {
	return `Reads the hub's ledger with your own credentials, in the hub's account: needs dynamodb:Scan of the ledger's table; better also
cloudformation:DescribeStacks, ssm:GetParameter, states:ListExecutions, states:DescribeExecution, and for the health of accounts what drawbridge doctor
reads of the trail, the bus and the StackSet. It changes nothing.

Exits with 0; with an ID with 2 if there is no such entry, or if it does not stand, is contested or waits for somebody; with 1 after an error.

Examples:

  drawbridge status --profile hub
  drawbridge status pcx-0a1b2c3d4e5f60718 -o yaml
  drawbridge status -o json | jq '.entries[] | select(.state == "Refused")'
  drawbridge status --profile hub --serve
  drawbridge status --local --watch`
}

// A board that is watched stays for a pause; so many boards show the same health.
const (
	pause       = 5 * time.Second
	healthEvery = 12
)

// Run implements the command.
func (c statusCommand) Run(ctx context.Context) error {
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	if c.Serve != "" {
		return h.serve(ctx, string(c.Serve), lookEvery)
	}
	health := []board.Check{} // of an engine on this machine there is none: it has no trail and no StackSet
	for n := 0; ; n++ {
		if c.ID == "" && c.Local == "" && n%healthEvery == 0 {
			health = doctor.Health(ctx, doctor.Patient{Hub: h.Config, At: event.Place{Account: h.at.Account, Region: h.at.Region}, Table: h.at.Table})
		}
		holds, err := c.once(ctx, h, health)
		if err != nil || !c.Watch {
			if err == nil {
				err = yes(holds)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// once reads and prints, and says whether all is well with what was asked about.
func (c statusCommand) once(ctx context.Context, h hub, health []board.Check) (bool, error) {
	rows, err := h.rows(ctx)
	if err != nil {
		return false, err
	}
	at := h.at
	if c.Watch && terminal(os.Stdout) {
		fmt.Print("\x1b[H\x1b[2J") // to the top of an empty screen
	}
	if c.ID != "" {
		e, ok := board.EntryOf(rows, c.ID, time.Now())
		if !ok {
			talk("%s is not managed: table %s in account %s, %s has no entry of it. What is there and was not given to Drawbridge is left alone", c.ID, at.Table, at.Account, at.Region)
			return false, nil
		}
		e.Hub = at
		return e.Line.Fine(), c.print(e)
	}
	b := board.Of(rows, time.Now())
	b.Hub, b.Health = at, health
	if b.Mode, err = board.ReadMode(ctx, ssm.NewFromConfig(h.Config)); err != nil {
		talk("%v", err)
	}
	if b.Sweep, err = board.ReadSweep(ctx, sfn.NewFromConfig(h.Config), at); err != nil {
		talk("%v", err)
	}
	return true, c.print(b)
}
