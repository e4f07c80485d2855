package contest

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// Missing judges things that a connection wants and that are not there, and writes down what becomes of them: see [Judge]. Of the given items, only
// what names them counts. by is the execution that asks. Returned are those to add, with those that the ledger does not know, as they were given; and
// those to leave, as their entries are. It is asked before [ledger.Ledger.Record]. Nothing missing costs nothing.
func (c Contest) Missing(ctx context.Context, connection, by string, missing []ledger.Item) (add, left []ledger.Item, err error) {
	if len(missing) == 0 {
		return nil, nil, nil
	}
	entry, _, err := c.Ledger.Connection(ctx, connection)
	if err != nil {
		return nil, nil, err
	}
	return c.MissingFor(ctx, func(i ledger.Item) bool { return slices.Contains(entry.Leave, i.Account) }, by, missing)
}

// MissingFor is [Contest.Missing] for things that are not needed by a connection itself. leave says of which the policy wants them left.
func (c Contest) MissingFor(ctx context.Context, leave func(ledger.Item) bool, by string, missing []ledger.Item) (add, left []ledger.Item, err error) {
	now := c.now()
	known, err := c.Ledger.MarkAll(ctx, missing, func(i *ledger.Item) {
		*i, _ = Judge(*i, Facts{By: Taker(*i), Leave: leave(*i), Fresh: now.Sub(i.At) < ledger.Lifetime, Execution: by, At: now})
	})
	if err != nil {
		return nil, nil, err
	}
	for _, m := range missing {
		// As Judge leaves them: what is put back is intended, or was never taken.
		if n := slices.IndexFunc(known, m.Same); n >= 0 && (known[n].State == ledger.Contested || known[n].State == ledger.Confirmed && known[n].Taken > 0) {
			slog.InfoContext(ctx, "leaving what somebody took away", "kind", m.Kind, "resource", m.Resource, "key", m.Key, "by", known[n].TakenBy.Who, "times", known[n].Taken)
			left = append(left, known[n])
			continue
		}
		add = append(add, m)
	}
	return add, left, nil
}

// Note writes down whose hand a record of AWS's saw at a resource, on those of its items that the record may be about (see [Narrow]), and returns
// those. A resource of which the ledger has nothing costs one read.
func (c Contest) Note(ctx context.Context, account, region, resource string, keys []string, sight Sight) ([]ledger.Item, error) {
	items, err := c.Ledger.Of(ctx, account, region, resource)
	if err != nil {
		return nil, err
	}
	about := Narrow(items, keys)
	if len(about) == 0 {
		return nil, nil
	}
	return c.Ledger.MarkAll(ctx, about, func(i *ledger.Item) { *i = Noted(*i, sight) })
}

// Yield gives those of items to their owner that they made themselves, as a record of AWS's has it: nobody needs them any more, nothing is taken back
// of them, and the entries of the connections that needed them say so until people are told. It returns them as they were, and the others.
func (c Contest) Yield(ctx context.Context, items []ledger.Item, claims []Claim, s Sight) (theirs, left []ledger.Item, err error) {
	for _, i := range items {
		if !slices.ContainsFunc(claims, func(claim Claim) bool { return Theirs(i, claim, s) }) {
			left = append(left, i)
			continue
		}
		told := ledger.Item{Account: i.Account, Region: i.Region, Resource: i.Resource, Kind: i.Kind, Key: i.Key, TakenBy: s.By, At: s.At}
		for _, id := range i.Needed {
			if _, err := c.Ledger.Change(ctx, id, func(entry *ledger.Connection) {
				if !slices.ContainsFunc(entry.Theirs, i.Same) && len(entry.Theirs) < mostTheirs {
					entry.Theirs = append(slices.Clone(entry.Theirs), told)
				}
			}); err != nil {
				return theirs, left, err
			}
			if err := c.Ledger.Cancel(ctx, id, []ledger.Item{i}); err != nil {
				return theirs, left, err
			}
		}
		slog.InfoContext(ctx, "its owner made it themselves: it is theirs", "kind", i.Kind, "resource", i.Resource, "key", i.Key, "by", s.By.Who)
		theirs = append(theirs, i)
	}
	return theirs, left, nil
}

// mostTheirs bounds how many things an entry names that became their owners' since people were told.
const mostTheirs = 20

// NoteMade is [Contest.Note] for a thing by the id that its call gave it, where the ledger has it, and its parts, under the VPC that it is in: an interface
// endpoint, or its security group. The VPCs are those of the place that are managed for endpoints.
func (c Contest) NoteMade(ctx context.Context, account, region, id string, sight Sight) ([]ledger.Item, error) {
	connections, err := c.Ledger.Connections(ctx, account, region)
	if err != nil {
		return nil, err
	}
	var vpcs []string
	for _, entry := range connections {
		if len(entry.Sides) == 1 && !slices.Contains(vpcs, entry.Sides[0].ID) {
			vpcs = append(vpcs, entry.Sides[0].ID)
		}
	}
	var about []ledger.Item
	for _, vpc := range vpcs {
		items, err := c.Ledger.Of(ctx, account, region, vpc)
		if err != nil {
			return nil, err
		}
		about = append(about, slices.DeleteFunc(items, func(i ledger.Item) bool {
			return i.Left != id || i.Kind != ledger.Endpoint && i.Kind != ledger.Interface && i.Kind != ledger.Group
		})...)
	}
	if len(about) == 0 {
		return nil, nil
	}
	return c.Ledger.MarkAll(ctx, about, func(i *ledger.Item) { *i = Noted(*i, sight) })
}

