package private

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

// takes asks the brake about each VPC that shall have nothing of Drawbridge's any more:
//
//	the policy refuses it                           → forbidden
//	it does not exist, or its owner says false      → ended
//	it has no tag any more, or one that is unclear  → lost
func (i Inspector) takes(ctx context.Context, execution string, out workflow.InspectPrivateNotebooksOutput) error {
	for _, l := range out.Leaving {
		r := brake.Removal{ID: l.Owner, Why: brake.Forbidden, Stands: true, Cause: "the policy refuses " + l.VPC}
		if !slices.ContainsFunc(out.Refused, func(v workflow.PrivateVPC) bool { return v.ID == l.VPC }) {
			var err error
			if r.Why, err = i.untagged(ctx, execution, l); err != nil {
				return err
			}
			r.Cause = fmt.Sprintf("%s has no tag %s=true any more", l.VPC, tag.PrivateNotebooks)
		}
		if err := i.Brake.Ask(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// untagged says who wants that a VPC which does not ask any more has nothing.
func (i Inspector) untagged(ctx context.Context, execution string, l workflow.EndpointWant) (brake.Why, error) {
	got, err := i.EC2(execution, l.Account, l.Region).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{l.VPC}})
	switch {
	case fault.HasCode(err, "InvalidVpcID.NotFound"), err == nil && len(got.Vpcs) == 0:
		return brake.Ended, nil
	case err != nil:
		return "", fmt.Errorf("reading %s in %s, %s: %w", l.VPC, l.Account, l.Region, err)
	case tag.Says(tagsOf(got.Vpcs[0]), tag.PrivateNotebooks):
		return brake.Ended, nil
	}
	return brake.Lost, nil
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
