package brake

import (
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
	if err := json.Unmarshal(r.Body, &w); err != nil {
		return Waiting{}, false, fmt.Errorf("reading the brake's row %s: %w", r.Sort, err)
	}
	return Waiting{ID: id, Cause: w.Cause, At: w.At}, !w.Let, nil
}
