package main

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/export"
)

type exportCommand struct {
	Tool string   `arg:"" help:"${enum}." enum:"terraform,cloudformation"`
	IDs  []string `arg:"" name:"id" help:"The entries of the ledger: pcx-…, tgw-attach-…, an ARN, or what status calls them."`
	Only []string `help:"Account whose things are wanted alone; may be given several times." placeholder:"ACCOUNT"`
	Dir  string   `help:"Write the files into this folder, none over one that is there." type:"existingdir" placeholder:"DIR"`
	accountFlags
	hubFlags
	reach
}

// Help is what kong shows below the options.
func (exportCommand) Help() string {
	return `The code comes with what imports it, so that taking it over changes nothing: the plan of Terraform is empty after it. For Terraform that is one file, with a provider for each account and Region; for CloudFormation a template and a list of what is imported for
each. Its head says in which order to take it over, and when Drawbridge lets go. What code cannot own, such as lines within a script, it names, with what
to do. It reads the hub's ledger (dynamodb:Scan) with your own credentials, the accounts with a profile or role of each, and changes nothing.

Exits with 0; with 2 if something that code can own could not be read or is not there; with 1 after an error.

Examples:

  drawbridge export terraform pcx-0a1b2c3d4e5f60718 --role ReadOnly > own.tf
  drawbridge export cloudformation pcx-0a1b2c3d4e5f60718 --only 222222222222 \
    --dir . --profile hub --account 222222222222=data
  drawbridge export terraform pcx-0a1b2c3d4e5f60718 --local`
}

// Run implements the command.
func (c exportCommand) Run(ctx context.Context) error {
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	d, err := c.door(ctx, c.accountFlags)
	if err != nil {
		return err
	}
	rows, err := h.rows(ctx)
	if err != nil {
		return err
	}
	q := export.Question{Tool: c.Tool, IDs: c.IDs, Only: c.Only}
	items, err := export.Items(rows, q)
	if err != nil {
		return err
	}
	facts, err := export.Reader{Enter: d.enter}.Read(ctx, items)
	if err != nil {
		return err
	}
	out, err := export.Of(rows, q, items, facts, time.Now())
	if err != nil {
		return err
	}
	out.Hub = h.at
	return c.show(out)
}

// show prints the code, or writes its files, and says what it lacks.
func (c exportCommand) show(out export.Export) error {
	if c.Dir == "" {
		if err := c.print(out); err != nil {
			return err
		}
	} else {
		paths, err := out.Save(c.Dir)
		if err != nil {
			return err
		}
		talk("wrote %s; the head of each says what to do", strings.Join(paths, ", "))
	}
	for _, l := range out.Left {
		if l.Lacks {
			talk("not in the code: %s %s %s of %s: %s: %s", l.Kind, l.Resource, l.Key, l.Account, l.Why, l.Do)
		}
	}
	return yes(out.Whole())
}
