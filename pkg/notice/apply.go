package notice

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// EventBridge is what [Bus] needs of it.
type EventBridge interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Bus is the hub's event bus.
type Bus struct {
	API  EventBridge
	Name string
	Mode Mode // shown in every event, if it is set
}

// Mode says how far Drawbridge goes at the moment.
type Mode func(context.Context) (mode.Setting, error)

// shown returns the mode in a word. What people are told does not wait for it.
func (m Mode) shown(ctx context.Context) string {
	if m == nil {
		return ""
	}
	now, err := m(ctx)
	if err != nil {
		return "unknown"
	}
	return string(now.Mode)
}

// in returns the event with the mode in it.
func in(e Event, mode string) Event {
	shown := reflect.New(reflect.TypeOf(e)).Elem()
	shown.Set(reflect.ValueOf(e))
	shown.FieldByName("Mode").SetString(mode)
	return shown.Interface().(Event)
}

// Put puts an event on the bus. An entry that EventBridge does not take is a [fault.Transient]: PutEvents succeeds as a
// whole even then, so the SDK does not try again.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func (b Bus) Put(ctx context.Context, e Event) error {
	detail, err := detail(in(e, b.Mode.shown(ctx)), maxEntry)
	if err != nil {
		return err
	}
	what := string(e.kind())
	if of, ok := e.(interface{ about() string }); ok {
		what += " of " + of.about()
	}
	slog.InfoContext(ctx, "announcing", "event", what, "bus", b.Name)
	out, err := b.API.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		EventBusName: &b.Name, Source: aws.String(Source), DetailType: aws.String(string(e.kind())), Detail: aws.String(string(detail)),
	}}})
	if err != nil {
		return fmt.Errorf("announcing %s on the bus %s: %w", what, b.Name, err)
	}
	if out.FailedEntryCount > 0 && len(out.Entries) > 0 {
		return fault.New(fault.Transient, "announcing %s on the bus %s: %s: %s", what, b.Name, aws.ToString(out.Entries[0].ErrorCode), aws.ToString(out.Entries[0].ErrorMessage))
	}
	return nil
}

// SNS is what [Topic] needs of it.
type SNS interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Topic is where people subscribe.
type Topic struct {
	API  SNS
	ARN  string
	Mode Mode // said at the end of every message, if it is set
}

// Notification is one message to people.
type Notification struct {
	Kind    Kind
	Account string // whose it is; subscribers filter by it
	Subject string
	Body    string
}

// Publish sends a notification. Its attributes "kind" and "account" let a subscription choose.
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
func (t Topic) Publish(ctx context.Context, n Notification) error {
	attributes := map[string]snstypes.MessageAttributeValue{}
	for name, value := range map[string]string{"kind": string(n.Kind), "account": n.Account} {
		if value != "" {
			attributes[name] = snstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
		}
	}
	if shown := t.Mode.shown(ctx); shown != "" {
		n.Body = fit.Bytes(n.Body, maxMessage-100) + "\nDrawbridge's mode: " + shown + "\n"
	}
	if _, err := t.API.Publish(ctx, &sns.PublishInput{
		TopicArn: &t.ARN, Subject: aws.String(fit.Subject(n.Subject)), Message: aws.String(fit.Bytes(n.Body, maxMessage)), MessageAttributes: attributes,
	}); err != nil {
		return fmt.Errorf("notifying %s: %w", t.ARN, err)
	}
	return nil
}
