package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/drawbridge-cloud/drawbridge/pkg/doctor"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

type doctorCommand struct {
	Before            bool   `help:"Only what can be so before the deployment."`
	ManagementProfile string `help:"Profile of the management account; by default what it has is asked with the hub's rights." placeholder:"NAME"`
	accountFlags
	hubFlags
	reach
}

// Help is what kong shows below the options.
func (doctorCommand) Help() string {
	return `Run it before the deployment and after. It looks at trust in the organization, a trail that logs, the hub's bus, rules and machines,
members that are deployed, quotas with room; each with the command that mends it. docs/deploy.md has the list. It reads with your own credentials of
the hub's account, of the management account if you name a profile, and of each member that you name; it changes nothing. What may not be read is a ?.

Exits with 0 if all is well; with 2 if something is not, or could not be read; with 1 after an error.

Examples:

  drawbridge doctor --before --profile hub --management-profile root
  drawbridge doctor --profile hub --account 111111111111=science
  drawbridge doctor --profile hub -o json | jq '.findings[] | .mends'`
}

// Run implements the command.
func (c doctorCommand) Run(ctx context.Context) error {
	d, err := c.door(ctx, c.accountFlags)
	if err != nil {
		return err
	}
	p := doctor.Patient{Hub: d.own, At: d.home, Table: c.Table, Members: map[event.Place]aws.Config{}, Before: c.Before}
	if h, err := c.in(ctx, d.own); err == nil {
		p.Table = h.at.Table
	} else if p.Table == "" {
		p.Table = "drawbridge-ledger" // the stack is not there, which is a finding
	}
	if c.ManagementProfile != "" {
		root, err := c.profile(ctx, c.ManagementProfile)
		if err != nil {
			return err
		}
		account, err := whose(ctx, root)
		if err != nil {
			return err
		}
		p.Management, p.ManagementAt = &root, event.Place{Account: account, Region: root.Region}
	}
	for account := range c.Account {
		at := event.Place{Account: string(account), Region: d.home.Region}
		if p.Members[at], err = d.enter(at); err != nil {
			return err
		}
	}
	r := doctor.Look(ctx, p, time.Now())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := c.print(r); err != nil {
		return err
	}
	return yes(r.Answer == doctor.Yes)
}
