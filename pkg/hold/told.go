package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// quiet is how long nobody is told the same again. Each sweep that finds it so begins it anew, so it is longer than the time between two.
const quiet = 8 * 24 * time.Hour

// unread is the partition of what people were told of things that cannot be read.
const unread = "unreadable"

// told is the row of one of them.
type told struct {
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

// first reports whether a reason is news about a thing, and writes that it was told.
func (h Holder) first(ctx context.Context, thing, reason string) (bool, error) {
	key := ledger.Key{Part: unread, Sort: thing}
	for range tries {
		rows, err := h.Ledger.Store.Read(ctx, []ledger.Key{key})
		if err != nil {
			return false, err
		}
		now, was, version := h.Ledger.Now().UTC(), told{}, int64(0)
		if len(rows) > 0 {
			if err := json.Unmarshal(rows[0].Body, &was); err != nil {
				return false, fmt.Errorf("reading what was told of %s: %w", thing, err)
			}
			version = rows[0].Version
		}
		next := told{Reason: reason, Until: now.Add(quiet)}
		body, err := json.Marshal(next)
		if err != nil {
			return false, err
		}
		err = h.Ledger.Store.Write(ctx, []ledger.Change{{Key: key, Version: version, Body: body, Expires: next.Until.Unix()}})
		if !errors.Is(err, ledger.ErrChanged) {
			return was.Reason != reason || !now.Before(was.Until), err
		}
	}
	return false, fault.New(fault.Transient, "writing what was told of %s: the row kept changing under %d attempts", thing, tries)
}

// tellUnread tells people that something cannot be read now: once for a reason, however many things are concerned.
func (h Holder) tellUnread(ctx context.Context, in workflow.HoldExecutionInput, reason string) error {
	news, err := h.first(ctx, "reason "+digest([]byte(reason)), reason)
	if err != nil || !news {
		return err
	}
	return h.Topic.Publish(ctx, notice.Notification{Kind: notice.ChangeHeld, Subject: "Drawbridge cannot read something now", Body: fmt.Sprintf(
		"%s\n\nFirst met by %s, execution %s. Nothing is taken away for it; each sweep looks again at what is concerned.\n\nWhat to do: docs/runbook.md#unreadable.\n",
		reason, in.Machine, in.Execution)})
}
