package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EventBridge is what [Bus] needs of it.
type EventBridge interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Bus is the hub's event bus, whose rules start the machines.
type Bus struct {
	API  EventBridge
	Name string
}

// Ask puts one event for each look on the bus, ten at a time as PutEvents takes them. After an error some may be there
// already; the next try puts them twice, which is safe.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func (b Bus) Ask(ctx context.Context, looks ...Look) error {
	for some := range slices.Chunk(looks, 10) {
		var entries []types.PutEventsRequestEntry
		for _, look := range some {
			detail, err := json.Marshal(look.Detail)
			if err != nil {
				return err
			}
			slog.InfoContext(ctx, "asking for a look", "thing", look.Thing, "event", look.Type, "reason", look.Reason)
			entries = append(entries, types.PutEventsRequestEntry{EventBusName: aws.String(b.Name),
				Source: aws.String(event.Source), DetailType: aws.String(look.Type), Detail: aws.String(string(detail))})
		}
		got, err := b.API.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
		if err != nil {
			return fmt.Errorf("putting events on the bus %s: %w", b.Name, err)
		}
		for _, e := range got.Entries {
			if e.ErrorCode != nil {
				return fault.New(fault.Transient, "putting events on the bus %s: %s: %s", b.Name, *e.ErrorCode, aws.ToString(e.ErrorMessage))
			}
		}
	}
	return nil
}

// Sweeper visits accounts, with a finder for each kind of thing.
type Sweeper struct {
	Finders []Finder
	Ask     Ask
}

// Sweep asks for a look at everything in an account that wants one. An account that lets nobody in is told, not an
// error: it may have joined a minute ago.
//
// What passes by itself fails the visit at once, to be tried again. Any other error keeps the finder from the rest of the
// Region, not the other finders from their work; the visit fails when all have done theirs.
func (s Sweeper) Sweep(ctx context.Context, in workflow.SweepAccountInput) (workflow.SweepAccountOutput, error) {
	out := workflow.SweepAccountOutput{Account: in.Territory.Account, Found: []workflow.Found{}}
	var broken []error
	for _, finder := range s.Finders {
		found := workflow.Found{Kind: finder.Kind()}
		for _, region := range in.Territory.Regions {
			at := event.Place{Account: in.Territory.Account, Region: region}
			seen, err := finder.Find(ctx, in.Execution, at, func(ctx context.Context, looks ...Look) error {
				found.Announced += len(looks)
				return s.Ask(ctx, looks...)
			})
			found.Seen += seen
			switch {
			case errors.Is(err, fault.ErrClosed):
				out.Closed = err.Error()
				slog.WarnContext(ctx, "sweeping", "account", at.Account, "closed", out.Closed)
				return out, nil
			case err != nil:
				err = fmt.Errorf("finding %s in %s, %s: %w", found.Kind, at.Account, at.Region, err)
				if kind := fault.Of(err); kind == fault.Transient || kind == fault.NotYet {
					return out, err
				}
				broken = append(broken, err)
			}
		}
		out.Found = append(out.Found, found)
	}
	slog.InfoContext(ctx, "swept", "account", out.Account, "found", out.Found)
	return out, errors.Join(broken...)
}
