package sweep

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// EC2 is what [Peerings] needs of EC2.
type EC2 interface {
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
}

// Peerings finds the peerings of a place that want a look, as [Wanted] tells, and those that the ledger has and the place does not show
// any more. A look at one is an execution of drawbridge-peering. Those that were not given to Drawbridge it counts.
type Peerings struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter  func(execution string, place event.Place) EC2
	Ledger ledger.Ledger
}

// Kind implements [Finder].
func (Peerings) Kind() string { return "peerings" }

// Find implements [Finder].
func (p Peerings) Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error) {
	return p.Count(ctx, execution, at, ask, func(string) {})
}

// Count implements [Census], with one DescribeVpcPeeringConnections for 100 peerings, and what the ledger has of the place.
func (p Peerings) Count(ctx context.Context, execution string, at event.Place, ask Ask, unmanaged func(id string)) (seen int, err error) {
	managed, err := entries(ctx, p.Ledger, at, road.Peering)
	if err != nil {
		return 0, err
	}
	shown := map[string]bool{}
	seen, _, err = EachPeering(ctx, p.Enter(execution, at), at, statuses, func(one Peering) string {
		shown[one.ID] = true
		one.Managed = slices.ContainsFunc(managed, func(c ledger.Connection) bool { return c.ID == one.ID })
		if Unmanaged(one, at) {
			unmanaged(one.ID)
		}
		return Wanted(one, at)
	}, ask)
	if err != nil {
		return seen, err
	}
	var gone []look.Look
	for _, c := range managed {
		if !shown[c.ID] {
			gone = append(gone, event.Inspection{Account: at.Account, Region: at.Region, PeeringID: c.ID, Reason: "the peering is not shown any more, but the ledger still has it"})
		}
	}
	return seen, ask(ctx, gone...)
}

// statuses are all that a peering may have.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle
var statuses = []string{"initiating-request", "pending-acceptance", "provisioning", "active", "deleting", "deleted", "rejected", "expired", "failed"}

// entries returns what the ledger has of one kind in a place.
func entries(ctx context.Context, l ledger.Ledger, at event.Place, kind road.Kind) ([]ledger.Connection, error) {
	all, err := l.Connections(ctx, at.Account, at.Region)
	return slices.DeleteFunc(all, func(c ledger.Connection) bool { return c.Kind != kind }), err
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
	tags := map[string]string{}
	for _, t := range c.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	p.Asked = tag.Clean(tag.Peering, tags)[tag.Manage] == tag.Take
	return p
}

func end(info *types.VpcPeeringConnectionVpcInfo) End {
	if info == nil {
		return End{}
	}
	return End{Place: event.Place{Account: aws.ToString(info.OwnerId), Region: aws.ToString(info.Region)}, VPC: aws.ToString(info.VpcId)}
}
