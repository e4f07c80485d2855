package ledger

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Debt is a restart that a notebook instance is owed: so that a lifecycle configuration can be attached, which SageMaker does to a stopped one only.
type Debt struct {
	Account  string    `json:"account"`
	Region   string    `json:"region"`
	Notebook string    `json:"notebook"`
	For      string    `json:"for,omitempty"` // the connection that needs it
	Since    time.Time `json:"since"`
	By       string    `json:"by,omitempty"` // the execution that is at it; empty: none was yet
	At       time.Time `json:"at,omitzero"`  // since when it is
	// Stopped says that Drawbridge stopped the notebook, so that it is owed a start, whatever becomes of the rest.
	Stopped bool `json:"stopped,omitempty"`
	// AtOnce is how many of the account and Region may be restarted at the same time while it is, as the policy said; 0 if it said nothing.
	AtOnce int `json:"atOnce,omitempty"`
}

func debtPart(account, region string) string { return "restart#" + account + "/" + region }

// Owe writes debts that the ledger does not have yet.
func (l Ledger) Owe(ctx context.Context, debts ...Debt) error {
	for some := range slices.Chunk(debts, most) {
		err := retry(ctx, "restarts", func() error {
			var keys []Key
			for _, d := range some {
				keys = append(keys, Key{debtPart(d.Account, d.Region), d.Notebook})
			}
			there, err := l.read(ctx, keys)
			if err != nil {
				return err
			}
			var changes []Change
			for n, d := range some {
				if slices.ContainsFunc(there, func(r Row) bool { return r.Key == keys[n] }) {
					continue
				}
				d.Since = l.now()
				body, err := encode(d)
				if err != nil {
					return err
				}
				changes = append(changes, Change{Key: keys[n], Body: body})
			}
			return l.commit(ctx, changes)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Debts returns the restarts that are owed in an account and Region, the oldest first.
func (l Ledger) Debts(ctx context.Context, account, region string) ([]Debt, error) {
	rows, err := l.Store.List(ctx, debtPart(account, region), "")
	if err != nil {
		return nil, err
	}
	out := make([]Debt, len(rows))
	for n, r := range rows {
		if err := decode(r, &out[n]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Debt) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.Notebook, b.Notebook)
	})
	return out, nil
}

// Settle changes the debt to a notebook by f, if there is one, and removes it if f says that nothing is owed any more. It returns the debt as it is then.
func (l Ledger) Settle(ctx context.Context, account, region, notebook string, f func(*Debt) (owed bool)) (now Debt, ok bool, err error) {
	key := Key{debtPart(account, region), notebook}
	err = retry(ctx, "restart of "+notebook, func() error {
		rows, err := l.Store.Read(ctx, []Key{key})
		if now, ok = (Debt{}), false; err != nil || len(rows) == 0 {
			return err
		}
		if err := decode(rows[0], &now); err != nil {
			return err
		}
		was := now
		if ok = f(&now); !ok {
			return l.Store.Write(ctx, []Change{{Key: key, Version: rows[0].Version}})
		}
		if now == was {
			return nil
		}
		body, err := encode(now)
		if err != nil {
			return err
		}
		return l.Store.Write(ctx, []Change{{Key: key, Version: rows[0].Version, Body: body}})
	})
	return now, ok, err
}
