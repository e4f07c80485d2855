package privatenotebooks

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
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
	given           bool     // the owner of one of the VPCs gives what was let go of to Drawbridge
}

func (g Granter) book(in workflow.GrantNotebookAccessInput) book {
	b := book{Ledger: g.Ledger, home: g.Home, execution: in.Execution, account: in.Account, region: in.Region}
	for _, v := range in.VPCs {
		b.owners, b.given = append(b.owners, Owner(v.ID)), b.given || v.Manage == tag.Take
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
		Left: policydocument.Digest([]byte(text)), By: b.execution}
}

// contest compares what there is with the ledger, and says in have, and in words, what is left to who took it away:
//
//	a role has the policy                                 → what was contested of it is not any more
//	a tagged role has it not, and the ledger says it had  → see package contest
//	a role that shall not have it has it not              → its item goes
//	it was about to be taken away, and is                 → its item goes
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
		case i.State == ledger.Leaving && (i.Kind == ledger.Managed || i.Same(wanted) && have.Document == ""): // taken away by an execution that went no further
			over = append(over, i)
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
				there = policydocument.Digest([]byte(have.Document))
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
		if err := b.forget(ctx, i); err != nil {
			return nil, err
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

// own says in have what of the account is Drawbridge's: what the ledger has.
//
//	the ledger has the policy, as made                                     → it is Drawbridge's
//	the ledger has it as intended, and it says what Drawbridge writes      → it is Drawbridge's: the answer to the call was lost
//	an execution intended it, and it says anything else                    → somebody else's, who was first: the item goes
//	it was left to who changed it, and its owner asks for it anew          → it is Drawbridge's
//	the ledger does not have it, it says what Drawbridge writes, and the
//	owner of a VPC says drawbridge:manage=true                             → it was let go of, and is Drawbridge's again, with the tagged roles that have it
//	the ledger does not have it                                            → somebody else's
//	the ledger has of a role that it was given the policy                  → Drawbridge gave it
func (b book) own(ctx context.Context, have *Grant) error {
	item, known, err := b.item(ctx, b.document(""))
	if err != nil {
		return err
	}
	_, written := Written(have.Document, b.account, b.region)
	switch {
	case have.Document != "" && !known && b.given && written:
		items, _, _ := Told(*have, b.account, b.region, b.home)
		if _, err := b.Record(ctx, b.owners[0], items...); err != nil {
			return err
		}
		if _, err := b.Confirm(ctx, items...); err != nil {
			return err
		}
		have.Own = true
	case have.Document == "" || !known:
	case item.State == ledger.Intended && item.By != "" && !written:
		if err := b.forget(ctx, item); err != nil {
			return err
		}
	default:
		have.Own, have.Edited = true, item.State == ledger.Contested || !written && item.Left != policydocument.Digest([]byte(have.Document))
	}
	for _, role := range sorted(have.Attached) {
		item, known, err := b.item(ctx, b.attached(role))
		if err != nil {
			return err
		}
		if known && item.State != ledger.Contested {
			have.Given = append(have.Given, role)
		}
	}
	return nil
}

// item returns what the ledger has of the thing that an item is about.
func (b book) item(ctx context.Context, of ledger.Item) (ledger.Item, bool, error) {
	all, err := b.Of(ctx, of.Account, of.Region, of.Resource)
	n := slices.IndexFunc(all, of.Same)
	if err != nil || n < 0 {
		return ledger.Item{}, false, err
	}
	return all[n], true, nil
}

// forget takes an item out of the ledger, whoever needs it.
func (b book) forget(ctx context.Context, i ledger.Item) error {
	for _, owner := range append(slices.Clone(i.Needed), i.For) {
		if owner == "" {
			continue
		}
		if err := b.Cancel(ctx, owner, []ledger.Item{i}); err != nil {
			return err
		}
	}
	return nil
}

// carryOut makes the changes of a plan, each written down before and after.
func (b book) carryOut(ctx context.Context, client Keeper, plan GrantChanges, in workflow.GrantNotebookAccessInput) error {
	leaving, err := b.leave(ctx, plan)
	if err != nil {
		return err
	}
	items, err := b.intend(ctx, plan)
	if err != nil {
		return err
	}
	if err := apply(ctx, client, plan, in); err != nil {
		if errors.Is(err, errTaken) {
			return nil
		}
		return err
	}
	if _, err := b.Confirm(ctx, items...); err != nil {
		return err
	}
	for _, i := range leaving {
		if err := b.forget(ctx, i); err != nil {
			return err
		}
	}
	return nil
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

// leave writes what a plan is about to take away: that it is missing then is nobody else's hand. It returns the items, which are to be forgotten after that.
func (b book) leave(ctx context.Context, plan GrantChanges) ([]ledger.Item, error) {
	var gone, out []ledger.Item
	for _, role := range plan.Detach {
		gone = append(gone, b.attached(role))
	}
	if plan.Delete {
		gone = append(gone, b.document(""))
	}
	for _, g := range gone {
		item, known, err := b.item(ctx, g)
		if err != nil || !known {
			return nil, err
		}
		for _, owner := range item.Needed {
			leaving, err := b.Release(ctx, owner, []ledger.Item{item})
			if err != nil {
				return nil, err
			}
			if len(leaving) > 0 {
				item = leaving[0]
			}
		}
		out = append(out, item)
	}
	return out, nil
}

// settle sees to it that each VPC needs what there is of Drawbridge's: also the VPCs that came later. Without a VPC the ledger keeps nothing of it, such as
// a policy that somebody deleted, or made their own.
func (b book) settle(ctx context.Context, have Grant) error {
	if len(have.Endpoints) == 0 {
		item, known, err := b.item(ctx, b.document(""))
		if err != nil || !known {
			return err
		}
		return b.forget(ctx, item)
	}
	var all []ledger.Item
	if have.Own && !have.Kept {
		all = append(all, b.document(have.Document))
	}
	for _, role := range sorted(have.Given) {
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
		r := brake.Removal{ID: fmt.Sprintf("%s role %s", road.PrivateNotebooks, arn.IAM(arn.PartitionOf(have.ARN), account, "role/"+role)), Why: brake.Lost, Stands: true,
			Cause: fmt.Sprintf("it is not tagged %s=true any more", tag.PrivateNotebooks)}
		if slices.Contains(have.Closed, role) {
			r.Why = brake.Ended
		}
		out = append(out, r)
	}
	return out
}
