package sweep

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Peerings] needs of EC2.
type EC2 interface {
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
	DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error)
}

// Peerings finds peerings that want a look: those of a change, or those of a place that [Wanted] tells. A look at one is
// an execution of drawbridge-peering.
type Peerings struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) EC2
	// Ask asks for the looks of Concerned.
	Ask Ask
}

// Kind implements [Finder].
func (Peerings) Kind() string { return "peerings" }

// Find implements [Finder], with one DescribeVpcPeeringConnections for 100 peerings.
func (p Peerings) Find(ctx context.Context, execution string, at event.Place, ask Ask) (seen int, err error) {
	seen, _, err = each(ctx, p.Enter(execution, at), at,
		[]string{"initiating-request", "pending-acceptance", "provisioning", "active", "deleted", "rejected", "expired"},
		func(p Peering) string { return Wanted(p, at) }, ask)
	return seen, err
}

// Concerned asks for a look at every pending or active peering that the event of a change concerns.
func (p Peerings) Concerned(ctx context.Context, in workflow.FindPeeringsInput) (workflow.FindPeeringsOutput, error) {
	e, err := event.Parse(in.Event)
	if err != nil {
		return workflow.FindPeeringsOutput{}, err
	}
	nothing := func(why string) (workflow.FindPeeringsOutput, error) {
		return workflow.FindPeeringsOutput{Result: workflow.Nothing, Reason: why}, nil
	}
	if e.Kind != event.Change && e.Kind != event.Routes {
		if e.Why == "" {
			e.Why = fmt.Sprintf("an event about a %s is not for this machine", e.Kind)
		}
		return nothing(e.Why)
	}
	api, vpc := p.Enter(in.Execution, e.Place), e.VPC
	if e.Kind == event.Routes {
		got, err := api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{e.RouteTableID}})
		if fault.HasCode(err, "InvalidRouteTableID.NotFound") || err == nil && len(got.RouteTables) == 0 {
			return nothing(e.RouteTableID + " does not exist any more")
		}
		if err != nil {
			return workflow.FindPeeringsOutput{}, fmt.Errorf("reading %s in %s, %s: %w", e.RouteTableID, e.Account, e.Region, err)
		}
		vpc = aws.ToString(got.RouteTables[0].VpcId)
	}
	why := func(p Peering) string {
		if Concerned(p, e.Place, vpc) {
			return e.Name
		}
		return ""
	}
	_, announced, err := each(ctx, api, e.Place, []string{"pending-acceptance", "active"}, why, p.Ask)
	if err != nil {
		return workflow.FindPeeringsOutput{}, err
	}
	if announced == 0 {
		return nothing(fmt.Sprintf("no peering in %s, %s is concerned", e.Account, e.Region))
	}
	return workflow.FindPeeringsOutput{Result: workflow.Announced, Announced: announced,
		Reason: fmt.Sprintf("%s concerns %d peerings", e.Name, announced)}, nil
}

// pageSize is how many things are held at a time.
const pageSize = 100

// each reads the peerings of a place page by page and asks for a look at those for which why says a reason.
func each(ctx context.Context, api EC2, at event.Place, statuses []string, why func(Peering) string, ask Ask) (seen, announced int, err error) {
	pages := ec2.NewDescribeVpcPeeringConnectionsPaginator(api, &ec2.DescribeVpcPeeringConnectionsInput{
		MaxResults: aws.Int32(pageSize), Filters: []types.Filter{{Name: aws.String("status-code"), Values: statuses}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return seen, announced, fmt.Errorf("reading the peerings of %s, %s: %w", at.Account, at.Region, err)
		}
		var looks []Look
		for _, c := range page.VpcPeeringConnections {
			p := convert(c)
			if reason := why(p); reason != "" {
				looks = append(looks, Look{Type: event.ToInspect, Thing: p.ID, Reason: reason,
					Detail: event.Inspection{Account: at.Account, Region: at.Region, PeeringID: p.ID, Reason: reason}})
			}
		}
		seen += len(page.VpcPeeringConnections)
		if len(looks) > 0 {
			if err := ask(ctx, looks...); err != nil {
				return seen, announced, err
			}
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
		if aws.ToString(t.Key) == "drawbridge:status" {
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
