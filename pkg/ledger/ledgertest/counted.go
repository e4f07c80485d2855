package ledgertest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Counted is a store that counts what goes through it, and refuses a transaction of more rows than DynamoDB takes.
type Counted struct {
	ledger.Store
	Reads, Writes    int // calls; a list is a read
	Row, Transaction int // bytes of the largest
}

// List implements [ledger.Store].
func (c *Counted) List(ctx context.Context, part, prefix string) ([]ledger.Row, error) {
	c.Reads++
	return c.Store.List(ctx, part, prefix)
}

// Read implements [ledger.Store].
func (c *Counted) Read(ctx context.Context, keys []ledger.Key) ([]ledger.Row, error) {
	c.Reads++
	return c.Store.Read(ctx, keys)
}

// Write implements [ledger.Store].
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
func (c *Counted) Write(ctx context.Context, changes []ledger.Change) error {
	c.Writes++
	size := 0
	for _, one := range changes {
		c.Row, size = max(c.Row, len(one.Body)), size+len(one.Body)
	}
	c.Transaction = max(c.Transaction, size)
	if len(changes) > 100 {
		return fmt.Errorf("%d rows in one transaction", len(changes))
	}
	return c.Store.Write(ctx, changes)
}

// Row is a row of the ledger, as a scan gives it.
func Row(t testing.TB, part, sort string, body any) ledger.Row {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Row{Key: ledger.Key{Part: part, Sort: sort}, Version: 1, Body: text}
}
