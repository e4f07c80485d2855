package deadletter_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

type queue struct {
	sent []sqs.SendMessageInput
	err  error
}

func (q *queue) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	q.sent = append(q.sent, *in)
	return &sqs.SendMessageOutput{}, q.err
}

type in struct{ Event json.RawMessage }

func TestKeep(t *testing.T) {
	for name, c := range map[string]struct {
		err  error // of the step
		sent int
	}{
		"an event that is handled":             {nil, 0},
		"a malformed event":                    {fault.New(fault.Invalid, "no id"), 1},
		"an event whose step is to be retried": {fault.New(fault.Transient, "throttled"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			q := &queue{}
			step := deadletter.Keep(deadletter.Queue{API: q, URL: "url"}, func(i in) (string, json.RawMessage) { return "x", i.Event },
				func(context.Context, in) (string, error) { return "", c.err })
			_, err := step(context.Background(), in{json.RawMessage(`{"a":1}`)})
			if err != c.err || len(q.sent) != c.sent {
				t.Fatalf("error %v, %d sent", err, len(q.sent))
			}
			if c.sent == 1 && (*q.sent[0].MessageBody != `{"a":1}` || *q.sent[0].MessageAttributes["ERROR_MESSAGE"].StringValue != "no id") {
				t.Errorf("sent %+v", q.sent[0])
			}
		})
	}
}

func TestAnEventThatCouldNotBeKeptIsTriedAgain(t *testing.T) {
	q := &queue{err: &smithy.GenericAPIError{Code: "RequestThrottled"}}
	step := deadletter.Keep(deadletter.Queue{API: q, URL: "url"}, func(i in) (string, json.RawMessage) { return "x", i.Event },
		func(context.Context, in) (string, error) { return "", fault.New(fault.Invalid, "no id") })
	if _, err := step(context.Background(), in{}); fault.Of(err) != fault.Transient {
		t.Errorf("error = %v, want Transient", err)
	}
}
