package stories

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// mailbox is where the owners of some accounts read what Drawbridge tells them: a queue that is subscribed to its topic, with a filter on the account.
type mailbox struct {
	api   *sqs.Client
	queue *string
}

// letter is one notification: for which account, of what kind, about what.
type letter struct{ account, kind, subject string }

// subscribe gives accounts a mailbox, until the test is over.
func subscribe(ctx context.Context, t *testing.T, name string, accounts ...string) mailbox {
	t.Helper()
	config := engine.Config(local.HubAccount, engine.Region())
	box := mailbox{api: sqs.NewFromConfig(config)}
	made, err := box.api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	succeeds(t, err)
	box.queue = made.QueueUrl
	filter, err := json.Marshal(map[string][]string{"account": accounts})
	succeeds(t, err)
	topics := sns.NewFromConfig(config)
	partition := arn.Partition(engine.Region())
	subscribed, err := topics.Subscribe(ctx, &sns.SubscribeInput{Protocol: aws.String("sqs"), TopicArn: aws.String(arn.New(partition, "sns", engine.Region(), local.HubAccount, "drawbridge-notifications")),
		Endpoint: aws.String(arn.New(partition, "sqs", engine.Region(), local.HubAccount, name)), Attributes: map[string]string{"FilterPolicy": string(filter)}})
	succeeds(t, err)
	t.Cleanup(func() {
		_, err := topics.Unsubscribe(context.Background(), &sns.UnsubscribeInput{SubscriptionArn: subscribed.SubscriptionArn})
		succeeds(t, err)
		_, err = box.api.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: box.queue})
		succeeds(t, err)
	})
	return box
}

// read returns what came since it was read last, sorted; nothing without a queue.
func (m mailbox) read(ctx context.Context, t *testing.T) []letter {
	t.Helper()
	var out []letter
	for m.queue != nil {
		got, err := m.api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: m.queue, MaxNumberOfMessages: 10})
		succeeds(t, err)
		if len(got.Messages) == 0 {
			break
		}
		for _, message := range got.Messages {
			var said struct {
				Subject           string
				MessageAttributes map[string]struct{ Value string }
			}
			succeeds(t, json.Unmarshal([]byte(aws.ToString(message.Body)), &said))
			out = append(out, letter{said.MessageAttributes["account"].Value, said.MessageAttributes["kind"].Value, said.Subject})
			_, err := m.api.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: m.queue, ReceiptHandle: message.ReceiptHandle})
			succeeds(t, err)
		}
	}
	slices.SortFunc(out, func(a, b letter) int {
		return slices.Compare([]string{a.account, a.kind, a.subject}, []string{b.account, b.kind, b.subject})
	})
	return out
}
