package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Finder] needs of EC2.
type EC2 interface {
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
	DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error)
}

// Bus is what [Finder] needs of EventBridge.
type Bus interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Finder finds peerings and asks for a look at them.
type Finder struct {
	// Enter returns the client for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) EC2
	// Bus is the hub's EventBridge, and Name the name of its bus.
	Bus  Bus
	Name string
}

// Find asks for a look at every pending or active peering that the event of a change concerns.
func (f Finder) Find(ctx context.Context, in workflow.FindPeeringsInput) (workflow.FindPeeringsOutput, error) {
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
	api, vpc := f.Enter(in.Execution, e.Place), e.VPC
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
	_, announced, err := f.each(ctx, api, e.Place, []string{"pending-acceptance", "active"}, why)
	if err != nil {
		return workflow.FindPeeringsOutput{}, err
	}
	if announced == 0 {
		return nothing(fmt.Sprintf("no peering in %s, %s is concerned", e.Account, e.Region))
	}
	return workflow.FindPeeringsOutput{Result: workflow.Announced, Announced: announced,
		Reason: fmt.Sprintf("%s concerns %d peerings", e.Name, announced)}, nil
}

// Sweep asks for a look at every peering of an account that wants one. An account that lets nobody in is told, not an
// error: it may have joined a minute ago.
func (f Finder) Sweep(ctx context.Context, in workflow.SweepAccountInput) (workflow.SweepAccountOutput, error) {
	out := workflow.SweepAccountOutput{Account: in.Territory.Account}
	for _, region := range in.Territory.Regions {
		at := event.Place{Account: in.Territory.Account, Region: region}
		seen, announced, err := f.each(ctx, f.Enter(in.Execution, at), at,
			[]string{"initiating-request", "pending-acceptance", "provisioning", "active", "deleted", "rejected", "expired"},
			func(p Peering) string { return Wanted(p, at) })
		if errors.Is(err, fault.ErrClosed) {
			out.Closed = err.Error()
			slog.WarnContext(ctx, "sweeping", "account", at.Account, "closed", out.Closed)
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out.Seen, out.Announced = out.Seen+seen, out.Announced+announced
	}
	slog.InfoContext(ctx, "swept", "account", out.Account, "seen", out.Seen, "announced", out.Announced)
	return out, nil
}

// pageSize is how many peerings are held at a time.
const pageSize = 100

// each reads the peerings of a place page by page and asks for a look at those for which why says a reason.
func (f Finder) each(ctx context.Context, api EC2, at event.Place, statuses []string, why func(Peering) string) (seen, announced int, err error) {
	pages := ec2.NewDescribeVpcPeeringConnectionsPaginator(api, &ec2.DescribeVpcPeeringConnectionsInput{
		MaxResults: aws.Int32(pageSize), Filters: []types.Filter{{Name: aws.String("status-code"), Values: statuses}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return seen, announced, fmt.Errorf("reading the peerings of %s, %s: %w", at.Account, at.Region, err)
		}
		var looks []event.Inspection
		for _, c := range page.VpcPeeringConnections {
			p := convert(c)
			if reason := why(p); reason != "" {
				looks = append(looks, event.Inspection{Account: at.Account, Region: at.Region, PeeringID: p.ID, Reason: reason})
			}
		}
		seen += len(page.VpcPeeringConnections)
		if err := f.announce(ctx, looks); err != nil {
			return seen, announced, err
		}
		announced += len(looks)
	}
	return seen, announced, nil
}

// announce puts one event for each look on the hub's bus, ten at a time as PutEvents takes them. After an error some may
// be there already; the next try puts them twice, which is safe.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func (f Finder) announce(ctx context.Context, looks []event.Inspection) error {
	for some := range slices.Chunk(looks, 10) {
		var entries []eventbridgetypes.PutEventsRequestEntry
		for _, look := range some {
			detail, err := json.Marshal(look)
			if err != nil {
				return err
			}
			slog.InfoContext(ctx, "asking for a look", "peering", look.PeeringID, "account", look.Account, "region", look.Region, "reason", look.Reason)
			entries = append(entries, eventbridgetypes.PutEventsRequestEntry{EventBusName: aws.String(f.Name),
				Source: aws.String(event.Source), DetailType: aws.String(event.ToInspect), Detail: aws.String(string(detail))})
		}
		got, err := f.Bus.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
		if err != nil {
			return fmt.Errorf("putting events on the bus %s: %w", f.Name, err)
		}
		for _, e := range got.Entries {
			if e.ErrorCode != nil {
				return fault.New(fault.Transient, "putting events on the bus %s: %s: %s", f.Name, *e.ErrorCode, aws.ToString(e.ErrorMessage))
			}
		}
	}
	return nil
}

func convert(c types.VpcPeeringConnection) Peering {
	p := Peering{ID: aws.ToString(c.VpcPeeringConnectionId), Requester: end(c.RequesterVpcInfo), Accepter: end(c.AccepterVpcInfo)}
	if c.Status != nil {
		p.Status = string(c.Status.Code)
	}
	for _, t := range c.Tags {
		switch aws.ToString(t.Key) {
		case "drawbridge:status":
			p.Label = aws.ToString(t.Value)
		case "drawbridge:approval":
			p.Approval = aws.ToString(t.Value)
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

// Organizations is what [Lister] needs of AWS Organizations.
type Organizations interface {
	ListAccounts(context.Context, *organizations.ListAccountsInput, ...func(*organizations.Options)) (*organizations.ListAccountsOutput, error)
}

// Lister lists the accounts to sweep.
type Lister struct {
	API     Organizations
	Regions []string // that Drawbridge listens to
}

// List returns one page of accounts. Those that the sweep names are the only page; else Organizations lists them, and
// accounts that are not active are left out.
func (l Lister) List(ctx context.Context, in workflow.ListAccountsInput) (workflow.ListAccountsOutput, error) {
	out := workflow.ListAccountsOutput{Answer: "last", Sweep: in.Sweep, Accounts: []workflow.Territory{}}
	regions := in.Sweep.Regions
	if len(regions) == 0 {
		regions = l.Regions
	}
	for _, account := range in.Sweep.Accounts {
		out.Accounts = append(out.Accounts, workflow.Territory{Account: account, Regions: regions})
	}
	if len(in.Sweep.Accounts) > 0 {
		return out, nil
	}
	ask := &organizations.ListAccountsInput{MaxResults: aws.Int32(20)}
	if in.Page != "" {
		ask.NextToken = &in.Page
	}
	got, err := l.API.ListAccounts(ctx, ask)
	if err != nil {
		return out, fmt.Errorf("listing the organization's accounts: %w", err)
	}
	for _, a := range got.Accounts {
		if a.State == "" || a.State == organizationstypes.AccountStateActive {
			out.Accounts = append(out.Accounts, workflow.Territory{Account: aws.ToString(a.Id), Regions: regions})
		}
	}
	if out.Page = aws.ToString(got.NextToken); out.Page != "" {
		out.Answer = "more"
	}
	return out, nil
}
