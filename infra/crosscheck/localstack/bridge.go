package localstack

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// bridge copies events of the engine to LocalStack, one after the other: from each default bus to that of the same account
// and Region, and what functions put on the hub's bus to the hub's bus. What the engine's members forward to the hub is left:
// LocalStack's members forward it too.
type bridge struct {
	mu      sync.Mutex
	waiting []crossing
	busy    bool
	copied  int
	failed  error
	lost    map[string]bool                       // accounts whose events are lost
	put     func(context.Context, crossing) error // nil until it is opened
	changed chan struct{}
}

// crossing is an event on its way.
type crossing struct {
	account, region, bus string
	event                envelope
}

// envelope is as much of an event as PutEvents takes.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
type envelope struct {
	Source     string
	DetailType string `json:"detail-type"`
	Time       time.Time
	Resources  []string
	Detail     json.RawMessage
}

// take takes an event from the engine. What comes before the bridge is opened is lost.
func (b *bridge) take(account, region, bus string, raw json.RawMessage) {
	c := crossing{account: account, region: region, bus: bus}
	err := json.Unmarshal(raw, &c.event)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.put == nil || b.lost[account]:
	case err != nil:
		b.fail(fmt.Errorf("reading an event on the bus %s of %s: %w", bus, account, err))
	case bus == "default" || c.event.Source == event.Source:
		b.waiting = append(b.waiting, c)
		select {
		case b.changed <- struct{}{}:
		default:
		}
	}
}

// start opens the bridge until the context ends; put puts an event where it belongs.
func (b *bridge) start(ctx context.Context, put func(context.Context, crossing) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.put, b.changed = put, make(chan struct{}, 1)
	go b.carry(ctx)
}

// carry copies what waits.
func (b *bridge) carry(ctx context.Context) {
	for {
		b.mu.Lock()
		b.busy = len(b.waiting) > 0
		var next crossing
		if b.busy {
			next, b.waiting = b.waiting[0], b.waiting[1:]
		}
		b.mu.Unlock()
		if !b.busy {
			select {
			case <-b.changed:
				continue
			case <-ctx.Done():
				return
			}
		}
		err := b.put(ctx, next)
		b.mu.Lock()
		b.copied++
		if err != nil && ctx.Err() == nil {
			b.fail(err)
		}
		b.mu.Unlock()
	}
}

// fail keeps the first failure.
func (b *bridge) fail(err error) {
	if b.failed == nil {
		b.failed = err
	}
}

// lose makes the events of an account never arrive, as it happens to events, or lets them arrive again.
func (b *bridge) lose(account string, lost bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lost == nil {
		b.lost = map[string]bool{}
	}
	b.lost[account] = lost
}

// state says how many events were copied, whether one is under way, and what first went wrong.
func (b *bridge) state() (copied int, underway bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.copied, b.busy || len(b.waiting) > 0, b.failed
}

// put puts a copy of an event on the bus of LocalStack that it is for.
func (s *server) put(ctx context.Context, c crossing) error {
	out, err := eventbridge.NewFromConfig(s.config(c.account, c.region)).PutEvents(ctx, &eventbridge.PutEventsInput{
		Entries: []types.PutEventsRequestEntry{{
			EventBusName: &c.bus, Source: &c.event.Source, DetailType: &c.event.DetailType, Time: &c.event.Time,
			Resources: c.event.Resources, Detail: aws.String(string(c.event.Detail)),
		}}})
	if err == nil && out.FailedEntryCount > 0 {
		err = fmt.Errorf("%s: %s", aws.ToString(out.Entries[0].ErrorCode), aws.ToString(out.Entries[0].ErrorMessage))
	}
	if err != nil {
		return fmt.Errorf("putting %s of %s on the bus %s of %s: %w", c.event.DetailType, c.event.Source, c.bus, c.account, err)
	}
	return nil
}
