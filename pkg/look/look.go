// Package look asks for looks: it puts Drawbridge's own events on the hub's bus, and each starts an execution of the
// machine that reads the facts and decides. Whoever asks decides nothing.
package look

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

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

// Ask puts one event for each detail on the bus, ten at a time as PutEvents takes them. A detail is an
// [event.ShareInspection], an [event.AttachmentInspection], an [event.TransitInspection] or an [event.StudioInspection]. After an error some events
// may be there already; the next try puts them twice, which is safe.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func Ask[D any](ctx context.Context, a Asker, details ...D) error {
	for some := range slices.Chunk(details, 10) {
		var entries []types.PutEventsRequestEntry
		for _, d := range some {
			kind, err := kindOf(d)
			if err != nil {
				return err
			}
			detail, err := json.Marshal(d)
			if err != nil {
				return fault.New(fault.Invalid, "writing the event %s: %v", kind, err)
			}
			slog.InfoContext(ctx, "asking for a look", "event", kind, "detail", string(detail))
			entries = append(entries, types.PutEventsRequestEntry{EventBusName: aws.String(a.Bus),
				Source: aws.String(event.Source), DetailType: aws.String(kind), Detail: aws.String(string(detail))})
		}
		got, err := a.API.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
		if err != nil {
			return fmt.Errorf("putting events on the bus %s: %w", a.Bus, err)
		}
		for _, e := range got.Entries {
			if e.ErrorCode != nil {
				return fault.New(fault.Transient, "putting events on the bus %s: %s: %s", a.Bus, *e.ErrorCode, aws.ToString(e.ErrorMessage))
			}
		}
	}
	return nil
}

// kindOf returns the detail-type that belongs to a detail.
func kindOf(detail any) (string, error) {
	switch detail.(type) {
	case event.ShareInspection:
		return event.ShareToInspect, nil
	case event.AttachmentInspection:
		return event.AttachmentToInspect, nil
	case event.TransitInspection:
		return event.TransitToInspect, nil
	case event.StudioInspection:
		return event.StudioToInspect, nil
	}
	return "", fault.New(fault.Invalid, "asking for a look: %T is the detail of no event", detail)
}
