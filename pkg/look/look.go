// Package look asks for looks: it puts Drawbridge's own events on the hub's bus, and each starts an execution of the
// machine that reads the facts and decides. Whoever asks decides nothing.
package look

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// EventBridge is what [Asker] needs of it.
type EventBridge interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Asker asks for looks.
type Asker struct {
	API EventBridge
	Bus string // the name of the hub's bus
}

// A Look is the detail of one of Drawbridge's own events, such as an [event.Inspection].
type Look interface {
	// DetailType returns the detail-type that goes with the detail.
	DetailType() string
}

// After returns the look that goes on where the look of an execution ended, with its reason; l, if there is none of its kind.
func After(l Look, execution, reason string) Look {
	switch l := l.(type) {
	case event.Inspection:
		l.Follows, l.Reason = execution, reason
		return l
	case event.TransitInspection:
		l.Follows, l.Reason = execution, reason
		return l
	}
	return l
}

// Ask asks for looks of several kinds.
func (a Asker) Ask(ctx context.Context, looks ...Look) error { return Ask(ctx, a, looks...) }

// maxBatch is how many bytes the entries of one call have room for together, as EventBridge counts them.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
const maxBatch = 262_144

// batches cuts entries into calls: ten entries, or as many as have room.
func batches(entries []types.PutEventsRequestEntry) [][]types.PutEventsRequestEntry {
	var out [][]types.PutEventsRequestEntry
	size := 0
	for _, e := range entries {
		one := len(*e.Source) + len(*e.DetailType) + len(*e.Detail)
		if n := len(out); n == 0 || len(out[n-1]) == 10 || size+one > maxBatch {
			out, size = append(out, nil), 0
		}
		out[len(out)-1], size = append(out[len(out)-1], e), size+one
	}
	return out
}

// Ask puts one event for each look on the bus, ten at a time as PutEvents takes them, or as many as it has room for. A look that no machine answers is
// [fault.Invalid], and then none is put. After another error some events may be there already; the next try puts them
// twice, which is safe.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func Ask[L Look](ctx context.Context, a Asker, looks ...L) error {
	var entries []types.PutEventsRequestEntry
	for _, l := range looks {
		kind := l.DetailType()
		if !event.Own(kind) {
			return fault.New(fault.Invalid, "asking for a look: no machine answers %q", kind)
		}
		detail, err := json.Marshal(l)
		if err != nil {
			return fault.New(fault.Invalid, "writing the event %s: %v", kind, err)
		}
		entries = append(entries, types.PutEventsRequestEntry{EventBusName: aws.String(a.Bus),
			Source: aws.String(event.Source), DetailType: aws.String(kind), Detail: aws.String(string(detail))})
	}
	for _, some := range batches(entries) {
		for _, e := range some {
			slog.InfoContext(ctx, "asking for a look", "event", *e.DetailType, "detail", *e.Detail)
		}
		got, err := a.API.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: some})
		if err != nil {
			return fmt.Errorf("asking for %d looks, first %s %s: putting events on the bus %s: %w", len(some), *some[0].DetailType, *some[0].Detail, a.Bus, err)
		}
		for _, e := range got.Entries {
			if e.ErrorCode != nil {
				return fault.New(fault.Transient, "putting events on the bus %s: %s: %s", a.Bus, *e.ErrorCode, aws.ToString(e.ErrorMessage))
			}
		}
	}
	return nil
}
