package brake

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Of returns the removal that a row of the ledger says waits for a person, and whether it is such a row.
func Of(r ledger.Row) (Waiting, bool, error) {
	id, ok := strings.CutPrefix(r.Sort, waits)
	if r.Part != part || !ok {
		return Waiting{}, false, nil
	}
	var w waiting
	if err := decode(r, &w); err != nil {
		return Waiting{}, false, err
	}
	return Waiting{ID: id, Cause: w.Cause, At: w.At}, !w.Let, nil
}

// Room returns how many connections may be taken away at this moment before the brake is on. It changes nothing.
func (b Brake) Room(ctx context.Context) (int, error) {
	rows, err := b.Ledger.Store.Read(ctx, []ledger.Key{{Part: part, Sort: head}})
	if err != nil {
		return 0, fmt.Errorf("reading the brake's row: %w", err)
	}
	var s state
	for _, r := range rows {
		if err := decode(r, &s); err != nil {
			return 0, err
		}
	}
	return room(s.within(b.Ledger.Now().UTC()), b.Limit), nil
}

// decode reads a row of the brake's.
func decode(r ledger.Row, into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return fmt.Errorf("reading the brake's row %s: %w", r.Sort, err)
	}
	return nil
}
