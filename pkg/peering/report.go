package peering

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Reporter is what [Report] needs of EC2.
type Reporter interface {
	connection.Tagger
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
}

// Report ends an execution about a connected peering whose VPCs have come to overlap. It reads the addresses once more,
// because it is where the execution is redriven from: while they overlap, it leaves the status Conflict on both sides and
// fails; else it says that the peering can be looked at again. It changes nothing of the connection.
func Report(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) Reporter, c workflow.Connection, members []string) (workflow.ReportConflictOutput, error) {
	for _, v := range []*workflow.VPC{&c.Requester, &c.Accepter} {
		got, err := enter(*v).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{v.ID}})
		if err == nil && len(got.Vpcs) == 0 {
			err = fault.New(fault.NotYet, "EC2 does not show it")
		}
		if err != nil {
			return workflow.ReportConflictOutput{}, fmt.Errorf("reading %s in %s, %s: %w", v.ID, v.Account, v.Region, err)
		}
		v.CIDRs = route.CIDRs(got.Vpcs[0])
	}
	conflict := survey.Overlapping(c.Requester, c.Accepter, c.ID)
	if conflict == nil {
		return workflow.ReportConflictOutput{Reason: fmt.Sprintf("%s and %s do not overlap any more", c.Requester.ID, c.Accepter.ID)}, nil
	}
	if err := SetStatus(ctx, l, asTagger(enter), Status{Connection: c, Members: members, Result: connection.Conflict, Reason: conflict.Error(), Said: shared(c)}); err != nil {
		return workflow.ReportConflictOutput{}, err
	}
	return workflow.ReportConflictOutput{}, conflict
}

// shared says to each side which of its own addresses the other has come to have as well.
func shared(c workflow.Connection) workflow.Said {
	a, b, _ := survey.Overlap(c.Requester.CIDRs, c.Accepter.CIDRs)
	text := func(own netip.Prefix, here, there workflow.VPC) string {
		return fmt.Sprintf("%s of %s overlaps addresses of %s in account %s; whichever of the two is new has to be disassociated from its VPC", own, here.ID, there.ID, there.Account)
	}
	return workflow.Said{Requester: text(a, c.Requester, c.Accepter), Accepter: text(b, c.Accepter, c.Requester)}
}
