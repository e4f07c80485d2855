package lease

import (
	"context"
	"encoding/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Inspection is the input of an inspection: its execution, and the event that started it as it came.
type Inspection interface {
	Raw() (execution string, event json.RawMessage)
}

// Named is what an event is about: the name of its lease, and what people call it. The zero value is of an event that names nothing that others could be at.
type Named struct{ Lease, Called string }

// ByEvent returns the Look of an inspection whose event alone says what it is about, and which reads everything anew each time. left is the answer of an
// execution that leaves the thing to another, with why; it is nothing. ends is [Look.Ends].
func ByEvent[I Inspection, O any](about func(event.Event) Named, left func(in I, why string) O, ends func(O) bool) Look[I, O] {
	return Look[I, O]{
		Claim: func(in I) Claim {
			execution, raw := in.Raw()
			e, err := event.Parse(raw)
			if err != nil {
				return Claim{}
			}
			return Claim{Of: about(e).Lease, Execution: execution, Event: e.Name}
		},
		Fresh: func(in I) I { return in },
		Busy: func(_ context.Context, in I, now ledger.Lease) (O, error) {
			_, raw := in.Raw()
			e, err := event.Parse(raw)
			if err != nil {
				return left(in, ""), err
			}
			return left(in, Said(about(e).Called, now)), nil
		},
		Ends: ends,
	}
}
