package fanout

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// hands adds a look at each connection that needs something at which somebody's hand was, and settles what owners ask for anew. It returns
// the connection whose owners are to be told that it is contested, if there is one. Of things that are not the ledger's it costs one
// read of the ledger each, and nothing in a member.
func (f Fanout) hands(ctx context.Context, o *Concern, c event.Changed) (contested string, err error) {
	by := ledger.Hand(c.Hand)
	var ids []string
	for _, t := range c.Touched {
		region := c.Region
		if t.Global {
			region = f.Region
		}
		sight := contest.Sight{By: by, At: c.At}
		items, err := f.at(ctx, o, c, region, t, sight)
		if err == nil && (strings.HasPrefix(t.Resource, "vpce-") || t.Gone) { // filed under its VPC, which no record of it names
			var made []ledger.Item
			made, err = f.Contest.NoteMade(ctx, c.Account, region, t.Resource, sight)
			items = append(items, made...)
		}
		if err != nil {
			return "", err
		}
		if len(items) > 0 {
			slog.InfoContext(ctx, "a hand was at what Drawbridge did", "call", c.Name, "resource", t.Resource, "items", len(items), "by", by.Who, "tool", by.Tool)
		}
		if t.Looks { // but if the look came before the record, it did not know whose hand it was
			items = slices.DeleteFunc(items, func(i ledger.Item) bool { return i.Missed.IsZero() })
		}
		if len(items) == 0 && t.Frees {
			if err := f.freed(ctx, o, c); err != nil {
				return "", err
			}
		}
		if len(items) > 0 {
			connections, err := f.served(ctx, c.Place, items)
			if err != nil {
				return "", err
			}
			ids = append(ids, o.touched(items, connections)...)
		}
	}
	for _, id := range c.Untagged {
		anew, again, err := f.Contest.Untagged(ctx, id, c.Account, by, c.Call)
		if err != nil {
			return "", err
		}
		if anew {
			ids = append(ids, id)
		}
		if again {
			contested = id
		}
	}
	if err := f.settle(ctx, c); err != nil {
		return "", err
	}
	entries, err := f.Contest.Ledger.Entries(ctx, unique(ids))
	if err != nil {
		return "", err
	}
	for _, each := range entries {
		l, ok := look.At(each, c.Place, c.Name)
		if !ok {
			slog.WarnContext(ctx, "no machine looks at this kind of connection", "connection", each.ID, "kind", each.Kind)
			continue
		}
		o.look(l)
	}
	return contested, nil
}

// at returns what the ledger has of what a hand was at, noted. What somebody made there just as the ledger had it is theirs from then on, and people are to be told.
// Of a call that only makes, nothing is noted: of what it concerns, what was contested may be there again.
func (f Fanout) at(ctx context.Context, o *Concern, c event.Changed, region string, t event.Touched, sight contest.Sight) (items []ledger.Item, err error) {
	if t.Begins {
		items, err = f.Contest.Ledger.Of(ctx, c.Account, region, t.Resource)
		items = contest.Narrow(items, t.Keys)
	} else {
		items, err = f.Contest.Note(ctx, c.Account, region, t.Resource, t.Keys, sight)
	}
	if err != nil || len(t.Made) == 0 && !t.Begins {
		return items, err
	}
	var claims []contest.Claim
	for _, m := range t.Made {
		claims = append(claims, contest.Claim(m))
	}
	theirs, left, err := f.Contest.Yield(ctx, items, claims, sight)
	for _, i := range theirs {
		for _, id := range i.Needed {
			o.look(event.ContestReport{Connection: id, Reason: "its owner made again what was added for it"})
		}
	}
	if t.Begins {
		left = contest.Of(left)
	}
	return append(theirs, left...), err
}

// freed adds a look at each connection of the place that falls short, as somebody took away, or leads elsewhere, a route that is not the ledger's: it may
// have been in the way.
func (f Fanout) freed(ctx context.Context, o *Concern, c event.Changed) error {
	entries, err := f.Contest.Ledger.Connections(ctx, c.Account, c.Region)
	if err != nil {
		return err
	}
	for _, l := range look.Short(entries, c.Place, c.Name) {
		o.look(l)
	}
	return nil
}

// served returns the connections of the place, if one of the items is a host route that was taken away before: what becomes of it is told to the owners of
// the connection that it is for, and what they ask for anew is the host route, too. So the entry names its subnet from now on, also where nobody judges
// the host route, as its route is taken away as well.
func (f Fanout) served(ctx context.Context, at event.Place, items []ledger.Item) ([]ledger.Connection, error) {
	lines := slices.DeleteFunc(slices.Clone(items), func(i ledger.Item) bool { return i.Kind != ledger.HostRoute || i.Taken == 0 })
	if len(lines) == 0 {
		return nil, nil
	}
	connections, err := f.Contest.Ledger.Connections(ctx, at.Account, at.Region)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		for _, subnet := range l.Needed {
			if err := f.Contest.Name(ctx, subnet, []ledger.Item{l}, connections); err != nil {
				return nil, err
			}
		}
	}
	return connections, nil
}

// settle forgets that what a VPC asks for was undone, when its owner asks anew. And it ends what is contested of connections whose owner asks for them anew:
// sets a tag by which owners ask, on the connection, on an end of it, or on a thing with something that the connection needs.
// The looks that the tag leads to anyway find it settled.
func (f Fanout) settle(ctx context.Context, c event.Changed) error {
	for _, t := range c.Things {
		if t.Act != tag.Sets || len(t.Keys) == 0 {
			continue
		}
		if t.Kind == tag.VPC && slices.Contains(t.Keys, tag.Attach) {
			if err := f.Contest.Ledger.Anew(ctx, t.ID); err != nil {
				return err
			}
		}
		region := c.Region
		if t.Kind == tag.Role {
			region = f.Region
		}
		ids, err := f.Contest.About(ctx, c.Account, region, t.ID)
		if err != nil {
			return err
		}
		settled, err := f.Contest.Settle(ctx, c.Account, ids)
		if err != nil {
			return err
		}
		for _, id := range settled {
			slog.InfoContext(ctx, "its owner asks anew: nothing is contested any more", "connection", id, "account", c.Account)
		}
	}
	return nil
}

// configured adds the looks at notebook instances that have one of the lifecycle configurations.
func (o *Concern) configured(ctx context.Context, api SageMaker, c event.Changed) error {
	for _, name := range o.Configurations {
		pages := sagemaker.NewListNotebookInstancesPaginator(api, &sagemaker.ListNotebookInstancesInput{
			MaxResults: aws.Int32(pageSize), NotebookInstanceLifecycleConfigNameContains: &name})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("listing the notebook instances with %s: %w", name, err)
			}
			for _, n := range page.NotebookInstances {
				if aws.ToString(n.NotebookInstanceLifecycleConfigName) == name {
					o.look(event.NotebookInspection{Account: c.Account, Region: c.Region, Notebook: aws.ToString(n.NotebookInstanceName), Reason: c.Name})
				}
			}
		}
	}
	return nil
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}
