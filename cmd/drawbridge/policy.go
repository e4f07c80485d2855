package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
)

type policyCommand struct {
	Test  policyTestCommand  `cmd:"" help:"Say whether a policy can be read, and what it changes."`
	Apply policyApplyCommand `cmd:"" help:"Put a policy in force."`
}

type policyTestCommand struct {
	File    string `arg:"" help:"The Cedar text." type:"existingfile"`
	Offline bool   `help:"Read the file alone: no hub, nothing compared."`
	hubFlags
	reach
}

// Help is what kong shows below the options.
func (policyTestCommand) Help() string {
	return `Reads a policy as Drawbridge would, with line and column of what is wrong, and compares it with the one in force (ssm:GetParameter): which policies are new,
gone or changed, and which entries of the ledger (dynamodb:Scan) were decided by those. It changes nothing.

Exits with 0 if it can be read; with 2 if not; with 1 after an error.

Examples:

  drawbridge policy test policy.cedar --offline
  drawbridge policy test policy.cedar --profile hub -o json | jq .decided`
}

// Run implements the command.
func (c policyTestCommand) Run(ctx context.Context) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("reading the policy: %w", err)
	}
	var t deed.PolicyTest
	if c.Offline {
		t = deed.TestPolicy(c.File, string(text), nil, nil)
	} else {
		h, err := c.open(ctx, c.access)
		if err != nil {
			return err
		}
		t = h.test(ctx, c.File, string(text))
	}
	if err := c.print(t); err != nil {
		return err
	}
	return yes(t.Valid)
}

// test compares a policy with the one in force and the ledger, as far as they can be read.
func (h hub) test(ctx context.Context, file, text string) deed.PolicyTest {
	old, err := parameter.New(ssm.NewFromConfig(h.Config), deed.PolicyParameter).Policy(ctx)
	if err != nil {
		talk("%v: nothing is compared", err)
		old = (*policy.Set)(nil)
	}
	var entries []ledger.Connection
	if rows, err := h.rows(ctx); err != nil {
		talk("%v: what it decided is not known", err)
	} else {
		entries = rows.Entries()
	}
	return deed.TestPolicy(file, text, old, entries)
}

type policyApplyCommand struct {
	File string `arg:"" help:"The Cedar text." type:"existingfile"`
	hubFlags
	deedFlags
}

// Help is what kong shows below the options.
func (policyApplyCommand) Help() string {
	return `Tests a policy as policy test does and writes it into the hub's parameter /drawbridge/policy (ssm:PutParameter). A sweep follows by itself. One that cannot be
read is not written. It asks before it acts. Commit the same text: the next deployment that changes the policy writes what cdk.json names.

Exits with 0 if it was written, or says what is in force; with 2 if it cannot be read, or you said no; with 1 after an error.

Examples:

  drawbridge policy apply policy.cedar --profile hub
  drawbridge policy apply policy.cedar --profile hub --dry-run`
}

// Run implements the command.
func (c policyApplyCommand) Run(ctx context.Context) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("reading the policy: %w", err)
	}
	h, err := c.open(ctx, c.access)
	if err != nil {
		return err
	}
	return c.perform(ctx, deed.ApplyPolicy(h.place(), h.test(ctx, c.File, string(text)), string(text)), h.enter)
}
