// Package participant knows who takes part in the VPCs of a connection: accounts that have notebooks, functions or databases in subnets which
// the owner of the VPC shares with them.
//
// The owner sees the security groups of its participants, and each says whose it is. A resource of a participant has one of the participant's: the
// owner's default group cannot be used by others. So whoever reads the groups of a VPC as its owner knows its participants, by that call.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-limitations.html
//
// What is known is kept in the entry of the connection. A participant is then a side of the connection: see [workflow.Side].
package participant

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Read returns the participants of a VPC, sorted, as its owner sees them.
func Read(ctx context.Context, api ec2.DescribeSecurityGroupsAPIClient, v workflow.VPC) ([]string, error) {
	var out []string
	pages := ec2.NewDescribeSecurityGroupsPaginator(api, &ec2.DescribeSecurityGroupsInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{v.ID}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading whose security groups are in %s: %w", v.ID, err)
		}
		for _, g := range page.SecurityGroups {
			out = append(out, aws.ToString(g.OwnerId))
		}
	}
	return Among(out, v.Account), nil
}

// Among returns who of the owners of a VPC's security groups takes part in the VPC of an account, sorted.
func Among(owners []string, account string) []string {
	out := slices.DeleteFunc(slices.Clone(owners), func(o string) bool { return o == "" || o == account })
	slices.Sort(out)
	return slices.Compact(out)
}

// In returns who takes part in a VPC, as the entry of a connection says.
func In(entry ledger.Connection, v workflow.VPC) []string {
	for _, s := range entry.Sides {
		if s.Account == v.Account && s.Region == v.Region && s.ID == v.ID {
			return s.Participants
		}
	}
	return nil
}

// Note writes in the entry of a connection who takes part in the VPC of an owner's side. One of whom the ledger has something of the
// connection stays. Of a connection that is not managed nothing is written, and where nobody takes part the ledger is not asked.
func Note(ctx context.Context, l ledger.Ledger, id string, side workflow.Side, seen []string) error {
	if len(seen)+len(side.Participants) == 0 {
		return nil
	}
	left := slices.DeleteFunc(slices.Clone(side.Participants), func(p string) bool { return slices.Contains(seen, p) })
	if len(left) > 0 {
		items, err := l.Items(ctx, id)
		if err != nil {
			return err
		}
		for _, i := range items {
			if slices.Contains(left, i.Account) && i.Region == side.VPC.Region {
				seen = append(slices.Clip(seen), i.Account)
			}
		}
	}
	seen = Among(seen, side.VPC.Account)
	_, err := l.Change(ctx, id, func(e *ledger.Connection) {
		for n, s := range e.Sides {
			if s.Account == side.VPC.Account && s.Region == side.VPC.Region && s.ID == side.VPC.ID {
				e.Sides[n].Participants = seen
			}
		}
	})
	return err
}

// Known fails with [fault.Over] if the entry of a connection says of an owner's side that others take part in its VPC than the inspection
// knew: the machine has to look again.
func Known(entry ledger.Connection, sides []workflow.Side) error {
	for _, s := range sides {
		if now := In(entry, s.VPC); s.Owner == "" && !slices.Equal(now, s.Participants) {
			return fault.New(fault.Over, "connecting %s: %v take part in %s, and %v were looked at", entry.ID, now, s.VPC.ID, s.Participants)
		}
	}
	return nil
}

// Of returns the side of a participant in the VPC of an owner's side: the same role, VPC and peer, and nothing of the owner's own.
func Of(owner workflow.Side, account string) workflow.Side {
	out := workflow.Side{Role: owner.Role, Consumer: owner.Consumer, VPC: owner.VPC, Peer: owner.Peer, Owner: owner.VPC.Account, Subnets: owner.Subnets}
	out.VPC.Account = account
	return out
}
