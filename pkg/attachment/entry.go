package attachment

import (
	"context"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// factTable is the fact of an entry that says with which route table of the gateway the attachment was in order. Who takes it away meant it:
// Drawbridge does not give it back.
const factTable = "table"

// entryOf returns the entry of an attachment among those of its VPC's place; an empty one if it is not managed.
func entryOf(entries []ledger.Connection, attachment string) ledger.Connection {
	for _, e := range entries {
		if e.Kind == road.Attachment && e.ID == attachment {
			return e
		}
	}
	return ledger.Connection{}
}

// replaced returns the entry of an attachment of a VPC to a gateway in whose place another is now: AWS lets a VPC have one that lives.
func replaced(entries []ledger.Connection, now workflow.Attachment, u unit) (ledger.Connection, bool) {
	of := func(c ledger.Connection, id string) bool {
		return slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.ID == id })
	}
	n := slices.IndexFunc(entries, func(c ledger.Connection) bool {
		return c.Kind == road.Attachment && c.ID != now.ID && of(c, u.vpc) && of(c, u.gateway)
	})
	if n < 0 || !Live(now) {
		return ledger.Connection{}, false
	}
	return entries[n], true
}

// Made is the item of an attachment that Drawbridge makes. It is filed under the VPC, since the attachment has no id before it is made;
// left is that id.
func Made(vpc workflow.VPC, gateway workflow.Gateway, left string) ledger.Item {
	return ledger.Item{Account: vpc.Account, Region: vpc.Region, Resource: vpc.ID, Kind: ledger.Attachment, Key: gateway.ID, Left: left}
}

// belonging returns which of these items are associations and propagations.
func belonging(items []ledger.Item) []ledger.Item {
	return slices.DeleteFunc(slices.Clone(items), func(i ledger.Item) bool { return i.Kind != ledger.Association && i.Kind != ledger.Propagation })
}

// Says returns what the tags drawbridge:manage of an attachment say, as its two owners have them: to let go, if either says so; else to take it
// over.
func Says(tags ...map[string]string) string {
	var said []string
	for _, t := range tags {
		said = append(said, t[tag.Manage])
	}
	for _, word := range []string{tag.Undo, tag.Leave, tag.Take} {
		if slices.Contains(said, word) {
			return word
		}
	}
	return ""
}

// Forget takes an attachment and all that was done for it out of the ledger. In the members everything stays as it is.
func Forget(ctx context.Context, l ledger.Ledger, vpc workflow.VPC, gateway workflow.Gateway, attachment string) error {
	unit := Unit(gateway.ID, vpc.ID)
	if err := l.LetGo(ctx, unit); err != nil {
		return err
	}
	return l.LetGo(ctx, attachment)
}
