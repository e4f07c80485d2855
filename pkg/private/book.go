package private

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/statement"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// book is the ledger's part of an account's policy and of the roles that have it: items of IAM, needed by each VPC of the account. Without a VPC there
// is nothing to keep: the items go with what the last one needed.
type book struct {
	ledger.Ledger
	home, execution string
	account, region string
	owners          []string // the ids of the VPCs' connections, sorted
}

func (g Granter) book(in workflow.GrantNotebookAccessInput) book {
	b := book{Ledger: g.Ledger, home: g.Home, execution: in.Execution, account: in.Account, region: in.Region}
	for _, v := range in.VPCs {
		b.owners = append(b.owners, Owner(v.ID))
	}
	b.owners = sorted(b.owners)
	return b
}

// attached is the item of a role that has the policy.
func (b book) attached(role string) ledger.Item {
	return ledger.Item{Account: b.account, Region: b.home, Resource: role, Kind: ledger.Managed, Key: PolicyName, Left: PolicyARN(b.account, b.region), By: b.execution}
}

// document is the item of the policy, filed under its ARN.
func (b book) document(text string) ledger.Item {
	return ledger.Item{Account: b.account, Region: b.home, Resource: PolicyARN(b.account, b.region), Kind: ledger.Document, Key: PolicyName,
		Left: statement.Digest([]byte(text)), By: b.execution}
}

// contest compares what there is with the ledger, and says in have, and in words, what is left to who took it away:
//
//	a role has the policy                                 → what was contested of it is not any more
//	a tagged role has it not, and the ledger says it had  → see package contest
//	a role that shall not have it has it not              → its item goes
//	the policy is not as it was left, by a recorded hand  → see package contest
func (b book) contest(ctx context.Context, have *Grant) ([]workflow.Hop, error) {
	if len(b.owners) == 0 || len(have.Endpoints) == 0 {
		return nil, nil
	}
	items, err := b.Items(ctx, b.owners[0])
	if err != nil {
		return nil, err
	}
	var missing, over []ledger.Item
	wanted := b.document(PolicyDocument(b.account, b.region, have.Endpoints))
	for _, i := range items {
		there := ""
		switch {
		case i.Kind == ledger.Managed && slices.Contains(have.Attached, i.Resource):
			if i.State == ledger.Contested {
				over = append(over, i)
			}
		case i.Kind == ledger.Managed && slices.Contains(have.Tagged, i.Resource):
			missing = append(missing, i)
		case i.Kind == ledger.Managed:
			over = append(over, i)
		case i.Same(wanted):
			if have.Document != "" {
				there = statement.Digest([]byte(have.Document))
			}
			switch {
			case there == wanted.Left || there == i.Left && there != "":
				if i.State == ledger.Contested {
					over = append(over, i)
				}
			case i.State == ledger.Contested, there == "", contest.Taker(i).Who != "":
				missing = append(missing, i)
			}
		}
	}
	for _, i := range over {
		for _, owner := range i.Needed {
			if err := b.Cancel(ctx, owner, []ledger.Item{i}); err != nil {
				return nil, err
			}
		}
	}
	_, left, err := contest.Contest{Ledger: b.Ledger}.Missing(ctx, b.owners[0], b.execution, missing)
	if err != nil {
		return nil, err
	}
	var hops []workflow.Hop
	for _, i := range left {
		hop := workflow.Hop{Hop: "policy " + PolicyName, Detail: fmt.Sprintf("that of role %s %s; to have it again, tag the role %s=true anew", i.Resource, contest.How(i), tag.PrivateNotebooks)}
		if i.Kind == ledger.Managed {
			have.Left = append(have.Left, i.Resource)
		} else {
			have.Kept = true
			hop.Detail = fmt.Sprintf("it %s; to have it again, tag a VPC %s=true anew", contest.How(i), tag.PrivateNotebooks)
		}
		hops = append(hops, hop)
	}
	return hops, nil
}

// intend writes what a plan is about to make.
func (b book) intend(ctx context.Context, plan GrantChanges) ([]ledger.Item, error) {
	if len(b.owners) == 0 {
		return nil, nil
	}
	var items []ledger.Item
	if text := plan.Create + plan.Replace; text != "" {
		items = append(items, b.document(text))
	}
	for _, role := range plan.Attach {
		items = append(items, b.attached(role))
	}
	if len(items) > 0 {
		if _, err := b.Record(ctx, b.owners[0], items...); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// took forgets what a plan is about to take away: that it is missing then is nobody else's hand.
func (b book) took(ctx context.Context, plan GrantChanges) error {
	var gone []ledger.Item
	for _, role := range plan.Detach {
		gone = append(gone, b.attached(role))
	}
	if plan.Delete {
		gone = append(gone, b.document(""))
	}
	for _, g := range gone {
		items, err := b.Of(ctx, g.Account, g.Region, g.Resource)
		if err != nil {
			return err
		}
		for _, i := range items {
			for _, owner := range i.Needed {
				if i.Same(g) {
					if err := b.Cancel(ctx, owner, []ledger.Item{i}); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// settle sees to it that each VPC needs what there is: also of the VPCs that came later, and of what an earlier version made.
func (b book) settle(ctx context.Context, have Grant) error {
	if len(have.Endpoints) == 0 {
		return nil
	}
	var all []ledger.Item
	if have.Document != "" && !have.Kept {
		all = append(all, b.document(have.Document))
	}
	for _, role := range sorted(have.Attached) {
		if slices.Contains(have.Tagged, role) {
			all = append(all, b.attached(role))
		}
	}
	for _, owner := range b.owners {
		known, err := b.Items(ctx, owner)
		if err != nil {
			return err
		}
		more := slices.DeleteFunc(slices.Clone(all), func(i ledger.Item) bool {
			n := slices.IndexFunc(known, i.Same)
			return n >= 0 && known[n].State == ledger.Confirmed && known[n].Left == i.Left
		})
		if len(more) == 0 {
			continue
		}
		if _, err := b.Record(ctx, owner, more...); err != nil {
			return err
		}
		if _, err := b.Confirm(ctx, more...); err != nil {
			return err
		}
	}
	return nil
}

// lost returns what a plan takes from roles, for the brake. When the last VPC goes, that was asked about already.
//
//	the role's tag says clearly false             → ended
//	it has no tag any more, or an unclear one     → lost
func lost(account string, have Grant, plan GrantChanges) []brake.Removal {
	if plan.Delete {
		return nil
	}
	var out []brake.Removal
	for _, role := range plan.Detach {
		r := brake.Removal{ID: fmt.Sprintf("%s role %s", Kind, arn.IAM(arn.PartitionOf(have.ARN), account, "role/"+role)), Why: brake.Lost, Stands: true,
			Cause: fmt.Sprintf("it is not tagged %s=true any more", tag.PrivateNotebooks)}
		if slices.Contains(have.Closed, role) {
			r.Why = brake.Ended
		}
		out = append(out, r)
	}
	return out
}
