package ledger

import (
	"context"
	"time"
)

// Undone is that an owner had something taken back that another tag still asks for, such as the attachment of a VPC to a gateway: it is not made again until it
// is asked for anew. It has no entry, and where its owner said so is gone.
type Undone struct {
	At time.Time `json:"at"`
}

func undoneRow(asks, of string) Key { return Key{"undone#" + asks, of} }

// Undo notes that what a thing asks for was undone: asks is the thing with the tag, of what it names.
func (l Ledger) Undo(ctx context.Context, asks, of string) error {
	return retry(ctx, asks, func() error {
		rows, err := l.Store.Read(ctx, []Key{undoneRow(asks, of)})
		if err != nil || len(rows) > 0 {
			return err
		}
		body, err := encode(Undone{l.now()})
		if err != nil {
			return err
		}
		return l.Store.Write(ctx, []Change{{Key: undoneRow(asks, of), Body: body}})
	})
}

// IsUndone reports whether what a thing asks for was undone, and not asked for anew since.
func (l Ledger) IsUndone(ctx context.Context, asks, of string) (bool, error) {
	rows, err := l.Store.Read(ctx, []Key{undoneRow(asks, of)})
	return len(rows) > 0, err
}

// Anew forgets all that was undone of what a thing asks for: its owner asks anew.
func (l Ledger) Anew(ctx context.Context, asks string) error {
	return retry(ctx, asks, func() error {
		rows, err := l.Store.List(ctx, undoneRow(asks, "").Part, "")
		if err != nil || len(rows) == 0 {
			return err
		}
		var changes []Change
		for _, r := range rows {
			changes = append(changes, Change{Key: r.Key, Version: r.Version})
		}
		return l.commit(ctx, changes)
	})
}
