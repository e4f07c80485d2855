package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"golang.org/x/term"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/doctor"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

type statusCommand struct {
	ID    string       `arg:"" optional:"" help:"Only this entry of the ledger, with all that was added for it."`
	Watch bool         `help:"Look again every few seconds, until you press Ctrl-C; a terminal is then as it was before." short:"w"`
	Serve serveAddress `help:"Show the picture of it, live, at a loopback address (a free port), until you press Ctrl-C." placeholder:"[HOST:PORT]"`
	hubFlags
	reach
}

// Help is what kong shows below the options.
func (statusCommand) Help() string {
	return `Reads the hub's ledger with your own credentials, in the hub's account: needs dynamodb:Scan of the ledger's table; better also
cloudformation:DescribeStacks, ssm:GetParameter, states:ListExecutions, states:DescribeExecution, and for the health of accounts what drawbridge doctor
reads of the trail, the bus and the StackSet. It changes nothing.

Not on a terminal, --watch prints what has changed after what was there before, a document each.

Exits with 0, after Ctrl-C as well; with an ID with 2 if there is no such entry, or if it does not stand, does not work, or not wholly, or waits for somebody; with 1 after an error.

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
	if c.Watch {
		return c.watched(ctx, h)
	}
	d, holds, err := c.once(ctx, h, c.health(ctx, h))
	var none absent
	if errors.As(err, &none) {
		talk("%s", none)
		return errNo
	}
	if err != nil {
		return err
	}
	if err := c.print(d); err != nil {
		return err
	}
	return yes(holds)
}

// watched shows what once reads until somebody presses Ctrl-C.
func (c statusCommand) watched(ctx context.Context, h hub) error {
	var health []board.Check
	height := func() int {
		_, lines, _ := term.GetSize(int(os.Stdout.Fd()))
		return lines
	}
	w := watch{out: os.Stdout, terminal: term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb", height: height, pause: pause}
	return w.run(ctx, func(ctx context.Context, n int) (look, error) {
		if n%healthEvery == 0 {
			health = c.health(ctx, h)
		}
		d, _, err := c.once(ctx, h, health)
		working.done()
		var none absent
		if errors.As(err, &none) {
			return look{string(none) + "\n", "none"}, nil
		}
		if err != nil {
			return look{}, err
		}
		text, err := printed(d, c.Output)
		if err != nil {
			return look{}, err
		}
		switch one := d.(type) { // when it was read makes it no other
		case board.Board:
			one.At = time.Time{}
			d = one
		case board.Entry:
			one.At = time.Time{}
			d = one
		}
		says, err := json.Marshal(d)
		return look{text, string(says)}, err
	})
}

// health is that of the organization's accounts, which a board shows: none of an engine on this machine, which has no trail and no StackSet.
func (c statusCommand) health(ctx context.Context, h hub) []board.Check {
	if c.ID != "" || c.Local != "" {
		return []board.Check{}
	}
	return doctor.Health(ctx, doctor.Patient{Hub: h.Config, At: event.Place{Account: h.at.Account, Region: h.at.Region}, Table: h.at.Table})
}

// absent says that the ledger has no entry of what was asked about, and what there is.
type absent string

// Error implements [error].
func (a absent) Error() string { return string(a) }

// none says that there is no entry. What is a side of entries, such as a VPC, is none itself.
func (c statusCommand) none(h hub, rows board.Rows) absent {
	ledger := fmt.Sprintf("table %s in account %s, %s", h.at.Table, h.at.Account, h.at.Region)
	_, id := scoped(c.ID, event.Place{})
	if with := rows.With(id); len(with) > 0 {
		return absent(fmt.Sprintf("%s has no entry of its own in %s: it is a side of %s; name that", c.ID, ledger, strings.Join(with, ", ")))
	}
	return absent(fmt.Sprintf("%s is not managed: %s has no entry of it. What is there and was not given to Drawbridge is left alone. drawbridge status lists what is managed", c.ID, ledger))
}

// once reads what was asked about, and says whether all is well with it; an [absent] if there is no such entry.
func (c statusCommand) once(ctx context.Context, h hub, health []board.Check) (answer.Document, bool, error) {
	rows, err := h.rows(ctx)
	if err != nil {
		return nil, false, err
	}
	if err := rows.AtWork(ctx, sfn.NewFromConfig(h.Config), h.at, c.ID); err != nil && !c.Watch {
		talk("%v", err)
	}
	if c.ID != "" {
		e, ok := board.EntryOf(rows, c.ID, time.Now())
		if !ok {
			return nil, false, c.none(h, rows)
		}
		e.Hub = h.at
		return e, e.Line.Fine(), nil
	}
	b := board.Of(rows, time.Now())
	b.Hub, b.Health = h.at, health
	if b.Mode, err = board.ReadMode(ctx, ssm.NewFromConfig(h.Config)); err != nil && !c.Watch { // who watches sees that it is not known
		talk("%v", err)
	}
	if b.Sweep, err = board.ReadSweep(ctx, sfn.NewFromConfig(h.Config), h.at); err != nil && !c.Watch {
		talk("%v", err)
	}
	return b, true, nil
}