// Untagged counts that a hand took the status tags of a connection away in an account, and reports whether they are to be written anew: once. The
// record with the same id counts once.
func (c Contest) Untagged(ctx context.Context, connection, account string, by ledger.Hand, call string) (anew, contested bool, err error) {
	_, err = c.Ledger.Change(ctx, connection, func(entry *ledger.Connection) {
		now := entry.Untagged[account]
		if call == "" || now.Call != call {
			now = ledger.Untagged{Times: now.Times + 1, By: by, Call: call}
			all := maps.Clone(entry.Untagged)
			if all == nil {
				all = map[string]ledger.Untagged{}
			}
			all[account] = now
			entry.Untagged = all
		}
		anew, contested = now.Times == 1, now.Times > 1
	})
	return anew, contested, err
}

// Contested returns the contested items that a connection needs, with the host routes for it.
func (c Contest) Contested(ctx context.Context, entry ledger.Connection) ([]ledger.Item, error) {
	items, err := c.items(ctx, entry)
	return Of(items), err
}

// items returns what a connection needs, with the host routes for it of those subnets that its entry names.
func (c Contest) items(ctx context.Context, entry ledger.Connection) ([]ledger.Item, error) {
	items, err := c.Ledger.Items(ctx, entry.ID)
	for _, subnet := range entry.Subnets {
		if err != nil {
			return nil, err
		}
		var lines []ledger.Item
		lines, err = c.Ledger.Items(ctx, subnet)
		for _, l := range lines {
			if Serves(l, entry) {
				items = append(items, l)
			}
		}
	}
	return items, err
}

// Name writes a subnet into the entries of those connections for which lines are: host routes of it that were taken away again. So their owners are told,
// and settle them when they ask anew. connections are those of the place.
func (c Contest) Name(ctx context.Context, subnet string, lines []ledger.Item, connections []ledger.Connection) error {
	for _, entry := range connections {
		if slices.Contains(entry.Subnets, subnet) || !slices.ContainsFunc(lines, func(i ledger.Item) bool { return Serves(i, entry) }) {
			continue
		}
		if _, err := c.Ledger.Change(ctx, entry.ID, func(now *ledger.Connection) {
			if !slices.Contains(now.Subnets, subnet) {
				now.Subnets = slices.Sorted(slices.Values(append(slices.Clone(now.Subnets), subnet)))
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// Settle ends what is contested in an account, of the connections whose owner asked for them anew there: what is theirs in that account may be
// added again, as if for the first time. What was taken away in the other account stays with its owner. It returns the connections
// that had something contested, sorted.
func (c Contest) Settle(ctx context.Context, account string, connections []string) (settled []string, err error) {
	for _, id := range connections {
		entry, _, err := c.Ledger.Connection(ctx, id)
		if err != nil {
			return settled, err
		}
		entry.ID = id
		items, err := c.items(ctx, entry)
		if err != nil {
			return settled, err
		}
		ours := slices.DeleteFunc(slices.Clone(items), func(i ledger.Item) bool { return i.Account != account || i.Taken == 0 && i.State != ledger.Contested })
		if _, err := c.Ledger.MarkAll(ctx, ours, func(i *ledger.Item) { *i = Settled(*i) }); err != nil {
			return settled, err
		}
		tagged := false
		if _, err := c.Ledger.Change(ctx, id, func(entry *ledger.Connection) {
			before := append(Of(items), Tags(*entry)...)
			if _, tagged = entry.Untagged[account]; tagged {
				entry.Untagged = maps.Clone(entry.Untagged)
				delete(entry.Untagged, account)
			}
			if tagged || len(ours) > 0 {
				entry.Contest = told(entry.Contest, account, before)
			}
		}); err != nil {
			return settled, err
		}
		if tagged || len(ours) > 0 {
			settled = append(settled, id)
		}
	}
	slices.Sort(settled)
	return settled, nil
}

// About returns the connections of a place that a thing is an end of, or is: a peering, a VPC, a cluster; and those that need something which is filed
// under it: a role, a domain, a key.
func (c Contest) About(ctx context.Context, account, region, thing string) ([]string, error) {
	items, err := c.Ledger.Of(ctx, account, region, thing)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range items {
		ids = append(ids, i.Needed...)
	}
	all, err := c.Ledger.Connections(ctx, account, region)
	for _, each := range all {
		if each.ID == thing || slices.ContainsFunc(each.Sides, func(s ledger.Side) bool { return s.Account == account && s.Region == region && s.ID == thing }) {
			ids = append(ids, each.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), err
}

// now is the time that entries say: whole seconds, in UTC.
func (c Contest) now() time.Time { return c.Ledger.Now().UTC().Truncate(time.Second) }
