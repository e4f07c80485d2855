package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/history"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

type historyCommand struct {
	ID         string `arg:"" help:"The entry of the ledger: pcx-…, tgw-attach-…, an ARN, or what status calls it."`
	Executions int    `help:"How many of the machine's newest executions to look through; 0: none." default:"100" placeholder:"N"`
	hubFlags
	reach
}

// Help is what kong shows below the options.
func (historyCommand) Help() string {
	return `Who asked and approved, what Drawbridge added, who took something away, and how its executions ended, the oldest first. It reads the hub's ledger and Step Functions with your own credentials, in the hub's account, and changes nothing: needs dynamodb:Scan of the
ledger's table, better also states:ListExecutions and states:DescribeExecution. What nobody wrote down it says at the end.

Exits with 0; with 2 if nothing is written of it; with 1 after an error.

Examples:

  drawbridge history pcx-0a1b2c3d4e5f60718 --profile hub
  drawbridge history pcx-0a1b2c3d4e5f60718 --executions 1000
  drawbridge history pcx-0a1b2c3d4e5f60718 -o json |
    jq '.events[] | select(.hand == "foreign")'
  drawbridge history pcx-0a1b2c3d4e5f60718 --local`
}

// Run implements the command.
func (c historyCommand) Run(ctx context.Context) error {
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	rows, err := h.rows(ctx)
	if err != nil {
		return err
	}
	if err := rows.AtWork(ctx, sfn.NewFromConfig(h.Config), h.at, c.ID); err != nil {
		talk("%v", err)
	}
	var ran []history.Execution
	var looked history.Looked
	if entry, ok := rows.Entry(c.ID); c.Executions > 0 {
		kind := entry.Kind
		if !ok {
			kind = road.Of(c.ID)
		}
		if kind != "" {
			ran, looked = history.Read(ctx, sfn.NewFromConfig(h.Config), h.at, kind, c.ID, c.Executions)
		}
	}
	out := history.Of(rows, c.ID, ran, looked, time.Now())
	out.Hub = h.at
	if err := c.print(out); err != nil {
		return err
	}
	return yes(len(out.Events) > 0)
}
