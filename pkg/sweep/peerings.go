package sweep

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// EC2 is what [Peerings] needs of EC2.
type EC2 interface {
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
}

// Peerings finds the peerings of a place that want a look, as [Wanted] tells. A look at one is an execution of
// drawbridge-peering.
type Peerings struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) EC2
}

// Kind implements [Finder].
func (Peerings) Kind() string { return "peerings" }

// Find implements [Finder], with one DescribeVpcPeeringConnections for 100 peerings.
func (p Peerings) Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error) {
	seen, _, err = EachPeering(ctx, p.Enter(execution, at), at,
		[]string{"initiating-request", "pending-acceptance", "provisioning", "active", "deleted", "rejected", "expired"},
		func(p Peering) string { return Wanted(p, at) }, ask)
	return seen, err
}

// pageSize is how many things are held at a time.
const pageSize = 100

// EachPeering reads the peerings of a place page by page and asks for a look at those for which why says a reason.
func EachPeering(ctx context.Context, api EC2, at event.Place, statuses []string, why func(Peering) string, ask Ask) (seen, announced int, err error) {
	pages := ec2.NewDescribeVpcPeeringConnectionsPaginator(api, &ec2.DescribeVpcPeeringConnectionsInput{
		MaxResults: aws.Int32(pageSize), Filters: []types.Filter{{Name: aws.String("status-code"), Values: statuses}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return seen, announced, fmt.Errorf("reading the peerings of %s, %s: %w", at.Account, at.Region, err)
		}
		var looks []look.Look
		for _, c := range page.VpcPeeringConnections {
			p := convert(c)
			if reason := why(p); reason != "" {
				looks = append(looks, event.Inspection{Account: at.Account, Region: at.Region, PeeringID: p.ID, Reason: reason})
			}
		}
		seen += len(page.VpcPeeringConnections)
		if err := ask(ctx, looks...); err != nil {
			return seen, announced, err
		}
		announced += len(looks)
	}
	return seen, announced, nil
}

func convert(c types.VpcPeeringConnection) Peering {
	p := Peering{ID: aws.ToString(c.VpcPeeringConnectionId), Requester: end(c.RequesterVpcInfo), Accepter: end(c.AccepterVpcInfo)}
	if c.Status != nil {
		p.Status = string(c.Status.Code)
	}
	for _, t := range c.Tags {
		if aws.ToString(t.Key) == connection.TagStatus {
			p.Label = aws.ToString(t.Value)
		}
	}
	return p
}

func end(info *types.VpcPeeringConnectionVpcInfo) End {
	if info == nil {
		return End{}
	}
	return End{Place: event.Place{Account: aws.ToString(info.OwnerId), Region: aws.ToString(info.Region)}, VPC: aws.ToString(info.VpcId)}
}
