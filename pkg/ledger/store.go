package ledger

import (
	"context"
	"encoding/json"
	"errors"
)

// ErrChanged says that a row was not as it was read, so nothing was written.
var ErrChanged = errors.New("a row of the ledger was changed meanwhile")

// Key names a row.
type Key struct{ Part, Sort string }

// Row is one row as it was read. Body is a JSON object.
type Row struct {
	Key
	Version int64 // from 1
	Body    json.RawMessage
	Expires int64 // Unix time after which the table may drop it; 0: never
}

// Change is one write: of a body, or, without one, a removal. It is done only while the row has the version, 0 being a row that
// is not there.
type Change struct {
	Key
	Version int64
	Body    json.RawMessage
	Expires int64
}

// most is how many rows one write may change: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const most = 100

// Store keeps rows. What it reads is what was written last, by whomever.
type Store interface {
	// Read returns those of rows that are there, in no order.
	Read(ctx context.Context, keys []Key) ([]Row, error)
	// List returns all rows of a part whose sort key begins with prefix, sorted by it.
	List(ctx context.Context, part, prefix string) ([]Row, error)
	// Write does all changes or none: with [ErrChanged] if a row is not at its version. At most 100, of different rows.
	Write(ctx context.Context, changes []Change) error
}
