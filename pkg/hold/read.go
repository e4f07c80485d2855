package hold

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// Kept is what is held back about a thing, for whoever reads the ledger.
type Kept struct {
	Thing   string
	Machine string
	End     mode.End
	Mode    mode.Mode // that was in force
	Reason  string
	Changes []mode.Change
	Since   time.Time
	At      time.Time
	Count   int
	Input   json.RawMessage // of the execution, which goes on with it
}

// Of returns what a row of the ledger says is held back, and whether it is such a row.
func Of(r ledger.Row) (Kept, bool, error) {
	if !strings.HasPrefix(r.Part, part("")) {
		return Kept{}, false, nil
	}
	var own row
	if err := json.Unmarshal(r.Body, &own); err != nil {
		return Kept{}, false, fmt.Errorf("reading what is held back about %s: %w", r.Sort, err)
	}
	return Kept{Thing: r.Sort, Machine: own.Machine, End: own.End, Mode: own.Mode, Reason: own.Reason, Changes: own.Changes,
		Since: own.Since, At: own.At, Count: own.Count, Input: own.Input}, true, nil
}

// GoesOn returns what a sweep in a mode lets go on, in its order: see [Resumer].
func GoesOn(ctx context.Context, l ledger.Ledger, at mode.Mode) ([]Kept, error) {
	var out []Kept
	for _, m := range machines {
		rows, err := l.Store.List(ctx, part("drawbridge-"+m), "")
		if err != nil {
			return nil, err
		}
		for _, kept := range rows {
			one, _, err := Of(kept)
			if err != nil {
				return nil, err
			}
			if (row{End: one.End, Mode: one.Mode}).resumes(at, false) {
				out = append(out, one)
			}
		}
	}
	return out, nil
}
