package main

import (
	"context"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/who"
)

type whoCommand struct {
	Database string `arg:"" help:"The database: NAME, ACCOUNT/NAME, its endpoint or its ARN."`
	accountFlags
	hubFlags
	reach
}

// Help is what kong shows below the options.
func (whoCommand) Help() string {
	return `Every road is told: peerings and gateways with the rules that let clients in, the Data API, Studio, and rules that its
owner made themselves; by whose decision and since when; and the calls that end each. It reads the hub's ledger (dynamodb:Scan) with your own
credentials, the database's account with a profile or role of that account, and changes nothing. Who has a password is not asked.

Exits with 0; with 2 if something could not be read, so that roads may lack; with 1 after an error.

Examples:

  drawbridge who 222222222222/sales --profile hub --account 222222222222=data
  drawbridge who "$DATABASE_ARN" --role ReadOnly
  drawbridge who 222222222222/sales -o json | jq '.roads[].account'
  drawbridge who 222222222222/sales --local`
}

// Run implements the command.
func (c whoCommand) Run(ctx context.Context) error {
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	d, err := c.door(ctx, c.accountFlags)
	if err != nil {
		return err
	}
	places, err := d.places()
	if err != nil {
		return err
	}
	facts, err := who.Finder{Enter: d.enter, Places: places}.Find(ctx, c.Database)
	if err != nil {
		return err
	}
	rows, err := h.rows(ctx)
	if err != nil {
		return err
	}
	out := who.Of(rows, facts, time.Now())
	out.Hub = h.at
	if err := c.print(out); err != nil {
		return err
	}
	return yes(len(out.Unread) == 0)
}
