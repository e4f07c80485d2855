package privatenotebooks

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// takes finds which VPCs that have something of Drawbridge's shall have it no more, and asks the brake about each; it counts those that are let go of instead:
//
//	its owner says drawbridge:manage=false          → let go of: nothing is taken
//	the policy refuses it                           → forbidden
//	it does not exist, or its owner says false,
//	or drawbridge:manage=undo                       → ended
//	it has no tag any more, or one that is unclear  → lost
func (i Inspector) takes(ctx context.Context, execution string, out *workflow.InspectPrivateNotebooksOutput, all []standing) (released int, err error) {
	is := func(vpc string) func(workflow.PrivateVPC) bool {
		return func(v workflow.PrivateVPC) bool { return v.ID == vpc }
	}
	for _, s := range all {
		if slices.ContainsFunc(out.VPCs, is(s.vpc)) {
			continue
		}
		if slices.ContainsFunc(out.Released, is(s.vpc)) {
			released++
			continue
		}
		l := workflow.EndpointWant{Account: out.Account, Region: s.region, VPC: s.vpc, Owner: Owner(s.vpc)}
		r := brake.Removal{ID: l.Owner, Why: brake.Forbidden, Stands: true, Cause: "the policy refuses " + l.VPC}
		if !slices.ContainsFunc(out.Refused, is(s.vpc)) {
			tags, there, err := i.tags(ctx, execution, l)
			if err != nil {
				return released, err
			}
			letting := tag.Letting(tags)
			if letting == tag.Leave {
				out.Released, released = append(out.Released, workflow.PrivateVPC{Account: l.Account, Region: l.Region, ID: l.VPC, Manage: letting}), released+1
				continue
			}
			r.Why, r.Cause = brake.Lost, fmt.Sprintf("%s has no tag %s=true any more", l.VPC, tag.PrivateNotebooks)
			if !there || letting != "" || tag.Says(tags, tag.PrivateNotebooks) {
				r.Why = brake.Ended
			}
		}
		if err := i.Brake.Ask(ctx, r); err != nil {
			return released, err
		}
		out.Leaving = append(out.Leaving, l)
	}
	return released, nil
}

// tags returns the tags of a VPC as they are now, and whether there is one.
func (i Inspector) tags(ctx context.Context, execution string, l workflow.EndpointWant) (tags map[string]string, there bool, err error) {
	got, err := i.EC2(execution, l.Account, l.Region).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{l.VPC}})
	switch {
	case fault.HasCode(err, "InvalidVpcID.NotFound"), err == nil && len(got.Vpcs) == 0:
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("reading %s in %s, %s: %w", l.VPC, l.Account, l.Region, err)
	}
	return tagsOf(got.Vpcs[0]), true, nil
}

// unread is [brake.Unread] for an account: it is held if the ledger has a VPC of it, in whichever Region.
func (i Inspector) unread(ctx context.Context, account string, err error) error {
	why, unreadable := fault.Unreadable(err)
	if !unreadable {
		return nil
	}
	for _, region := range i.Regions {
		ours, err := i.readOurs(ctx, account, region)
		if err != nil {
			return err
		}
		if len(ours) > 0 {
			return mode.Hold(mode.Unreadable, why, fmt.Sprintf("nothing of the private notebooks of %s is taken away; they are looked at again", account))
		}
	}
	return nil
}
