// Package deadletter keeps events that cannot be handled.
//
// EventBridge itself puts an event into the dead-letter queue when it cannot start a machine. An event that starts one
// and turns out to be malformed would only be found in the history of a failed execution; so the step that reads it
// puts it there too, in the same form, and the queue's alarm tells people.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
package deadletter

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type sender interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// Queue is where events are kept.
type Queue struct {
	API sender
	URL string
}

// Open returns the hub's queue, which the environment names as DEAD_LETTER_QUEUE.
func Open(hub aws.Config) Queue {
	return Queue{API: sqs.NewFromConfig(hub), URL: os.Getenv("DEAD_LETTER_QUEUE")}
}

// Keep returns step, but when it fails with [fault.Invalid] the raw event of its input is sent to the queue before
// the error is returned. If that fails too, the error is that failure, so that the step is tried again.
func Keep[I, O any](queue Queue, event func(I) (execution string, raw json.RawMessage), step workflow.Step[I, O]) workflow.Step[I, O] {
	return func(ctx context.Context, in I) (O, error) {
		out, err := step(ctx, in)
		if fault.Of(err) != fault.Invalid {
			return out, err
		}
		execution, raw := event(in)
		attribute := func(value string) types.MessageAttributeValue {
			return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
		}
		_, failed := queue.API.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue.URL, MessageBody: aws.String(string(raw)),
			MessageAttributes: map[string]types.MessageAttributeValue{
				"ERROR_CODE":    attribute(string(fault.Invalid)),
				"ERROR_MESSAGE": attribute(err.Error()),
				"EXECUTION":     attribute(execution),
			}})
		if failed != nil {
			return out, fmt.Errorf("keeping the event of %s in the dead-letter queue: %w", execution, failed)
		}
		return out, err
	}
}
