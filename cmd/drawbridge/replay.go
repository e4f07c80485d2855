package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter/replay"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

type replayCommand struct {
	Queue     string `help:"Name of the dead-letter queue." default:"drawbridge-dead-letters"`
	All       bool   `help:"Play every event again." xor:"which"`
	MessageID string `help:"Play this one again." name:"message-id" xor:"which" placeholder:"ID"`
	Machine   string `help:"Machine for malformed events, which name none." placeholder:"NAME"`
	Yes       bool   `help:"Do it without asking." short:"y"`
	access
}

// Help is what kong shows below the options.
func (replayCommand) Help() string {
	return `Lists the events that could not be handed to a machine, and changes nothing. With --all or --message-id it hands them over, and asks before it does: each
starts the machine that did not get it (states:StartExecution), and is deleted from the queue then (sqs:DeleteMessage); any other stays. It works with your own credentials,
in the hub's account.

Exits with 0 if it was done, or listed; with 2 if you said no; with 1 after an error.

Examples:

  drawbridge replay --profile hub
  drawbridge replay --all --profile hub
  drawbridge replay --message-id 3c7a5d1e-6f2b-4a0d-9c1e-2b8f4d6a7e90 --yes`
}

// Run implements the command.
func (c replayCommand) Run(ctx context.Context) error {
	aws, err := c.base(ctx, local.HubAccount)
	if err != nil {
		return err
	}
	if which := c.MessageID; (c.All || which != "") && !c.Yes {
		if err := agreed(ctx, func() error {
			talk("what waits in %s is played again: %s", c.Queue, or(which, "every event"))
			return nil
		}); err != nil {
			return err
		}
	}
	desk := replay.Desk{SQS: sqs.NewFromConfig(aws), StepFunctions: sfn.NewFromConfig(aws), Lambda: lambda.NewFromConfig(aws), Queue: c.Queue}
	found, played := 0, 0
	err = desk.Read(ctx, func(l replay.Letter) (bool, error) {
		working.done()
		found++
		fmt.Printf("%s  %s  for %s\n  %s: %s\n", l.ID, or(l.Name, "unreadable"), or(l.Target[strings.LastIndexByte(l.Target, ':')+1:], "no machine"), l.Code, l.Reason)
		if !c.All && c.MessageID != l.ID {
			return false, nil
		}
		if err := desk.Play(ctx, l, c.Machine); err != nil {
			return false, err
		}
		played++
		fmt.Println("  played again")
		return true, nil
	})
	working.done()
	switch {
	case found == 0 && err == nil:
		fmt.Println("No dead letters wait.")
	case c.MessageID != "" && played == 0 && err == nil:
		err = fmt.Errorf("no letter %s is in %s", c.MessageID, c.Queue)
	default:
		fmt.Printf("%d of %d played again.\n", played, found)
	}
	return err
}

// or returns text, or other where there is none.
func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
