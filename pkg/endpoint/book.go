package endpoint

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// connection is the entry of a VPC with endpoints: it is called like the word that is on what is made for it.
func (w Want) connection() ledger.Connection {
	return ledger.Connection{ID: w.Owner, Kind: w.Kind, Origin: ledger.Requested,
		Sides: []ledger.Side{{Role: "consumer", Account: w.Account, Region: w.Region, ID: w.VPC}}}
}

// The items of a VPC are filed under it, since an endpoint has no id before it is made: one for each service, and the group.
func (w Want) item(kind ledger.Kind, key string) ledger.Item {
	return ledger.Item{Account: w.Account, Region: w.Region, Resource: w.VPC, Kind: kind, Key: key, By: w.By}
}

func (w Want) group() ledger.Item { return w.item(ledger.Group, GroupName(w.Owner)) }

// Claim returns what a VPC has with the owner's word on exactly what the ledger has as made for it, and those items that say so as they are
// then: with the ids that were lost with an answer. A tag alone makes nothing Drawbridge's; without it, what was intended is not taken for what was made.
//
//	it has our tag, and the ledger its id                             → ours
//	it has our tag, and the ledger has it as intended, without an id  → ours, and its id is found
//	else                                                              → somebody else's, or another machine's: used as it is
func Claim(want Want, have Network, items []ledger.Item) (Network, []ledger.Item) {
	var found []ledger.Item
	ours := func(kind ledger.Kind, key, id, tagged string) bool {
		n := slices.IndexFunc(items, want.item(kind, key).Same)
		if n < 0 || items[n].State == ledger.Contested {
			return false
		}
		i := items[n]
		if i.Left == "" && tagged == want.Owner {
			i.Left = id
			found = append(found, i)
			return true
		}
		return i.Left == id && tagged == want.Owner
	}
	have.Endpoints = slices.Clone(have.Endpoints)
	for n, e := range have.Endpoints {
		switch {
		case e.gone():
		case ours(ledger.Endpoint, e.Service, e.ID, e.Owner):
			have.Endpoints[n].Owner = want.Owner
		default:
			have.Endpoints[n].Owner = ""
		}
	}
	if have.Group != "" && !ours(ledger.Group, GroupName(want.Owner), have.Group, want.Owner) {
		have.Group = ""
	}
	return have, found
}

// Shared returns the items of others that the wanted services are served by: as long as this VPC needs them, they stay, whoever made them.
func Shared(want Want, have Network, items []ledger.Item) []ledger.Item {
	var out []ledger.Item
	for _, service := range want.Services {
		e, ok := have.Of(service)
		if !ok {
			continue
		}
		for _, i := range items {
			served := i.Kind == ledger.Endpoint && i.Key == service && i.Left == e.ID || i.Kind == ledger.Group && slices.Contains(e.Groups, i.Left)
			if served && !i.NeededBy(want.Owner) && i.State == ledger.Confirmed {
				out = append(out, i)
			}
		}
	}
	return out
}

// lost returns the items of endpoints and of the group that the ledger has as made, and that are not there any more.
func lost(want Want, have Network, items []ledger.Item) []ledger.Item {
	var out []ledger.Item
	for _, i := range items {
		there := i.Kind == ledger.Group && have.Group == i.Left ||
			i.Kind == ledger.Endpoint && slices.ContainsFunc(have.Endpoints, func(e Endpoint) bool { return e.ID == i.Left && !e.gone() })
		wanted := i.Kind == ledger.Endpoint && slices.Contains(want.Services, i.Key) || i.Same(want.group())
		if wanted && !there && i.State == ledger.Confirmed {
			out = append(out, i)
		}
	}
	return out
}

// manage writes that a VPC is managed, and what the policy says of what somebody takes away.
func manage(ctx context.Context, book ledger.Ledger, want Want) error {
	entry, err := book.Begin(ctx, want.connection())
	var leave []string
	if want.Leave {
		leave = []string{want.Account}
	}
	if err != nil || slices.Equal(entry.Leave, leave) {
		return err
	}
	_, err = book.Change(ctx, want.Owner, func(c *ledger.Connection) { c.Leave = leave })
	return err
}

// known reads the ledger's entries of a VPC, and what they say of what it has. Services whose endpoint somebody deleted, and deleted again after it was
// put back, are left to them: they are returned, and not wanted any more.
func known(ctx context.Context, book ledger.Ledger, want Want, have Network) (Want, Network, []workflow.Hop, error) {
	if err := manage(ctx, book, want); err != nil {
		return want, have, nil, err
	}
	items, err := book.Of(ctx, want.Account, want.Region, want.VPC)
	if err != nil {
		return want, have, nil, err
	}
	have, found := Claim(want, have, items)
	if len(found) > 0 {
		if _, err := book.Confirm(ctx, found...); err != nil {
			return want, have, nil, err
		}
	}
	if shared := Shared(want, have, items); len(shared) > 0 {
		if _, err := book.Record(ctx, want.Owner, shared...); err != nil {
			return want, have, nil, err
		}
	}
	missing, theirs := lost(want, have, items), []ledger.Item{}
	for _, i := range contested(want, items) {
		if _, served := have.Of(i.Key); served { // by an endpoint of their own
			theirs = append(theirs, i)
		} else {
			missing = append(missing, i)
		}
	}
	if err := book.Cancel(ctx, want.Owner, theirs); err != nil {
		return want, have, nil, err
	}
	_, left, err := contest.Contest{Ledger: book}.Missing(ctx, want.Owner, want.By, missing)
	if err != nil {
		return want, have, nil, err
	}
	want, hops, err := compose(ctx, book, want, have, items)
	if err != nil {
		return want, have, nil, err
	}
	for _, i := range left {
		if i.Kind != ledger.Endpoint { // without the group no endpoint is made
			want.NoGroup = true
			want.Services = slices.DeleteFunc(slices.Clone(want.Services), func(s string) bool { _, served := have.Of(s); return !served })
			hops = append(hops, workflow.Hop{Hop: "security group " + i.Key, Detail: fmt.Sprintf("that of %s %s; %s", want.VPC, contest.How(i), again(want.VPC))})
			continue
		}
		want.Services = slices.DeleteFunc(slices.Clone(want.Services), func(s string) bool {
			_, served := have.Of(s) // by an endpoint of their own
			return s == i.Key && !served
		})
		hops = append(hops, workflow.Hop{Hop: "endpoint " + i.Key, OK: false,
			Detail: fmt.Sprintf("that of %s %s; %s", want.VPC, contest.How(i), again(want.VPC))})
	}
	return want, have, hops, nil
}

// contested returns the wanted endpoints, and the group, that are left to whoever took them away.
func contested(want Want, items []ledger.Item) []ledger.Item {
	return slices.DeleteFunc(slices.Clone(items), func(i ledger.Item) bool {
		return i.State != ledger.Contested || !i.Same(want.group()) && (i.Kind != ledger.Endpoint || !slices.Contains(want.Services, i.Key))
	})
}
