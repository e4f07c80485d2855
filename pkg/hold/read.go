package hold

import (
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
		Since: own.Since, At: own.At, Count: own.Count}, true, nil
}
