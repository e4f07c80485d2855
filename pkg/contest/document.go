package contest

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Document is a document of something that Drawbridge made itself: what a role of its own may do, whom it trusts. Drawbridge changes such a document as what
// it is for changes, so that it is somebody's hand only if it reads neither as wanted nor as it was left. Where it reads otherwise a record has to say so, too: IAM itself writes the id
// of a principal that was deleted in the place of its ARN, and an execution may have ended before it wrote down how it left the document.
type Document struct {
	Item  ledger.Item // of the ledger; Left stands for what is wanted
	There string      // stands for what there is, in the words of Left; empty if nothing is
	Write func(context.Context) error
}

// Keep sees to it that a document reads as wanted, and that the ledger has it. What somebody changed is put back once, and then left to them: then the item is
// returned, as its entry is.
//
//	it reads as wanted                               → kept; if it was contested, whoever took it away wrote it so
//	the ledger does not have it                      → written
//	it is as it was left, or no record saw a hand    → written
//	it is gone, or somebody changed it               → see [Judge]: written, or left
func (c Contest) Keep(ctx context.Context, connection, by string, d Document) (left *ledger.Item, err error) {
	items, err := c.Ledger.Of(ctx, d.Item.Account, d.Item.Region, d.Item.Resource)
	if err != nil {
		return nil, err
	}
	var had *ledger.Item
	for n := range items {
		if items[n].Same(d.Item) {
			had = &items[n]
		}
	}
	reads := d.There == d.Item.Left
	switch {
	case had == nil:
	case had.State == ledger.Contested && (reads || d.There == had.Left && d.There != ""):
		if err := c.Ledger.Cancel(ctx, connection, []ledger.Item{*had}); err != nil {
			return nil, err
		}
	case !reads && d.There != had.Left && (had.State == ledger.Contested || d.There == "" || Taker(*had).Who != ""):
		_, lost, err := c.Missing(ctx, connection, by, []ledger.Item{d.Item})
		if err != nil {
			return nil, err
		}
		if len(lost) > 0 {
			return &lost[0], nil
		}
	}
	wanted := d.Item
	wanted.By = by
	if _, err := c.Ledger.Record(ctx, connection, wanted); err != nil {
		return nil, err
	}
	if !reads {
		if err := d.Write(ctx); err != nil {
			return nil, err
		}
	}
	_, err = c.Ledger.Confirm(ctx, wanted)
	return nil, err
}
