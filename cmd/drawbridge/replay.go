package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter/replay"
)

type replayCommand struct {
	Queue     string `help:"Name of the dead-letter queue." default:"drawbridge-dead-letters"`
	All       bool   `help:"Play every event again." xor:"which"`
	MessageID string `help:"Play this one again." name:"message-id" xor:"which" placeholder:"ID"`
	Machine   string `help:"Machine for malformed events, which name none." placeholder:"NAME"`
	Region    string `help:"Region of the hub; by default that of your AWS configuration."`
}

// Help is what kong shows below the options.
func (replayCommand) Help() string {
	return "Works with your own AWS credentials, in the hub account. Without --all and --message-id it lists what waits and " +
		"changes nothing. An event that was handed over is deleted from the queue; any other stays."
}

// Run implements the command.
func (c replayCommand) Run(ctx context.Context) error {
	aws, err := config.LoadDefaultConfig(ctx, config.WithRegion(c.Region))
	if err != nil {
		return fmt.Errorf("loading your AWS configuration: %w", err)
	}
	desk := replay.Desk{SQS: sqs.NewFromConfig(aws), StepFunctions: sfn.NewFromConfig(aws), Lambda: lambda.NewFromConfig(aws), Queue: c.Queue}
	found, played := 0, 0
	err = desk.Read(ctx, func(l replay.Letter) (bool, error) {
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
