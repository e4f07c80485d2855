package lifecycle

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// lost judges lines that somebody took away, and returns those that are left to them. The policy that wants them left speaks of connections, and a line
// is needed by a subnet: so the connections that a line is for are asked.
func (b book) lost(ctx context.Context, lines []ledger.Item) ([]ledger.Item, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	connections, err := b.connections(ctx)
	if err != nil {
		return nil, err
	}
	_, left, err := contest.Contest{Ledger: b.Ledger}.MissingFor(ctx, func(i ledger.Item) bool {
		return slices.ContainsFunc(connections, func(c ledger.Connection) bool {
			return slices.Contains(c.Leave, i.Account) && contest.Serves(i, c)
		})
	}, b.by, lines)
	return left, err
}

// contested says of lines that are left to who took them away that they are: in the entries of the connections that they are for, so that people are told,
// and as an error for the notebook's hop. None is no error.
func (b book) contested(ctx context.Context, configuration string, lines []ledger.Item) error {
	if len(lines) == 0 {
		return nil
	}
	connections, err := b.connections(ctx)
	if err != nil {
		return err
	}
	if err := (contest.Contest{Ledger: b.Ledger}).Name(ctx, b.nb.Subnet, contest.Of(lines), connections); err != nil {
		return err
	}
	i := lines[0]
	return fault.NewConflict(fmt.Sprintf("the line %s of lifecycle configuration %s %s", i.Key, configuration, contest.How(i)), "ask for it anew when they let it stay")
}

// connections are those that are managed in the notebook's account and Region.
func (b book) connections(ctx context.Context) ([]ledger.Connection, error) {
	return b.Connections(ctx, b.nb.Account, b.nb.Region)
}
