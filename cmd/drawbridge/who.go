package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
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
	return `Says who can reach a database, over every road: peerings and gateways with the rules that let clients in, the Data API, Studio, and rules that its
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
	places := []event.Place{d.home}
	for account := range c.Account {
		places = append(places, event.Place{Account: account, Region: d.home.Region})
	}
	slices.SortFunc(places[1:], func(a, b event.Place) int { return strings.Compare(a.Account, b.Account) })
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
